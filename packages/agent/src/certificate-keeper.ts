import { join } from 'node:path';
import { Backoff, type Clock, type Logger, MeshError, type Timer, Watch } from '@weft/base';
import { formatWorkloadId, KeyPairStore, removeUsedToken, renewalTime, type Svid } from '@weft/identity';
import type { AgentBootstrap } from './agent-bootstrap.ts';
import { requestBySvid, requestByToken } from './certificate-client.ts';

/** Timers hold at most 2^31 - 1 ms. */
const maxTimerMs = 2_000_000_000;
const retry = { baseMs: 500, maxMs: 30_000 } as const;

/** What the keeper asks for certificates with; tests bring their own. */
export interface CertificateSource {
  byToken(): Promise<Svid>;
  bySvid(svid: Svid): Promise<Svid>;
}

export interface CertificateKeeperOptions {
  readonly bootstrap: AgentBootstrap;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly source?: CertificateSource;
}

/** Holds the workload's key pair: the stored one, or a first one by join token; renewed at two thirds of its life. */
export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  readonly #source: CertificateSource;
  readonly #store: KeyPairStore;
  readonly #backoff: Backoff;
  readonly #svid = new Watch<Svid | undefined>(undefined);
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: CertificateKeeperOptions) {
    const { identity, stateDir } = options.bootstrap;
    this.#options = options;
    this.#source = options.source ?? {
      byToken: () => requestByToken(identity),
      bySvid: (svid) => requestBySvid(identity, svid),
    };
    this.#store = new KeyPairStore(join(stateDir, 'agent-key-pair.pem'), options.clock, options.logger);
    this.#backoff = new Backoff({ ...retry, random: options.random });
  }

  /** undefined until {@link start} has resolved. */
  get svid(): Watch<Svid | undefined> {
    return this.#svid;
  }

  /**
   * Resolves when there is a key pair; tries again while the control plane is away.
   * @throws MeshError `TOKEN_INVALID`, `FORBIDDEN` and the like, when trying again would not help.
   */
  async start(): Promise<void> {
    const { clock, logger, bootstrap } = this.#options;
    const stored = this.#store.load(formatWorkloadId(bootstrap.identity));
    if (stored !== undefined) {
      logger.info('certificate taken from the state folder', { notAfter: new Date(stored.notAfter).toISOString() });
      this.#use(stored);
      return;
    }
    for (;;) {
      try {
        this.#obtained(await this.#source.byToken());
        removeUsedToken(bootstrap.identity.tokenFile, logger);
        return;
      } catch (thrown) {
        const error = MeshError.from(thrown);
        if (this.#closed || (error.code !== 'UNAVAILABLE' && error.code !== 'TIMEOUT')) {
          throw error;
        }
        logger.warn('no certificate yet; trying again', { error });
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, this.#backoff.nextDelayMs()));
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #obtained(svid: Svid): void {
    const { logger } = this.#options;
    this.#backoff.reset();
    try {
      this.#store.save(svid);
    } catch (error) {
      // A full disk must not take away a certificate that works.
      logger.warn('the key pair cannot be stored', { error });
    }
    logger.info('certificate obtained', { identity: svid.spiffeId, notAfter: new Date(svid.notAfter).toISOString() });
    this.#use(svid);
  }

  #use(svid: Svid): void {
    this.#svid.set(svid);
    this.#schedule(renewalTime(svid, this.#options.random()));
  }

  #schedule(atMs: number): void {
    const { clock } = this.#options;
    if (this.#closed) {
      return;
    }
    const delayMs = Math.min(maxTimerMs, Math.max(0, atMs - clock.now()));
    this.#timer = clock.setTimeout(
      () => {
        if (clock.now() < atMs) {
          this.#schedule(atMs);
        } else {
          void this.#renew();
        }
      },
      delayMs,
      { unref: true },
    );
  }

  async #renew(): Promise<void> {
    const { clock, logger } = this.#options;
    const current = this.#svid.value;
    if (this.#closed || current === undefined) {
      return;
    }
    try {
      const valid = clock.now() < current.notAfter;
      this.#obtained(valid ? await this.#source.bySvid(current) : await this.#source.byToken());
    } catch (error) {
      logger.warn('the certificate is not renewed yet; trying again', {
        error: MeshError.from(error),
        notAfter: new Date(current.notAfter).toISOString(),
      });
      this.#schedule(clock.now() + this.#backoff.nextDelayMs());
    }
  }
}
