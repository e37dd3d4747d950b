const SIZE = 624;
const MIDDLE = 397;

/**
 * MT19937 (Matsumoto and Nishimura 1998), as `std::mt19937`, computed as far as it is asked for: most users want only
 * the first few numbers of a seed.
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(SIZE);
  #known = 0;
  #next = 0;

  /** Begins the sequence of a 32-bit seed. */
  seed(seed: number): void {
    this.#state[0] = seed;
    this.#known = 1;
    this.#next = 0;
  }

  /** The next number, below 2^32. */
  next(): number {
    const state = this.#state;
    const index = this.#next;
    this.#extend(Math.min(SIZE, index + MIDDLE + 1));
    const following = index + 1 === SIZE ? 0 : index + 1;
    const source = index + MIDDLE < SIZE ? index + MIDDLE : index + MIDDLE - SIZE;
    const mixed = ((state[index] as number) & 0x80000000) | ((state[following] as number) & 0x7fffffff);
    let value = (state[source] as number) ^ (mixed >>> 1) ^ ((mixed & 1) === 0 ? 0 : 0x9908b0df);
    state[index] = value;
    this.#next = following;
    value ^= value >>> 11;
    value ^= (value << 7) & 0x9d2c5680;
    value ^= (value << 15) & 0xefc60000;
    value ^= value >>> 18;
    return value >>> 0;
  }

  /** Uniform below `bound`, with libstdc++-independent rounding as Envoy has it. */
  below(bound: number): number {
    const divisor = Math.floor(0x1_0000_0000 / bound);
    let value = bound;
    while (value >= bound) {
      value = Math.floor(this.next() / divisor);
    }
    return value;
  }

  #extend(until: number): void {
    const state = this.#state;
    for (let index = this.#known; index < until; index += 1) {
      const before = state[index - 1] as number;
      state[index] = Math.imul(before ^ (before >>> 30), 1_812_433_253) + index;
    }
    this.#known = Math.max(this.#known, until);
  }
}
