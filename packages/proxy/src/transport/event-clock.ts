import type { Clock, Timer } from '@weft/base';

/**
 * A clock that is read once in each event: a request asks for the time a dozen times while one chunk is worked through,
 * which takes microseconds. Outside of events it is the clock below.
 */
export class EventClock implements Clock {
  readonly #clock: Clock;
  #inEvent = false;
  #monotonicMs = Number.NaN;
  #nowMs = Number.NaN;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @internal */
  beginEvent(): void {
    this.#inEvent = true;
    this.#monotonicMs = Number.NaN;
    this.#nowMs = Number.NaN;
  }

  /** @internal */
  endEvent(): void {
    this.#inEvent = false;
  }

  now(): number {
    if (!this.#inEvent) {
      return this.#clock.now();
    }
    if (Number.isNaN(this.#nowMs)) {
      this.#nowMs = this.#clock.now();
    }
    return this.#nowMs;
  }

  monotonicMs(): number {
    if (!this.#inEvent) {
      return this.#clock.monotonicMs();
    }
    if (Number.isNaN(this.#monotonicMs)) {
      this.#monotonicMs = this.#clock.monotonicMs();
    }
    return this.#monotonicMs;
  }

  setTimeout(callback: () => void, delayMs: number, options?: { readonly unref?: boolean }): Timer {
    return this.#clock.setTimeout(callback, delayMs, options);
  }
}
