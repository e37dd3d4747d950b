/** Requests that ended, over some time. */
export interface Counts {
  /** Requests begun. */
  readonly issued: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** What TCP connections did over some time. */
export interface TcpCounts {
  /** Opened. */
  readonly connections: number;
  /** Attempts to open one that failed. */
  readonly failed: number;
  /** Carried, both directions together; 0 where a proxy does not tell. */
  readonly bytes: number;
}

/** Counters in a ring of equal spans of time; what is older than the ring is gone. */
export class Series<Name extends string> {
  readonly #names: readonly Name[];
  readonly #bucketMs: number;
  readonly #buckets: number;
  readonly #values: Uint32Array | Float64Array;
  readonly #most: number;
  /** Number of the newest span (time / bucketMs) that the ring holds. */
  #head: number;
  readonly #first: number;

  /** @param options.wide counters beyond 2^32 - 1, for twice the memory; others stay at that. */
  constructor(options: {
    readonly names: readonly Name[];
    readonly wide: boolean;
    readonly bucketMs: number;
    readonly buckets: number;
    readonly now: number;
  }) {
    this.#names = options.names;
    this.#bucketMs = options.bucketMs;
    this.#buckets = options.buckets;
    const length = options.buckets * options.names.length;
    this.#values = options.wide ? new Float64Array(length) : new Uint32Array(length);
    this.#most = options.wide ? Number.MAX_SAFE_INTEGER : 0xffffffff;
    this.#head = Math.floor(options.now / options.bucketMs);
    this.#first = this.#head;
  }

  /** Number of the span in which something was last added. */
  get lastSpan(): number {
    return this.#head;
  }

  add(now: number, counts: Readonly<Record<Name, number>>): void {
    const span = Math.max(Math.floor(now / this.#bucketMs), this.#head);
    this.#advance(span);
    let at = this.#at(span);
    for (const name of this.#names) {
      this.#values[at] = Math.min((this.#values[at] ?? 0) + counts[name], this.#most);
      at += 1;
    }
  }

  /**
   * Adds the whole spans that end before the current one begins, as many as fit into `windowMs`, to `into`.
   * @returns the time that they cover: shorter than asked when the series is younger.
   */
  sum(now: number, windowMs: number, into: Record<Name, number>): number {
    const current = Math.floor(now / this.#bucketMs);
    const wanted = Math.min(Math.max(Math.ceil(windowMs / this.#bucketMs), 1), this.#buckets - 1);
    // The span that the series began in counts too: a reporter's first report covers the time before it.
    const from = Math.max(current - wanted, this.#first);
    const to = Math.min(current - 1, this.#head);
    for (let span = Math.max(from, this.#head - this.#buckets + 1); span <= to; span += 1) {
      let at = this.#at(span);
      for (const name of this.#names) {
        into[name] += this.#values[at] ?? 0;
        at += 1;
      }
    }
    return Math.max(current - from, 1) * this.#bucketMs;
  }

  #at(span: number): number {
    return (span % this.#buckets) * this.#names.length;
  }

  #advance(span: number): void {
    if (span - this.#head >= this.#buckets) {
      this.#values.fill(0);
    } else {
      for (let next = this.#head + 1; next <= span; next += 1) {
        const at = this.#at(next);
        this.#values.fill(0, at, at + this.#names.length);
      }
    }
    this.#head = span;
  }
}
