import type { Clock, Timer } from './clock.ts';

/** One timer that is moved instead of many that are set: rings at the earliest moment asked for. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  #atMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `atMs` (monotonic) and not before; infinity: never. Replaces what was set. */
  set(atMs: number): void {
    if (atMs === this.#atMs) {
      return;
    }
    this.cancel();
    if (atMs === Number.POSITIVE_INFINITY) {
      return;
    }
    this.#atMs = atMs;
    const delayMs = Math.max(0, Math.ceil(atMs - this.#clock.monotonicMs()));
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#atMs = Number.POSITIVE_INFINITY;
        this.#timer = undefined;
        this.#ring();
      },
      delayMs,
      { unref: true },
    );
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#atMs = Number.POSITIVE_INFINITY;
  }
}
