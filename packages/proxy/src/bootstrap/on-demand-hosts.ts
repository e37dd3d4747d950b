import type { Clock, Logger } from '@weft/base';
import type { XdsClient } from '@weft/xds-client';
import { typeUrls } from '@weft/xds-types';
import type { VirtualHostAnswer } from '../data-plane.ts';

/** How long a request waits for the control plane to say what a host is. */
const DEMAND_TIMEOUT_MS = 5000;
/** A host that does not exist is not asked for again for this long, however often it is called. */
const MISSING_FOR_MS = 5000;
/** Most hosts that are subscribed to; clients choose the names. */
export const MAX_DEMANDED_HOSTS = 1000;
const MAX_MISSING_HOSTS = 1000;
/** A host name of at most 253 characters, with a port. */
const authorityPattern = /^[a-z0-9._-]{1,253}(?::\d{1,5})?$/;

/** Asks for virtual hosts that a client called and the route table does not have (VHDS). */
export class OnDemandHosts {
  readonly #client: Pick<XdsClient, 'demand' | 'release'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #demanded = new Set<string>();
  /** Names that the server does not know, and until when that is believed (monotonic). */
  readonly #missing = new Map<string, number>();

  constructor(client: Pick<XdsClient, 'demand' | 'release'>, clock: Clock, logger: Logger) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
  }

  get size(): number {
    return this.#demanded.size;
  }

  /** Resolves when the host is there, or it is known that it does not come now. */
  async request(routeConfigName: string, authority: string): Promise<VirtualHostAnswer> {
    const host = authority.toLowerCase();
    const name = `${routeConfigName}/${host}`;
    const now = this.#clock.monotonicMs();
    if (!authorityPattern.test(host) || (this.#missing.get(name) ?? 0) > now) {
      return 'answered';
    }
    if (!this.#demanded.has(name) && this.#demanded.size >= MAX_DEMANDED_HOSTS) {
      this.#logger.warn('too many hosts are asked for on demand', { limit: MAX_DEMANDED_HOSTS, host });
      return 'answered';
    }
    this.#demanded.add(name);
    const result = await this.#client.demand(typeUrls.virtualHost, name, DEMAND_TIMEOUT_MS);
    if (result === 'missing') {
      this.#demanded.delete(name);
      this.#client.release(typeUrls.virtualHost, name);
      this.#rememberMissing(name, this.#clock.monotonicMs() + MISSING_FOR_MS);
    }
    return result === 'unavailable' ? 'unavailable' : 'answered';
  }

  #rememberMissing(name: string, until: number): void {
    if (this.#missing.size >= MAX_MISSING_HOSTS) {
      const [oldest] = this.#missing.keys();
      if (oldest !== undefined) {
        this.#missing.delete(oldest);
      }
    }
    this.#missing.delete(name);
    this.#missing.set(name, until);
  }
}
