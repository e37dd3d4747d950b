/** CRC-32C (Castagnoli polynomial 0x1EDC6F41, reflected), RFC 3309 and RFC 3720 §B.4. Node's zlib has CRC-32 only. */

const table = new Uint32Array(256).map((_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) {
    value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  }
  return value;
});

/** @returns an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  }
  return ~crc >>> 0;
}
