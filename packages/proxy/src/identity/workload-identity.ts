import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Backoff, type Clock, type Logger, MeshError, type Timer, Watch } from '@weft/base';
import {
  createCsr,
  createSvid,
  formatWorkloadId,
  generatePrivateKey,
  KeyPairStore,
  parseTrustBundle,
  removeUsedToken,
  renewalTime,
  type SpiffeId,
  type Svid,
  type TrustBundle,
} from '@weft/identity';
import { IstioCertificateRequest, IstioCertificateResponse } from '@weft/xds-types/istio/v1/auth/certificate.ts';
import type { HostPort, IdentityBootstrap } from '../bootstrap/bootstrap.ts';
import { callUnary } from './grpc-unary.ts';

const CREATE_CERTIFICATE = '/istio.v1.auth.IstioCertificateService/CreateCertificate';
const CALL_TIMEOUT_MS = 10_000;
/** First renewal attempts are quick, later ones spare the CA. */
const RETRY = { baseMs: 500, maxMs: 60_000 } as const;
/** A warning is logged with each failed attempt when less than this share of the life is left. */
const WARN_SHARE = 0.2;
/** Timers hold at most 2^31 - 1 ms; a longer life is waited for in steps. */
const MAX_TIMER_MS = 2_000_000_000;
/** Largest join token, characters. */
const MAX_TOKEN_LENGTH = 16_384;

export interface WorkloadIdentityOptions {
  readonly bootstrap: IdentityBootstrap;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Counts for the metrics. */
export interface IdentityStatus {
  readonly svid: Svid | undefined;
  readonly renewals: number;
  readonly failures: number;
  readonly lastError: string | undefined;
  /** When the next attempt is due, milliseconds since the epoch. */
  readonly renewAtMs: number | undefined;
}

/**
 * The identity that this proxy proves: its key is made here and never leaves, its certificate comes from the mesh's CA, first by
 * the join token, then by the certificate itself, at two thirds of its life.
 */
export class WorkloadIdentity {
  /** undefined until the first certificate is there. */
  readonly svid = new Watch<Svid | undefined>(undefined);
  readonly id: SpiffeId;
  readonly trustBundle: TrustBundle;
  readonly #options: WorkloadIdentityOptions;
  readonly #store: KeyPairStore;
  readonly #backoff: Backoff;
  #timer: Timer | undefined;
  #closed = false;
  #renewals = 0;
  #failures = 0;
  #lastError: string | undefined;
  #renewAtMs: number | undefined;
  /** Roots that the control plane sent meanwhile, believed beside those of the file. */
  #freshRootsPem = '';

  /** @throws MeshError when the trust bundle cannot be read, or the names make no SPIFFE id. */
  constructor(options: WorkloadIdentityOptions) {
    this.#options = options;
    const { bootstrap, stateDir, clock, logger } = options;
    this.id = formatWorkloadId(bootstrap);
    this.trustBundle = readTrustBundle(bootstrap.trustBundleFile);
    this.#store = new KeyPairStore(join(stateDir, 'key-pair.pem'), clock, logger);
    this.#backoff = new Backoff({ ...RETRY, random: options.random });
  }

  get status(): IdentityStatus {
    return {
      svid: this.svid.value,
      renewals: this.#renewals,
      failures: this.#failures,
      lastError: this.#lastError,
      renewAtMs: this.#renewAtMs,
    };
  }

  /** Roots for checking the control plane, PEM. */
  get rootsPem(): string {
    return this.trustBundle.pem + this.#freshRootsPem;
  }

  /** Roots that came by ADS are believed as well: the CA may have been replaced since the file was written. */
  useRoots(pem: string): void {
    this.#freshRootsPem = pem;
  }

  /**
   * Resolves when there is a certificate: at once with the stored one, else after the CA answered. Tries again while the CA
   * cannot be reached.
   * @throws MeshError `TOKEN_INVALID` and the like, when trying again would not help.
   */
  async start(): Promise<void> {
    const stored = this.#store.load(this.id);
    if (stored !== undefined) {
      this.#options.logger.info('certificate taken from the state folder', { notAfter: isoTime(stored.notAfter) });
      this.#use(stored);
      return;
    }
    while (!this.#closed) {
      try {
        this.#obtained(await this.#requestByToken());
        removeUsedToken(this.#options.bootstrap.tokenFile, this.#options.logger);
        return;
      } catch (thrown) {
        const error = MeshError.from(thrown);
        this.#failed(error);
        if (isFinal(error)) {
          throw error;
        }
        await this.#pause(this.#backoff.nextDelayMs());
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = this.#options.clock.setTimeout(resolve, delayMs);
    });
  }

  async #requestByToken(): Promise<Svid> {
    const { bootstrap } = this.#options;
    const token = readToken(bootstrap.tokenFile);
    return this.#request(bootstrap.caAddress, { authorization: `Bearer ${token}` }, {});
  }

  #requestByCertificate(svid: Svid): Promise<Svid> {
    const { bootstrap } = this.#options;
    return this.#request(bootstrap.renewAddress, {}, { cert: svid.chainPem, key: svid.key.revealPem() });
  }

  /** A new key for each certificate: a key that leaked once is useless after the next renewal. */
  async #request(
    address: HostPort,
    headers: Readonly<Record<string, string>>,
    clientTls: { readonly cert?: string; readonly key?: string },
  ): Promise<Svid> {
    const { bootstrap, clock } = this.#options;
    const key = await generatePrivateKey();
    const answer = await callUnary({
      address,
      tls: {
        ca: this.rootsPem,
        minVersion: 'TLSv1.2',
        ...(bootstrap.serverName === undefined ? {} : { servername: bootstrap.serverName }),
        ...clientTls,
      },
      path: CREATE_CERTIFICATE,
      headers,
      request: IstioCertificateRequest.encode({
        csr: createCsr(key, this.id),
        validityDuration: BigInt(Math.round((bootstrap.certificateTtlMs ?? 0) / 1000)),
        metadata: undefined,
      }).finish(),
      timeoutMs: CALL_TIMEOUT_MS,
      clock,
    });
    const svid = createSvid(IstioCertificateResponse.decode(answer).certChain, key);
    if (svid.spiffeId !== this.id) {
      throw new MeshError('CERTIFICATE_INVALID', `the CA certified ${svid.spiffeId} instead of ${this.id}`);
    }
    if (svid.notAfter <= clock.now()) {
      throw new MeshError('CERTIFICATE_INVALID', `the CA gave a certificate that ended ${isoTime(svid.notAfter)}`);
    }
    return svid;
  }

  #obtained(svid: Svid): void {
    this.#backoff.reset();
    this.#renewals += 1;
    this.#lastError = undefined;
    this.#options.logger.info('certificate obtained', { spiffeId: svid.spiffeId, notAfter: isoTime(svid.notAfter) });
    try {
      this.#store.save(svid);
    } catch (thrown) {
      // Traffic does not depend on the disk; only a restart without the control plane does.
      this.#options.logger.error('the certificate cannot be stored', { error: thrown });
    }
    this.#use(svid);
  }

  #use(svid: Svid): void {
    this.svid.set(svid);
    this.#schedule(renewalTime(svid, this.#options.random()));
  }

  #schedule(atMs: number): void {
    if (this.#closed) {
      return;
    }
    this.#renewAtMs = atMs;
    this.#timer?.cancel();
    const delayMs = Math.max(0, atMs - this.#options.clock.now());
    this.#timer = this.#options.clock.setTimeout(
      () => {
        if (delayMs > MAX_TIMER_MS) {
          this.#schedule(atMs);
        } else {
          void this.#renew();
        }
      },
      Math.min(delayMs, MAX_TIMER_MS),
      { unref: true },
    );
  }

  async #renew(): Promise<void> {
    const svid = this.svid.value;
    if (svid === undefined || this.#closed) {
      return;
    }
    try {
      const isExpired = svid.notAfter <= this.#options.clock.now();
      const renewed = await (isExpired ? this.#requestByToken() : this.#requestByCertificate(svid));
      if (!this.#closed) {
        this.#obtained(renewed);
      }
    } catch (thrown) {
      this.#failed(MeshError.from(thrown));
      this.#schedule(this.#options.clock.now() + this.#backoff.nextDelayMs());
    }
  }

  #failed(error: MeshError): void {
    this.#failures += 1;
    this.#lastError = error.message;
    const { logger, clock } = this.#options;
    const svid = this.svid.value;
    const leftMs = svid === undefined ? 0 : svid.notAfter - clock.now();
    const isNear = svid === undefined || leftMs < (svid.notAfter - svid.notBefore) * WARN_SHARE;
    const fields = { code: error.code, reason: error.message, secondsLeft: Math.round(leftMs / 1000) };
    if (isNear) {
      logger.warn('no new certificate, and the present one ends soon', fields);
    } else {
      logger.info('no new certificate yet', fields);
    }
  }
}

/** Errors that another attempt with the same token and key would meet again. */
function isFinal(error: MeshError): boolean {
  return ['TOKEN_INVALID', 'FORBIDDEN', 'INVALID', 'BAD_CONFIGURATION', 'CERTIFICATE_INVALID'].includes(error.code);
}

function readTrustBundle(path: string): TrustBundle {
  try {
    return parseTrustBundle(readFileSync(path, 'utf8'));
  } catch (thrown) {
    const error = MeshError.from(thrown);
    throw new MeshError('BAD_CONFIGURATION', `the trust bundle ${path} cannot be used: ${error.message}`, {
      cause: thrown,
      hint: 'Set identity.trustBundleFile to a readable PEM file with the roots of the mesh.',
    });
  }
}

function readToken(path: string | undefined): string {
  if (path === undefined) {
    throw new MeshError('BAD_CONFIGURATION', 'there is no valid certificate and no join token', {
      hint: 'Set identity.tokenFile.',
    });
  }
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (thrown) {
    throw new MeshError('BAD_CONFIGURATION', `the join token ${path} cannot be read`, { cause: thrown });
  }
  if (text === '' || text.length > MAX_TOKEN_LENGTH || /[^\x21-\x7e]/.test(text)) {
    throw new MeshError('BAD_CONFIGURATION', `${path} holds no join token`);
  }
  return text;
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
