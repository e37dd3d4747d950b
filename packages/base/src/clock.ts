/** Time, injected, so that tests turn it by hand. */
export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch. */
  now(): number;
  /** Monotonic time in milliseconds, for durations; its origin means nothing. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs`. The timer does not keep the process alive when `unref` is true. */
  setTimeout(callback: () => void, delayMs: number, options?: { readonly unref?: boolean }): Timer;
}

/** A pending timer. */
export interface Timer {
  /** Idempotent; after it the callback is not called. */
  cancel(): void;
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimeout(callback, delayMs, options) {
    const handle = setTimeout(callback, delayMs);
    if (options?.unref === true) {
      handle.unref();
    }
    return { cancel: () => clearTimeout(handle) };
  },
};
