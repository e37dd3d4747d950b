import type { ConnectionRateLimit } from '../runtime-config/config.ts';

/** How many more connections a listener takes now: a bucket of tokens that is full at first and is filled evenly. */
export class ConnectionRate {
  #limit: ConnectionRateLimit | undefined = undefined;
  #tokens = 0;
  #filledMs = 0;

  /**
   * Takes a token.
   * @param limit another one than at the last call begins with a full bucket.
   * @param nowMs monotonic.
   */
  admits(limit: ConnectionRateLimit, nowMs: number): boolean {
    const before = this.#limit;
    if (before === undefined || !isSame(before, limit)) {
      this.#tokens = limit.maxTokens;
    } else {
      const filled = ((nowMs - this.#filledMs) * limit.tokensPerFill) / limit.fillIntervalMs;
      this.#tokens = Math.min(limit.maxTokens, this.#tokens + filled);
    }
    this.#limit = limit;
    this.#filledMs = nowMs;
    if (this.#tokens < 1) {
      return false;
    }
    this.#tokens -= 1;
    return true;
  }
}

function isSame(a: ConnectionRateLimit, b: ConnectionRateLimit): boolean {
  return a.maxTokens === b.maxTokens && a.tokensPerFill === b.tokensPerFill && a.fillIntervalMs === b.fillIntervalMs;
}
