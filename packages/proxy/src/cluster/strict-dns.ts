import { isIP } from 'node:net';
import type { Clock, Timer } from '@weft/base';
import type { ClusterEndpoints, EndpointConfig, LocalityEndpoints } from '../runtime-config/config.ts';
import type { DnsResolver } from './dns-resolver.ts';

export interface StrictDnsOptions {
  readonly endpoints: ClusterEndpoints;
  readonly refreshMs: number;
  readonly respectTtl: boolean;
  readonly clock: Clock;
  readonly resolve: DnsResolver;
  /** Gets the endpoints with every name replaced by its addresses. */
  readonly onEndpoints: (endpoints: ClusterEndpoints) => void;
}

/** Resolves the names of a `STRICT_DNS` cluster again and again; a name that cannot be resolved keeps its last addresses. */
export class StrictDns {
  readonly #options: StrictDnsOptions;
  readonly #known = new Map<string, readonly string[]>();
  #timer: Timer | undefined = undefined;
  #stopped = false;
  #last = '';

  constructor(options: StrictDnsOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #refresh(): Promise<void> {
    const { endpoints, resolve, respectTtl, refreshMs, clock, onEndpoints } = this.#options;
    const names = new Set<string>();
    for (const locality of endpoints.localities) {
      for (const { address } of locality.endpoints) {
        if (address.kind === 'ip' && isIP(address.address) === 0) {
          names.add(address.address);
        }
      }
    }
    let waitMs = refreshMs;
    await Promise.all(
      [...names].map(async (name) => {
        try {
          const answer = await resolve(name, respectTtl);
          this.#known.set(name, [...new Set(answer.addresses)].sort());
          if (respectTtl && answer.ttlSec !== undefined) {
            waitMs = Math.min(waitMs, Math.max(1000, answer.ttlSec * 1000));
          }
        } catch {
          // The last addresses stay; without any the name has no endpoints until a later try.
        }
      }),
    );
    if (this.#stopped) {
      return;
    }
    // Before the owner is told: it may stop us, and a defect of its must not end the watch.
    this.#timer = clock.setTimeout(() => void this.#refresh(), waitMs, { unref: true });
    const fingerprint = JSON.stringify([...this.#known].sort());
    if (fingerprint !== this.#last) {
      this.#last = fingerprint;
      onEndpoints(this.#expand());
    }
  }

  #expand(): ClusterEndpoints {
    const { endpoints } = this.#options;
    return {
      ...endpoints,
      version: `${endpoints.version}/${this.#last}`,
      localities: endpoints.localities.map(
        (locality): LocalityEndpoints => ({
          ...locality,
          endpoints: locality.endpoints.flatMap((endpoint) => this.#expandEndpoint(endpoint)),
        }),
      ),
    };
  }

  #expandEndpoint(endpoint: EndpointConfig): EndpointConfig[] {
    const { address } = endpoint;
    if (address.kind !== 'ip' || isIP(address.address) !== 0) {
      return [endpoint];
    }
    const hostname = endpoint.hostname === '' ? address.address : endpoint.hostname;
    return (this.#known.get(address.address) ?? []).map((ip) => ({
      ...endpoint,
      hostname,
      address: { kind: 'ip', address: ip, port: address.port },
    }));
  }
}
