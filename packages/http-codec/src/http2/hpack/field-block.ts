import { viewOf } from '../../byte-range.ts';
import type { RawBuffer } from '../../output-buffer.ts';

const initialBytes = 4096;
/** The longest integer that is written. */
export const maxIntegerBytes = 6;
/** What is kept after a large block. */
const maxKeptBytes = 65_536;

/** A field block that is being made; one serves all connections, as it is copied into frames at once. */
export class FieldBlock {
  /** `bytes[0, length)` is the block. */
  bytes: RawBuffer = Buffer.allocUnsafeSlow(initialBytes) as RawBuffer;
  view: DataView = viewOf(this.bytes);
  length = 0;

  clear(): void {
    this.length = 0;
    if (this.bytes.length > maxKeptBytes) {
      this.bytes = Buffer.allocUnsafeSlow(initialBytes) as RawBuffer;
      this.view = viewOf(this.bytes);
    }
  }

  /** Makes room for that many more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2)) as RawBuffer;
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
      this.view = viewOf(grown);
    }
  }

  /** An integer (RFC 7541 §5.1) with `first` above a prefix of `mask`; the caller made room for `maxIntegerBytes`. */
  integer(first: number, mask: number, value: number): void {
    const bytes = this.bytes;
    if (value < mask) {
      bytes[this.length] = first | value;
      this.length += 1;
      return;
    }
    let at = this.length;
    bytes[at] = first | mask;
    at += 1;
    let rest = value - mask;
    while (rest >= 0x80) {
      bytes[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
      at += 1;
    }
    bytes[at] = rest;
    this.length = at + 1;
  }
}
