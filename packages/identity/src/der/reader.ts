/** Reads DER (X.690), as far as it takes to find one part of a message. */

/** Where the content of an element is. */
export interface DerContent {
  readonly start: number;
  readonly end: number;
}

/** The content of the element at `at`; undefined when it does not end by `limit` or its length is not in the definite form. */
export function derContent(bytes: Uint8Array, at: number, limit: number): DerContent | undefined {
  const first = bytes[at + 1];
  if (first === undefined || at + 2 > limit) {
    return undefined;
  }
  if (first < 0x80) {
    const end = at + 2 + first;
    return end <= limit ? { start: at + 2, end } : undefined;
  }
  const size = first & 0x7f;
  const start = at + 2 + size;
  if (size === 0 || size > 3 || start > limit) {
    return undefined;
  }
  let length = 0;
  for (let index = at + 2; index < start; index += 1) {
    length = length * 256 + (bytes[index] ?? 0);
  }
  return start + length <= limit ? { start, end: start + length } : undefined;
}
