/** Which bytes may stand where, as tables that the scanners index by byte. */

function table(accept: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => accept(byte));
}

const tokenPunctuation = "!#$%&'*+-.^_`|~";

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** `tchar` of RFC 9110 §5.6.2: the byte in lower case, or 0 where it is not allowed. */
export const tokenLower: Uint8Array = table((byte) => {
  if (isAlphanumeric(byte)) {
    return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
  }
  return tokenPunctuation.includes(String.fromCharCode(byte)) ? byte : 0;
});

/** Bytes of a field value, RFC 9110 §5.5: visible, blank, tab and obs-text. */
export const fieldValueByte: Uint8Array = table((byte) => (byte === 0x09 || (byte >= 0x20 && byte !== 0x7f) ? 1 : 0));

/**
 * Bytes of a request target. Wider than RFC 3986 (clients do send `|` or raw UTF-8, and it changes no framing), but a
 * fragment never belongs into a target (RFC 9112 §3.2) and servers disagree on it, so `#` is refused.
 */
export const targetByte: Uint8Array = table((byte) => (byte > 0x20 && byte !== 0x7f && byte !== 0x23 ? 1 : 0));

/** Bytes of a Host value: `uri-host [":" port]` of RFC 3986, without `,`, on which servers disagree. */
export const hostByte: Uint8Array = table((byte) =>
  isAlphanumeric(byte) || "-._~%!$&'()*+;=:[]".includes(String.fromCharCode(byte)) ? 1 : 0,
);

/** Value of a hexadecimal digit, 255 for other bytes. */
export const hexDigit: Uint8Array = table((byte) => {
  if (byte >= 0x30 && byte <= 0x39) {
    return byte - 0x30;
  }
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : 255;
});
