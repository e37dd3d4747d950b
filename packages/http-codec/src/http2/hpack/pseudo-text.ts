import type { RawBuffer } from '../../output-buffer.ts';

/** Values of pseudo fields repeat (methods, authorities, most paths): the text of one seen lately is given again. */
const slots = 256;
/** Longer texts are not remembered: together at most 32 KiB, for all connections. */
const maxRememberedLength = 128;
const remembered: string[] = new Array<string>(slots).fill('');

/** `bytes[start, end)` as text, without making a new one where one is at hand. */
export function pseudoText(bytes: RawBuffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) {
    return '';
  }
  if (length > maxRememberedLength) {
    return bytes.latin1Slice(start, end);
  }
  const slot =
    (length * 37 + (bytes[end - 1] as number) * 5 + (bytes[start + (length >> 1)] as number) * 11) & (slots - 1);
  const text = remembered[slot] as string;
  if (text.length === length) {
    let at = 0;
    while (at < length && text.charCodeAt(at) === bytes[start + at]) {
      at += 1;
    }
    if (at === length) {
      return text;
    }
  }
  const made = bytes.latin1Slice(start, end);
  remembered[slot] = made;
  return made;
}
