/** `weft.dev` peak-EWMA policy. */
export interface PeakEwmaOptions {
  /** Time in which an estimate loses 63 % of its weight. Default 10 s. */
  readonly decayMs: number;
  /** What an endpoint is taken to need before it has answered. Default 30 ms. */
  readonly defaultLatencyMs: number;
}

/**
 * An estimate of an endpoint's latency: a slower answer counts at once (the peak), faster ones win back trust by an
 * exponentially weighted moving average. Without answers it decays, so that an endpoint that was slow is tried again.
 */
export class LatencyEstimate {
  readonly #decayMs: number;
  #estimateMs: number;
  #atMs: number;

  constructor({ decayMs, defaultLatencyMs }: PeakEwmaOptions, nowMs: number) {
    this.#decayMs = decayMs;
    this.#estimateMs = defaultLatencyMs;
    this.#atMs = nowMs;
  }

  /**
   * An answer, or a try that failed, after `latencyMs`.
   * @param failed its speed is no merit: it can only raise the estimate.
   */
  observe(latencyMs: number, nowMs: number, failed = false): void {
    const kept = this.#kept(nowMs);
    const current = this.#estimateMs * kept;
    if (latencyMs >= current) {
      this.#estimateMs = latencyMs;
    } else if (failed) {
      return;
    } else {
      this.#estimateMs = current + latencyMs * (1 - kept);
    }
    this.#atMs = nowMs;
  }

  at(nowMs: number): number {
    return this.#estimateMs * this.#kept(nowMs);
  }

  #kept(nowMs: number): number {
    return nowMs <= this.#atMs ? 1 : Math.exp((this.#atMs - nowMs) / this.#decayMs);
  }
}
