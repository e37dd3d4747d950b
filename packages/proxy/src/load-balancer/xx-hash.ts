import { type Hash64, multiplyHigh, read32 } from './hash64.ts';

/** The five primes of XXH64. */
const P1H = 0x9e3779b1;
const P1L = 0x85ebca87;
const P2H = 0xc2b2ae3d;
const P2L = 0x27d4eb4f;
const P3H = 0x165667b1;
const P3L = 0x9e3779f9;
const P4H = 0x85ebca77;
const P4L = 0xc2b2ae63;
const P5H = 0x27d4eb2f;
const P5L = 0x165667c5;

/** The accumulator that the steps below work on; JavaScript is single-threaded and nothing here waits. */
let high = 0;
let low = 0;

function add(hi: number, lo: number): void {
  const sum = low + lo;
  high = (high + hi + (sum > 0xffffffff ? 1 : 0)) >>> 0;
  low = sum >>> 0;
}

function multiply(hi: number, lo: number): void {
  high = (multiplyHigh(low, lo) + Math.imul(high, lo) + Math.imul(low, hi)) >>> 0;
  low = Math.imul(low, lo) >>> 0;
}

/** Rotates left by 1 to 31 bits. */
function rotate(bits: number): void {
  const hi = high;
  high = ((hi << bits) | (low >>> (32 - bits))) >>> 0;
  low = ((low << bits) | (hi >>> (32 - bits))) >>> 0;
}

/** One lane takes eight bytes of input. */
function round(hi: number, lo: number, inputHi: number, inputLo: number): void {
  high = inputHi;
  low = inputLo;
  multiply(P2H, P2L);
  add(hi, lo);
  rotate(31);
  multiply(P1H, P1L);
}

/**
 * XXH64 of a binary text (each character is one byte), the hash of Envoy's `HashUtil::xxHash64`.
 * @param seed lower half of the seed.
 */
export function xxHash64(text: string, out: Hash64, seed = 0, seedHigh = 0): void {
  const { length } = text;
  let at = 0;
  if (length >= 32) {
    at = hashStripes(text, seed, seedHigh);
  } else {
    high = seedHigh;
    low = seed;
    add(P5H, P5L);
  }
  add(0, length);
  for (; at + 8 <= length; at += 8) {
    const hi = high;
    const lo = low;
    round(0, 0, read32(text, at + 4), read32(text, at));
    high = (high ^ hi) >>> 0;
    low = (low ^ lo) >>> 0;
    rotate(27);
    multiply(P1H, P1L);
    add(P4H, P4L);
  }
  if (at + 4 <= length) {
    xorProduct(read32(text, at), P1H, P1L);
    rotate(23);
    multiply(P2H, P2L);
    add(P3H, P3L);
    at += 4;
  }
  for (; at < length; at += 1) {
    xorProduct(text.charCodeAt(at) & 0xff, P5H, P5L);
    rotate(11);
    multiply(P1H, P1L);
  }
  low = (low ^ (high >>> 1)) >>> 0;
  multiply(P2H, P2L);
  low = (low ^ ((high << 3) | (low >>> 29))) >>> 0;
  high = (high ^ (high >>> 29)) >>> 0;
  multiply(P3H, P3L);
  out.hi = high;
  out.lo = (low ^ high) >>> 0;
}

/** XORs `value` times a prime into the accumulator. */
function xorProduct(value: number, primeHi: number, primeLo: number): void {
  high = (high ^ (multiplyHigh(value, primeLo) + Math.imul(value, primeHi))) >>> 0;
  low = (low ^ Math.imul(value, primeLo)) >>> 0;
}

const lanes = new Uint32Array(8);
/** What each lane adds to the seed: P1 + P2, P2, nothing, -P1. */
const laneStarts = [0x60ea27ee, 0xadc0b5d6, P2H, P2L, 0, 0, 0x61c8864e, 0x7a143579] as const;
/** How far each lane is turned before the lanes are summed up. */
const laneTurns = [1, 7, 12, 18] as const;

/** Four lanes over all whole stripes of 32 bytes. @returns where the rest begins. */
function hashStripes(text: string, seed: number, seedHigh: number): number {
  for (let lane = 0; lane < 8; lane += 2) {
    high = seedHigh;
    low = seed;
    add(laneStarts[lane] as number, laneStarts[lane + 1] as number);
    lanes[lane] = high;
    lanes[lane + 1] = low;
  }
  let at = 0;
  for (; at + 32 <= text.length; at += 32) {
    for (let lane = 0; lane < 4; lane += 1) {
      const from = at + 8 * lane;
      round(lanes[2 * lane] as number, lanes[2 * lane + 1] as number, read32(text, from + 4), read32(text, from));
      lanes[2 * lane] = high;
      lanes[2 * lane + 1] = low;
    }
  }
  let totalHi = 0;
  let totalLo = 0;
  for (let lane = 0; lane < 4; lane += 1) {
    high = lanes[2 * lane] as number;
    low = lanes[2 * lane + 1] as number;
    rotate(laneTurns[lane] as number);
    add(totalHi, totalLo);
    totalHi = high;
    totalLo = low;
  }
  for (let lane = 0; lane < 4; lane += 1) {
    const hi = high;
    const lo = low;
    round(0, 0, lanes[2 * lane] as number, lanes[2 * lane + 1] as number);
    high = (high ^ hi) >>> 0;
    low = (low ^ lo) >>> 0;
    multiply(P1H, P1L);
    add(P4H, P4L);
  }
  return at;
}
