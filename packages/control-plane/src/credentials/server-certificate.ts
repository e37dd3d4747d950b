import { isIP } from 'node:net';
import { type Clock, type Logger, type Timer, Watch } from '@weft/base';
import { formatWorkloadId, renewalTime } from '@weft/identity';
import type { CertificateAuthority, IssuedKeyPair } from '@weft/identity/authority';
import type { ServerIdentity } from '../grpc/credentials.ts';
import { controlPlaneAccount } from '../join/join-token-store.ts';

const serverTtlMs = 24 * 3_600_000;
const retryMs = 5_000;
/** Node's timers end at 2^31 ms; a look now and then also survives a suspended machine. */
const longestWaitMs = 3_600_000;

/** The certificate of the control plane's own servers, renewed by itself. */
export class ServerCertificate {
  readonly current: Watch<IssuedKeyPair>;
  readonly #ca: CertificateAuthority;
  readonly #host: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #timer: Timer | undefined;
  #closed = false;

  private constructor(ca: CertificateAuthority, host: string, clock: Clock, logger: Logger, first: IssuedKeyPair) {
    this.#ca = ca;
    this.#host = host;
    this.#clock = clock;
    this.#logger = logger;
    this.current = new Watch(first);
    this.#schedule();
  }

  /** @param host address that the servers listen on. */
  static async issue(ca: CertificateAuthority, host: string, clock: Clock, logger: Logger): Promise<ServerCertificate> {
    return new ServerCertificate(ca, host, clock, logger, await issue(ca, host));
  }

  /** What a gRPC server needs. */
  get identity(): ServerIdentity {
    const { chainPem, key } = this.current.value;
    return { chainPem, keyPem: key.revealPem(), trustBundlePem: this.#ca.trustBundle.value.pem };
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #schedule(retry?: number): void {
    const due = renewalTime(this.current.value, 0) - this.#clock.now();
    const delay = retry ?? Math.min(Math.max(due, 0), longestWaitMs);
    this.#timer = this.#clock.setTimeout(() => void this.#renewIfDue(), delay, { unref: true });
  }

  async #renewIfDue(): Promise<void> {
    let retry: number | undefined;
    try {
      if (this.#clock.now() >= renewalTime(this.current.value, 0)) {
        this.current.set(await issue(this.#ca, this.#host));
        this.#logger.info('server certificate renewed');
      }
    } catch (error) {
      this.#logger.error('server certificate could not be renewed', { error });
      retry = retryMs;
    }
    if (!this.#closed) {
      this.#schedule(retry);
    }
  }
}

/** DNS and IP names for clients that know an address, a SPIFFE id for workloads. */
function issue(ca: CertificateAuthority, host: string): Promise<IssuedKeyPair> {
  const isAddress = isIP(host) !== 0;
  return ca.issueServer(
    {
      dnsNames: ['localhost', 'weft-control-plane', ...(isAddress || host === 'localhost' ? [] : [host])],
      ipAddresses: [
        ...new Set(['127.0.0.1', '::1', ...(isAddress && host !== '0.0.0.0' && host !== '::' ? [host] : [])]),
      ],
      uris: [formatWorkloadId({ trustDomain: ca.trustDomain, ...controlPlaneAccount })],
    },
    serverTtlMs,
  );
}
