import type { Clock } from '@weft/base';

const slotCount = 10;

/** How many requests the last interval had. Counted in tenths, as Envoy does it: a request counts for nine to ten of them. */
export class RequestWindow {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #slotMs: number;
  readonly #slots = new Uint32Array(slotCount);
  #slot = 0;
  /** When the present slot began. */
  #beganMs: number;
  #count = 0;

  constructor(intervalMs: number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#slotMs = Math.max(1, Math.floor(intervalMs / slotCount));
    this.#beganMs = clock.monotonicMs();
  }

  get count(): number {
    this.#advance();
    return this.#count;
  }

  add(): void {
    this.#advance();
    this.#slots[this.#slot] = (this.#slots[this.#slot] ?? 0) + 1;
    this.#count += 1;
  }

  #advance(): void {
    const passed = Math.floor((this.#clock.monotonicMs() - this.#beganMs) / this.#slotMs);
    this.#beganMs += passed * this.#slotMs;
    for (let step = Math.min(passed, slotCount); step > 0; step -= 1) {
      this.#slot = (this.#slot + 1) % slotCount;
      this.#count -= this.#slots[this.#slot] ?? 0;
      this.#slots[this.#slot] = 0;
    }
  }
}
