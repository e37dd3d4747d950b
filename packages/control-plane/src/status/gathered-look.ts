import type { Clock, Timer } from '@weft/base';

/** Acknowledgements come in bursts: they are looked at together, after this. */
const gatherMs = 3;

/** Looks at a state some time after it has changed, once for all changes until then. */
export class GatheredLook {
  readonly #clock: Clock;
  readonly #look: () => void;
  #timer: Timer | undefined;
  #enabled = false;

  constructor(clock: Clock, look: () => void) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Begins to look; before, changes are only noted. */
  start(): void {
    this.#enabled = true;
    this.changed();
  }

  changed(): void {
    if (this.#enabled && this.#timer === undefined) {
      this.#timer = this.#clock.setTimeout(
        () => {
          this.#timer = undefined;
          this.#look();
        },
        gatherMs,
        { unref: true },
      );
    }
  }

  close(): void {
    this.#enabled = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
