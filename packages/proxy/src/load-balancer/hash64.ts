/**
 * An unsigned 64-bit number as two halves. Hashes are written into one of these, so that hashing a request allocates
 * nothing (a `bigint` would be an object each time).
 */
export interface Hash64 {
  hi: number;
  lo: number;
}

/** The number modulo `divisor`, which is below 2^26 (tables have at most 5,000,011 slots). */
export function hashModulo(hash: Hash64, divisor: number): number {
  const high = (hash.hi >>> 0) % divisor;
  return (high * (0x1_0000_0000 % divisor) + (hash.lo >>> 0)) % divisor;
}

/** Takes another hash into `hash`, as Envoy combines the hashes of several policies: rotate by one, then XOR. */
export function combineHash(hash: Hash64, other: Hash64): void {
  const { hi, lo } = hash;
  hash.hi = (((hi << 1) | (lo >>> 31)) ^ other.hi) >>> 0;
  hash.lo = (((lo << 1) | (hi >>> 31)) ^ other.lo) >>> 0;
}

/** 16 lower-case hexadecimal digits. */
export function hashToHex({ hi, lo }: Hash64): string {
  return (hi >>> 0).toString(16).padStart(8, '0') + (lo >>> 0).toString(16).padStart(8, '0');
}

/** Text as one character for each byte of its UTF-8, which is what the hash functions read. */
export function binaryText(text: string): string {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) {
      return Buffer.from(text, 'utf8').toString('latin1');
    }
  }
  return text;
}

/** Four bytes of a binary text, little-endian. */
export function read32(text: string, at: number): number {
  return (
    (text.charCodeAt(at) |
      (text.charCodeAt(at + 1) << 8) |
      (text.charCodeAt(at + 2) << 16) |
      (text.charCodeAt(at + 3) << 24)) >>>
    0
  );
}

/** Upper half of the product of two unsigned 32-bit numbers. */
export function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = ((a0 * b0) >>> 16) + a1 * b0;
  const other = a0 * b1 + (middle & 0xffff);
  return (Math.imul(a1, b1) + (middle >>> 16) + (other >>> 16)) >>> 0;
}
