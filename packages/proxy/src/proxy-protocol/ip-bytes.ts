import { isIPv4, isIPv6 } from 'node:net';

/** Addresses between text and the bytes of the wire; IPv6 text is that of RFC 5952, so that one address has one spelling. */

/** @returns 4 or 16 bytes; undefined when `text` is no address, or has a zone. */
export function ipBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) {
    return Buffer.from(text.split('.').map(Number));
  }
  return isIPv6(text) && !text.includes('%') ? ipv6Bytes(text) : undefined;
}

function ipv6Bytes(text: string): Buffer {
  const bytes = Buffer.alloc(16);
  const [head = '', tail] = text.split('::');
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  for (const [index, group] of left.entries()) {
    bytes.writeUInt16BE(group, 2 * index);
  }
  for (const [index, group] of right.entries()) {
    bytes.writeUInt16BE(group, 16 - 2 * (right.length - index));
  }
  return bytes;
}

/** The 16-bit groups of one side of `::`; a dotted end counts as two. */
function groups(side: string): number[] {
  return side === ''
    ? []
    : side.split(':').flatMap((part) => {
        if (!part.includes('.')) {
          return [Number.parseInt(part, 16)];
        }
        const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
        return [a * 256 + b, c * 256 + d];
      });
}

/** Dotted text of four bytes. */
export function ipv4Text(bytes: Buffer, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** Text of 16 bytes: the first of the longest runs of zero groups is `::`; addresses that hold an IPv4 address are written as that. */
export function ipv6Text(bytes: Buffer, at: number): string {
  const words = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(at + 2 * index));
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) {
    return ipv4Text(bytes, at + 12);
  }
  let start = -1;
  let length = 1;
  for (let index = 0; index < 8; index += 1) {
    let end = index;
    while (end < 8 && words[end] === 0) {
      end += 1;
    }
    if (end - index > length) {
      start = index;
      length = end - index;
    }
    index = Math.max(index, end - 1);
  }
  const hex = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  return start < 0 ? hex(words) : `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}
