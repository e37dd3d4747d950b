/** Requests that ended, over some time. */
export interface Counts {
  /** Requests begun (for TCP, connections). */
  readonly issued: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** Counters in a ring of equal spans of time; what is older than the ring is gone. */
export class Series {
  readonly #bucketMs: number;
  readonly #buckets: number;
  readonly #values: Uint32Array;
  /** Number of the newest span (time / bucketMs) that the ring holds. */
  #head: number;
  readonly #first: number;
  readonly #total = { issued: 0, succeeded: 0, failed: 0 };

  constructor(options: { readonly bucketMs: number; readonly buckets: number; readonly now: number }) {
    this.#bucketMs = options.bucketMs;
    this.#buckets = options.buckets;
    this.#values = new Uint32Array(options.buckets * 3);
    this.#head = Math.floor(options.now / options.bucketMs);
    this.#first = this.#head;
  }

  /** Number of the span in which something was last added. */
  get lastSpan(): number {
    return this.#head;
  }

  /** Everything since the series began. */
  get total(): Counts {
    return this.#total;
  }

  add(now: number, counts: Counts): void {
    const span = Math.max(Math.floor(now / this.#bucketMs), this.#head);
    this.#advance(span);
    const at = (span % this.#buckets) * 3;
    this.#bump(at, counts.issued);
    this.#bump(at + 1, counts.succeeded);
    this.#bump(at + 2, counts.failed);
    this.#total.issued += counts.issued;
    this.#total.succeeded += counts.succeeded;
    this.#total.failed += counts.failed;
  }

  /**
   * Sums of the whole spans that end before the current one begins, as many as fit into `windowMs`.
   * @returns with the time that they cover: shorter than asked when the series is younger.
   */
  sum(now: number, windowMs: number): Counts & { readonly coveredMs: number } {
    const current = Math.floor(now / this.#bucketMs);
    const wanted = Math.min(Math.max(Math.ceil(windowMs / this.#bucketMs), 1), this.#buckets - 1);
    // The span that the series began in counts too: a reporter's first report covers the time before it.
    const from = Math.max(current - wanted, this.#first);
    const to = Math.min(current - 1, this.#head);
    const sum = { issued: 0, succeeded: 0, failed: 0 };
    for (let span = Math.max(from, this.#head - this.#buckets + 1); span <= to; span += 1) {
      const at = (span % this.#buckets) * 3;
      sum.issued += this.#values[at] ?? 0;
      sum.succeeded += this.#values[at + 1] ?? 0;
      sum.failed += this.#values[at + 2] ?? 0;
    }
    return { ...sum, coveredMs: Math.max(current - from, 1) * this.#bucketMs };
  }

  #advance(span: number): void {
    if (span - this.#head >= this.#buckets) {
      this.#values.fill(0);
    } else {
      for (let next = this.#head + 1; next <= span; next += 1) {
        const at = (next % this.#buckets) * 3;
        this.#values.fill(0, at, at + 3);
      }
    }
    this.#head = span;
  }

  #bump(at: number, by: number): void {
    this.#values[at] = Math.min((this.#values[at] ?? 0) + by, 0xffffffff);
  }
}
