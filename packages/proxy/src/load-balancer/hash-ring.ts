import type { Steps } from './background-work.ts';
import type { HashTable } from './hash-table.ts';
import type { Hash64 } from './hash64.ts';
import { murmurHash2 } from './murmur-hash.ts';
import type { NormalizedWeights } from './normalized-weights.ts';
import { xxHash64 } from './xx-hash.ts';

export interface RingOptions {
  readonly hashFunction: 'xx-hash' | 'murmur-hash-2';
  readonly minimumSize: number;
  readonly maximumSize: number;
}

/** Entries that are hashed in one step: about half a millisecond. */
const HASHES_PER_STEP = 1024;
/** Entries that one step of sorting moves. */
const MOVES_PER_STEP = 32_768;
const DIGIT_BITS = 11;

/** Entries of the ring that {@link buildHashRing} makes. */
export function ringSize(weights: NormalizedWeights<unknown>, options: RingOptions): number {
  return weights.hosts.length === 0 ? 0 : Math.ceil(ringScale(weights, options));
}

/** The endpoint of least weight gets a whole number of entries, unless the largest size forbids it. */
function ringScale({ smallest }: NormalizedWeights<unknown>, { minimumSize, maximumSize }: RingOptions): number {
  return Math.min(Math.ceil(smallest * minimumSize) / smallest, maximumSize);
}

/**
 * Ketama, entry by entry as Envoy's ring hash: each endpoint stands on the ring as often as its share demands, at the
 * hashes of `key_0`, `key_1`, … A key belongs to the first entry at or after its hash.
 * @param keyOf a binary text (`binaryText`), the address as a rule.
 */
export function* buildHashRing<T>(
  weights: NormalizedWeights<T>,
  keyOf: (host: T) => string,
  options: RingOptions,
): Steps<HashTable<T>> {
  const { hosts, shares } = weights;
  const size = ringSize(weights, options);
  if (size === 0) {
    return { hosts, shares, choose: () => -1 };
  }
  const scale = ringScale(weights, options);
  const hash = options.hashFunction === 'murmur-hash-2' ? murmurHash2 : xxHash64;
  const out: Hash64 = { hi: 0, lo: 0 };
  const high = new Uint32Array(size);
  const low = new Uint32Array(size);
  const owner = new Uint32Array(size);
  let count = 0;
  // Shares are no whole numbers of entries: the sum says when the next endpoint's turn is.
  let target = 0;
  for (let index = 0; index < hosts.length; index += 1) {
    const prefix = `${keyOf(hosts[index] as T)}_`;
    target += scale * (shares[index] as number);
    for (let entry = 0; count < target && count < size; entry += 1) {
      hash(prefix + entry, out);
      high[count] = out.hi;
      low[count] = out.lo;
      owner[count] = index;
      count += 1;
      if (count % HASHES_PER_STEP === 0) {
        yield;
      }
    }
  }
  const order = yield* sortByHash(high, low, count);
  const ring = new Ring(hosts, shares, count);
  for (let index = 0; index < count; index += 1) {
    const from = order[index] as number;
    ring.high[index] = high[from] as number;
    ring.low[index] = low[from] as number;
    ring.owner[index] = owner[from] as number;
    if (index % MOVES_PER_STEP === MOVES_PER_STEP - 1) {
      yield;
    }
  }
  return ring;
}

/** Radix sort by the upper half, then the few entries that share it by the lower one. @returns positions in order. */
function* sortByHash(high: Uint32Array, low: Uint32Array, count: number): Steps<Uint32Array> {
  let order: Uint32Array = new Uint32Array(count);
  let other: Uint32Array = new Uint32Array(count);
  for (let index = 0; index < count; index += 1) {
    order[index] = index;
    if (index % MOVES_PER_STEP === MOVES_PER_STEP - 1) {
      yield;
    }
  }
  const starts = new Uint32Array(1 << DIGIT_BITS);
  const mask = starts.length - 1;
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    starts.fill(0);
    for (let index = 0; index < count; index += 1) {
      const digit = ((high[index] as number) >>> shift) & mask;
      starts[digit] = (starts[digit] as number) + 1;
      if (index % MOVES_PER_STEP === MOVES_PER_STEP - 1) {
        yield;
      }
    }
    let sum = 0;
    for (let digit = 0; digit < starts.length; digit += 1) {
      const of = starts[digit] as number;
      starts[digit] = sum;
      sum += of;
    }
    for (let index = 0; index < count; index += 1) {
      const entry = order[index] as number;
      const digit = ((high[entry] as number) >>> shift) & mask;
      const to = starts[digit] as number;
      other[to] = entry;
      starts[digit] = to + 1;
      if (index % MOVES_PER_STEP === MOVES_PER_STEP - 1) {
        yield;
      }
    }
    [order, other] = [other, order];
  }
  for (let index = 1; index < count; index += 1) {
    const entry = order[index] as number;
    let at = index;
    while (at > 0) {
      const before = order[at - 1] as number;
      if (high[before] !== high[entry] || (low[before] as number) <= (low[entry] as number)) {
        break;
      }
      order[at] = before;
      at -= 1;
    }
    order[at] = entry;
    if (index % MOVES_PER_STEP === MOVES_PER_STEP - 1) {
      yield;
    }
  }
  return order;
}

class Ring<T> implements HashTable<T> {
  readonly hosts: readonly T[];
  readonly shares: Float64Array;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly owner: Uint32Array;

  constructor(hosts: readonly T[], shares: Float64Array, size: number) {
    this.hosts = hosts;
    this.shares = shares;
    this.high = new Uint32Array(size);
    this.low = new Uint32Array(size);
    this.owner = new Uint32Array(size);
  }

  choose({ hi, lo }: Hash64, attempt: number): number {
    const { high, low } = this;
    const size = high.length;
    let first = 0;
    let end = size;
    while (first < end) {
      const middle = (first + end) >>> 1;
      const value = high[middle] as number;
      if (value < hi || (value === hi && (low[middle] as number) < lo)) {
        first = middle + 1;
      } else {
        end = middle;
      }
    }
    const position = first === size ? 0 : first;
    return this.owner[attempt === 0 ? position : (position + attempt) % size] as number;
  }
}
