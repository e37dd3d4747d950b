import type { Clock, Timer } from '@weft/base';
import type { DnsOptions } from '../runtime-config/discovery.ts';
import { type DnsResolver, resolveFamilies } from './dns-resolver.ts';

export interface DnsNameOptions {
  readonly name: string;
  readonly dns: DnsOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly resolve: DnsResolver;
  /** There was an answer, or the first failure. */
  readonly onAnswer: () => void;
}

/** So much longer than it could a name is asked for again, at most, so that the proxies of a mesh do not ask together. */
const jitter = 0.1;

/** Resolves one name again and again. A failure keeps the last good answer. */
export class DnsName {
  /** Of the last good answer, in its order. */
  addresses: readonly string[] = [];
  /** It was answered, well or badly. */
  answered = false;
  readonly #options: DnsNameOptions;
  #timer: Timer | undefined = undefined;
  #stopped = false;
  #failures = 0;

  constructor(options: DnsNameOptions) {
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
    const { name, dns, clock, random, resolve, onAnswer } = this.#options;
    let waitMs: number;
    let isNews = !this.answered;
    try {
      const { addresses, ttlSec } = await resolveFamilies(resolve, name, dns.families, dns.respectTtl);
      this.#failures = 0;
      this.addresses = [...new Set(addresses)];
      isNews = true;
      const isTtlKnown = dns.respectTtl && ttlSec !== undefined && ttlSec > 0;
      waitMs = (isTtlKnown ? ttlSec * 1000 : dns.refreshMs) * (1 + jitter * random());
    } catch {
      waitMs = this.#failureWaitMs();
      this.#failures += 1;
    }
    if (this.#stopped) {
      return;
    }
    this.answered = true;
    // Before the owner is told: it may stop us, and a defect of its must not end the watch.
    this.#timer = clock.setTimeout(() => void this.#refresh(), waitMs, { unref: true });
    if (isNews) {
      onAnswer();
    }
  }

  /** Exponential back-off with full jitter, as Envoy's, but for the first step: without a base, the usual pause. */
  #failureWaitMs(): number {
    const { dns, random } = this.#options;
    if (dns.failureRefresh === undefined) {
      return dns.refreshMs * (1 + jitter * random());
    }
    const { baseMs, maxMs } = dns.failureRefresh;
    const ceilingMs = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures, 30));
    return Math.max(1, random() * ceilingMs);
  }
}
