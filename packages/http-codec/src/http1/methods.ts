import type { RawBuffer } from '../output-buffer.ts';

/** Usual methods by length, so that no string is made for them. */
const usual: readonly (readonly string[])[] = [
  [],
  [],
  [],
  ['GET', 'PUT'],
  ['POST', 'HEAD'],
  ['PATCH', 'TRACE'],
  ['DELETE'],
  ['OPTIONS', 'CONNECT'],
];

/** The method in `bytes[start, end)`. */
export function methodOf(bytes: RawBuffer, start: number, end: number): string {
  const candidates = usual[end - start];
  if (candidates !== undefined) {
    for (const candidate of candidates) {
      let at = 0;
      while (at < candidate.length && candidate.charCodeAt(at) === bytes[start + at]) {
        at += 1;
      }
      if (at === candidate.length) {
        return candidate;
      }
    }
  }
  return bytes.latin1Slice(start, end);
}
