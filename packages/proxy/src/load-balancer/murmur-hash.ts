import { type Hash64, multiplyHigh, read32 } from './hash64.ts';

const MH = 0xc6a4a793;
const ML = 0x5bd1e995;
/** Seed of libstdc++'s `std::hash`, which Envoy takes (`MurmurHash::STD_HASH_SEED`). */
const STD_HASH_SEED = 0xc70f6907;

let high = 0;
let low = 0;

function multiply(): void {
  high = (multiplyHigh(low, ML) + Math.imul(high, ML) + Math.imul(low, MH)) >>> 0;
  low = Math.imul(low, ML) >>> 0;
}

/** XORs the upper 17 bits into the lower ones. */
function shiftMix(): void {
  low = (low ^ (high >>> 15)) >>> 0;
}

/** MurmurHash2 in its 64-bit form (64A) of a binary text, as `MURMUR_HASH_2` of Envoy's ring hash. */
export function murmurHash2(text: string, out: Hash64): void {
  const { length } = text;
  high = 0;
  low = length;
  multiply();
  let hi = high;
  let lo = (low ^ STD_HASH_SEED) >>> 0;
  let at = 0;
  for (; at + 8 <= length; at += 8) {
    low = read32(text, at);
    high = read32(text, at + 4);
    multiply();
    shiftMix();
    multiply();
    high = (high ^ hi) >>> 0;
    low = (low ^ lo) >>> 0;
    multiply();
    hi = high;
    lo = low;
  }
  if (at < length) {
    high = 0;
    low = 0;
    for (let index = length - 1; index >= at; index -= 1) {
      high = ((high << 8) | (low >>> 24)) >>> 0;
      low = ((low << 8) | (text.charCodeAt(index) & 0xff)) >>> 0;
    }
    high = (high ^ hi) >>> 0;
    low = (low ^ lo) >>> 0;
    multiply();
    hi = high;
    lo = low;
  }
  high = hi;
  low = lo;
  shiftMix();
  multiply();
  shiftMix();
  out.hi = high;
  out.lo = low;
}
