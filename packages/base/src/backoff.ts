/** Exponential back-off with full jitter: attempt n waits a random time in `[0, min(maxMs, baseMs × 2^n))`. */
export interface BackoffOptions {
  /** Upper bound of the first wait, milliseconds. Default 100. */
  readonly baseMs?: number;
  /** Upper bound of every wait, milliseconds. Default 10,000. */
  readonly maxMs?: number;
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/** The state of one sequence of attempts. */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #attempt = 0;

  constructor(options: BackoffOptions = {}) {
    this.#baseMs = options.baseMs ?? 100;
    this.#maxMs = options.maxMs ?? 10_000;
    this.#random = options.random ?? Math.random;
  }

  /** How many waits were given since the last success. */
  get attempt(): number {
    return this.#attempt;
  }

  /** The next wait in milliseconds. */
  nextDelayMs(): number {
    const bound = Math.min(this.#maxMs, this.#baseMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return this.#random() * bound;
  }

  /** To be called after a success. */
  reset(): void {
    this.#attempt = 0;
  }
}
