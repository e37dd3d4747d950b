import { randomInt } from 'node:crypto';

/** Addresses of loopback that nothing else on this machine uses, most likely: each is given out once. */
export class Addresses {
  readonly #net = `127.${randomInt(1, 255)}.${randomInt(0, 255)}`;
  #last = 0;

  next(): string {
    this.#last += 1;
    if (this.#last > 254) {
      throw new Error('a run needs more addresses than one net has');
    }
    return `${this.#net}.${this.#last}`;
  }
}
