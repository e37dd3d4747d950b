import type { HashTable } from './hash-table.ts';
import type { Hash64 } from './hash64.ts';
import { MersenneTwister } from './mersenne-twister.ts';

/** Loads that a bound is held against. */
export interface Loaded {
  /** Requests in flight. */
  readonly active: number;
}

/**
 * Consistent hashing with bounded loads (Mirrokni et al. 2016), as Envoy's `hash_balance_factor`: no endpoint gets more
 * than `balancePercent` of the average load. Who is turned away goes on in a random order that its hash decides, so
 * that the same key overflows to the same endpoints.
 */
export class BoundedLoad {
  readonly #balancePercent: number;
  /** Requests in flight in the whole cluster. */
  readonly #activeTotal: () => number;
  readonly #twister = new MersenneTwister();
  /** 0, 1, 2, …: shuffled as far as needed, and put in order again after each choice. */
  #order: Uint32Array = new Uint32Array(0);
  #swaps: Uint32Array = new Uint32Array(0);

  constructor(balancePercent: number, activeTotal: () => number) {
    this.#balancePercent = balancePercent;
    this.#activeTotal = activeTotal;
  }

  /** As {@link HashTable.choose}. */
  choose<T extends Loaded>(table: HashTable<T>, hash: Hash64, attempt: number): number {
    const first = table.choose(hash, attempt);
    if (first < 0) {
      return first;
    }
    const slots = Math.floor(((this.#activeTotal() + 1) * this.#balancePercent + 99) / 100);
    const load = overload(table, first, slots);
    return load <= 1 ? first : this.#probe(table, hash, first, load, slots);
  }

  #probe<T extends Loaded>(table: HashTable<T>, hash: Hash64, first: number, load: number, slots: number): number {
    const count = table.hosts.length;
    if (this.#order.length !== count) {
      this.#order = Uint32Array.from({ length: count }, (_, index) => index);
      this.#swaps = new Uint32Array(count);
    }
    const order = this.#order;
    const swaps = this.#swaps;
    this.#twister.seed(hash.lo);
    let best = first;
    let least = load;
    let tried = 0;
    for (; tried < count && least > 1; tried += 1) {
      const other = tried + this.#twister.below(count - tried);
      swaps[tried] = other;
      const index = order[other] as number;
      order[other] = order[tried] as number;
      order[tried] = index;
      if (index !== first) {
        const at = overload(table, index, slots);
        if (at < least) {
          best = index;
          least = at;
        }
      }
    }
    for (tried -= 1; tried >= 0; tried -= 1) {
      const other = swaps[tried] as number;
      const index = order[other] as number;
      order[other] = order[tried] as number;
      order[tried] = index;
    }
    return best;
  }
}

/** Requests in flight at an endpoint over what it may have; above 1 it is full. */
function overload<T extends Loaded>(table: HashTable<T>, index: number, slots: number): number {
  const own = Math.max(1, Math.ceil(slots * (table.shares[index] as number)));
  return (table.hosts[index] as T).active / own;
}
