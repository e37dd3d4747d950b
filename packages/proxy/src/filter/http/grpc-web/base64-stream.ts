/** Base64 (RFC 4648 §4) in pieces, as gRPC-Web text streams have it: padding may stand wherever a sender flushed, not only at the end. */

const invalid = 255;
const padding = 254;
const sextets: Uint8Array = new Uint8Array(256).fill(invalid);
for (const [index, byte] of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').entries()) {
  sextets[byte] = index;
}
sextets['='.charCodeAt(0)] = padding;

/** Decodes a stream; what is left of a group of four characters is kept from piece to piece. */
export class Base64Decoder {
  /** Sextets of the group that is not complete. */
  #bits = 0;
  #count = 0;
  #padded = 0;

  /** Whether the text may end here. */
  get complete(): boolean {
    return this.#count + this.#padded === 0;
  }

  /** Decodes `text[start, end)`. @returns the bytes, or undefined when it is no base64; then the decoder must not be used again. */
  decode(text: Buffer, start: number, end: number): Buffer | undefined {
    const out = Buffer.allocUnsafe(Math.ceil(((end - start + 3) * 3) / 4));
    let length = 0;
    let bits = this.#bits;
    let count = this.#count;
    let padded = this.#padded;
    for (let at = start; at < end; at += 1) {
      const sextet = sextets[text[at] as number] as number;
      if (sextet < 64) {
        if (padded > 0) {
          return undefined;
        }
        bits = (bits << 6) | sextet;
        count += 1;
      } else if (sextet === padding && count >= 2) {
        padded += 1;
      } else {
        return undefined;
      }
      if (count + padded === 4) {
        // Two sextets are one byte, three are two, four are three.
        bits <<= 6 * padded;
        for (let shift = 16; shift >= 8 * (4 - count); shift -= 8) {
          out[length] = bits >> shift;
          length += 1;
        }
        bits = 0;
        count = 0;
        padded = 0;
      }
    }
    this.#bits = bits;
    this.#count = count;
    this.#padded = padded;
    return out.subarray(0, length);
  }
}

/**
 * One piece of a text stream, padded for itself: a message goes out whole with the piece that completes it, and nothing waits for the
 * next one.
 */
export function encodeBase64(bytes: Buffer, start: number, end: number): Buffer {
  return Buffer.from(bytes.toString('base64', start, end), 'latin1');
}
