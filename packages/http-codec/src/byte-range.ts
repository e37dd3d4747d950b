/**
 * Words of four bytes through a `DataView`, which V8 compiles to plain loads and stores at any position: four times as
 * fast as bytes one by one, and cheaper than a call into Node up to some hundred bytes. The last word overlaps the one before it, so that no
 * bytes are left over.
 */

/** A view of all of a buffer. */
export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A part of some bytes, moved along instead of made anew. */
export class ByteRange {
  bytes: Buffer;
  view: DataView;
  start = 0;
  length = 0;

  constructor(bytes: Buffer, view: DataView) {
    this.bytes = bytes;
    this.view = view;
  }

  point(bytes: Buffer, view: DataView): void {
    this.bytes = bytes;
    this.view = view;
  }

  set(start: number, length: number): void {
    this.start = start;
    this.length = length;
  }
}

/** Whether `length` bytes at both places are the same. */
export function equalBytes(
  one: DataView,
  oneStart: number,
  other: DataView,
  otherStart: number,
  length: number,
): boolean {
  const between = otherStart - oneStart;
  if (length < 4) {
    for (let at = oneStart; at < oneStart + length; at += 1) {
      if (one.getUint8(at) !== other.getUint8(at + between)) {
        return false;
      }
    }
    return true;
  }
  const last = oneStart + length - 4;
  for (let at = oneStart; at < last; at += 4) {
    if (one.getInt32(at, true) !== other.getInt32(at + between, true)) {
      return false;
    }
  }
  return one.getInt32(last, true) === other.getInt32(last + between, true);
}

/** Copies bytes; also within one buffer, when they move towards its begin by four at least. */
export function copyWords(source: DataView, start: number, target: DataView, to: number, length: number): void {
  const between = to - start;
  if (length < 4) {
    for (let at = start; at < start + length; at += 1) {
      target.setUint8(at + between, source.getUint8(at));
    }
    return;
  }
  const last = start + length - 4;
  for (let at = start; at < last; at += 4) {
    target.setInt32(at + between, source.getInt32(at, true), true);
  }
  target.setInt32(last + between, source.getInt32(last, true), true);
}

/**
 * Whether no byte is a control character, tab included: then they may stand in a field value (RFC 9110 §5.5). Works on four bytes at once:
 * a byte below 0x20, or one that is 0 after 0x7f was taken off, borrows into its highest bit.
 */
export function hasNoControls(bytes: DataView, start: number, end: number): boolean {
  if (end - start < 4) {
    for (let at = start; at < end; at += 1) {
      const byte = bytes.getUint8(at);
      if (byte < 0x20 || byte === 0x7f) {
        return false;
      }
    }
    return true;
  }
  const last = end - 4;
  for (let at = start; ; at += 4) {
    const word = bytes.getInt32(Math.min(at, last), true);
    const withoutDelete = word ^ 0x7f7f7f7f;
    const found = ((word - 0x20202020) & ~word) | ((withoutDelete - 0x01010101) & ~withoutDelete);
    if ((found & 0x80808080) !== 0) {
      return false;
    }
    if (at >= last) {
      return true;
    }
  }
}
