import type { Steps } from './background-work.ts';
import type { HashTable } from './hash-table.ts';
import { type Hash64, hashModulo } from './hash64.ts';
import type { NormalizedWeights } from './normalized-weights.ts';
import { xxHash64 } from './xx-hash.ts';

/** Slots that are looked at in one step. */
const PROBES_PER_STEP = 16_384;
const HASHES_PER_STEP = 512;

/**
 * The look-up table of Maglev (Eisenbud et al. 2016, §3.4), slot by slot as Envoy fills it: endpoints take turns, in
 * the order of their keys, each along its own permutation of the slots; one of lesser weight sits turns out.
 * @param keyOf a binary text, the address as a rule.
 * @param size prime.
 */
export function* buildMaglevTable<T>(
  { hosts, shares, largest }: NormalizedWeights<T>,
  keyOf: (host: T) => string,
  size: number,
): Steps<HashTable<T>> {
  if (hosts.length === 0) {
    return { hosts, shares, choose: () => -1 };
  }
  const keys = hosts.map(keyOf);
  const order = yield* sortKeys(keys);
  // Half the memory for nearly every cluster: a table has 65,537 slots and is there for each priority.
  const free = hosts.length < 0xffff ? 0xffff : 0xffffffff;
  const slots = (free === 0xffff ? new Uint16Array(size) : new Uint32Array(size)).fill(free);
  const position = new Uint32Array(hosts.length);
  const skip = new Uint32Array(hosts.length);
  const target = new Float64Array(hosts.length);
  const hash: Hash64 = { hi: 0, lo: 0 };
  for (let index = 0; index < hosts.length; index += 1) {
    const key = keys[index] as string;
    xxHash64(key, hash);
    position[index] = hashModulo(hash, size);
    xxHash64(key, hash, 1);
    skip[index] = hashModulo(hash, size - 1) + 1;
    if (index % HASHES_PER_STEP === HASHES_PER_STEP - 1) {
      yield;
    }
  }
  let filled = 0;
  let probes = 0;
  for (let turn = 1; filled < size; turn += 1) {
    for (let place = 0; place < order.length && filled < size; place += 1) {
      const index = order[place] as number;
      probes += 1;
      if (turn * (shares[index] as number) >= (target[index] as number)) {
        target[index] = (target[index] as number) + largest;
        const step = skip[index] as number;
        let slot = position[index] as number;
        while (slots[slot] !== free) {
          slot += step;
          slot -= slot >= size ? size : 0;
          probes += 1;
        }
        slots[slot] = index;
        slot += step;
        position[index] = slot >= size ? slot - size : slot;
        filled += 1;
      }
      if (probes >= PROBES_PER_STEP) {
        probes = 0;
        yield;
      }
    }
  }
  return new MaglevTable(hosts, shares, slots);
}

/** Keys that are sorted at once. */
const RUN = 512;
const MERGES_PER_STEP = 2048;

/** Merge sort. @returns the places of the keys, by their bytes. */
function* sortKeys(keys: readonly string[]): Steps<Uint32Array> {
  const { length } = keys;
  let order: Uint32Array = Uint32Array.from(keys.keys());
  let other: Uint32Array = new Uint32Array(length);
  for (let from = 0; from < length; from += RUN) {
    order.subarray(from, from + RUN).sort((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1));
    yield;
  }
  for (let width = RUN; width < length; width *= 2) {
    for (let from = 0; from < length; from += 2 * width) {
      const middle = Math.min(from + width, length);
      const end = Math.min(from + 2 * width, length);
      let left = from;
      let right = middle;
      for (let to = from; to < end; to += 1) {
        const takesLeft =
          left < middle &&
          (right >= end || (keys[order[left] as number] as string) <= (keys[order[right] as number] as string));
        other[to] = order[takesLeft ? left++ : right++] as number;
        if (to % MERGES_PER_STEP === MERGES_PER_STEP - 1) {
          yield;
        }
      }
    }
    [order, other] = [other, order];
  }
  return order;
}

class MaglevTable<T> implements HashTable<T> {
  readonly hosts: readonly T[];
  readonly shares: Float64Array;
  readonly #slots: Uint16Array | Uint32Array;
  readonly #other: Hash64 = { hi: 0, lo: 0 };

  constructor(hosts: readonly T[], shares: Float64Array, slots: Uint16Array | Uint32Array) {
    this.hosts = hosts;
    this.shares = shares;
    this.#slots = slots;
  }

  choose(hash: Hash64, attempt: number): number {
    if (attempt === 0) {
      return this.#slots[hashModulo(hash, this.#slots.length)] as number;
    }
    // Neighbouring slots are no better than any others here: nearly all bits are turned over, as Envoy does.
    const other = this.#other;
    other.hi = ~hash.hi >>> 0;
    other.lo = (hash.lo ^ ~(attempt - 1)) >>> 0;
    return this.#slots[hashModulo(other, this.#slots.length)] as number;
  }
}
