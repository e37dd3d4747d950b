/** Writes DER (X.690), as far as a PKCS#10 request needs it. */

/** One element: identifier octet, length, content. */
function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(content.length), content]);
}

/** X.690 §8.1.3: short form below 128, else the fewest octets that hold the length. */
function lengthOctets(length: number): Buffer {
  if (length < 0x80) {
    return Buffer.from([length]);
  }
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) {
    octets.unshift(rest % 256);
  }
  return Buffer.from([0x80 | octets.length, ...octets]);
}

export const sequence = (...contents: readonly Uint8Array[]): Buffer => element(0x30, ...contents);
export const set = (...contents: readonly Uint8Array[]): Buffer => element(0x31, ...contents);
export const octetString = (content: Uint8Array): Buffer => element(0x04, content);
/** A bit string of whole octets. */
export const bitString = (content: Uint8Array): Buffer => element(0x03, Buffer.from([0]), content);
export const booleanTrue = (): Buffer => element(0x01, Buffer.from([0xff]));
/** A non-negative integer below 128. */
export const smallInteger = (value: number): Buffer => element(0x02, Buffer.from([value]));
/** Context-specific, constructed. */
export const contextConstructed = (number: number, ...contents: readonly Uint8Array[]): Buffer =>
  element(0xa0 | number, ...contents);
/** Context-specific, primitive (an implicitly tagged string). */
export const contextPrimitive = (number: number, content: Uint8Array): Buffer => element(0x80 | number, content);

/** An object identifier in dotted notation. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const base128: number[] = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      base128.unshift(0x80 | (left % 128));
    }
    octets.push(...base128);
  }
  return element(0x06, Buffer.from(octets));
}
