import type { Clock, Timer } from '@weft/base';

/** A clock that stands still until it is turned. Timers run in order of their due time, then of their making. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #sequence = 0;
  readonly #timers = new Map<number, { readonly dueMs: number; readonly callback: () => void }>();

  /** @param nowMs wall-clock time to begin with, milliseconds since the Unix epoch. */
  constructor(nowMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs;
    this.#startMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const id = this.#sequence++;
    this.#timers.set(id, { dueMs: this.#nowMs + Math.max(0, delayMs), callback });
    return { cancel: () => void this.#timers.delete(id) };
  }

  /** Moves time forward by `ms` and runs what falls due on the way, including timers made meanwhile. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      let next: { readonly id: number; readonly dueMs: number; readonly callback: () => void } | undefined;
      for (const [id, timer] of this.#timers) {
        if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) {
          next = { id, ...timer };
        }
      }
      if (next === undefined) {
        break;
      }
      this.#timers.delete(next.id);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}
