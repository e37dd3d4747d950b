import { startsLikeHttp2 } from '@weft/http-codec';

/** Longest request line that is waited for, bytes; a longer one is opaque TCP for us. */
export const maxSniffedLineBytes: number = 8 * 1024;

/** Longest method, as in the HTTP/1 codec. */
const maxMethodBytes = 32;

/** Names as filter chain matches have them (`FilterChainMatch.application_protocols`), as Envoy's HTTP inspector gives them. */
export type SniffedProtocol = 'http/1.0' | 'http/1.1' | 'h2c';

/** What the first bytes of a client are: undecided, not HTTP, or which HTTP. */
export type HttpInspection = 'need-more' | 'other' | SniffedProtocol;

const version = Buffer.from('HTTP/1.', 'latin1');

const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Looks at what a client sent first, without consuming it: an HTTP/1 request line (RFC 9112 §3) or the preface of HTTP/2
 * (RFC 9113 §3.4). It says `other` with the first byte that cannot be HTTP, so that binary protocols never wait.
 */
export function inspectHttp(bytes: Buffer): HttpInspection {
  const http2 = startsLikeHttp2(bytes, 0, bytes.length);
  if (http2 !== 'no') {
    return http2 === 'yes' ? 'h2c' : 'need-more';
  }
  const methodEnd = endOfMethod(bytes);
  if (typeof methodEnd === 'string') {
    return methodEnd;
  }
  const limit = Math.min(bytes.length, maxSniffedLineBytes);
  let at = methodEnd + 1;
  while (at < limit && isTargetByte(bytes[at] as number)) {
    at += 1;
  }
  if (at === limit) {
    return limit === maxSniffedLineBytes ? 'other' : 'need-more';
  }
  // An empty target, or a byte that no target has: a text protocol with words, such as memcached's.
  return at === methodEnd + 1 || bytes[at] !== SPACE ? 'other' : inspectVersion(bytes, at + 1);
}

function endOfMethod(bytes: Buffer): number | 'need-more' | 'other' {
  const limit = Math.min(bytes.length, maxMethodBytes + 1);
  for (let at = 0; at < limit; at += 1) {
    const byte = bytes[at] as number;
    if (byte === SPACE) {
      return at === 0 ? 'other' : at;
    }
    if (!isMethodByte(byte)) {
      return 'other';
    }
  }
  return bytes.length > maxMethodBytes ? 'other' : 'need-more';
}

/** Letters, digits and `-`, `_`: every method that is registered, and no byte with which RESP (Redis) or TLS begin. */
function isMethodByte(byte: number): boolean {
  return (
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x5f
  );
}

function isTargetByte(byte: number): boolean {
  return byte > SPACE && byte !== 0x7f;
}

function inspectVersion(bytes: Buffer, from: number): HttpInspection {
  const compared = Math.min(bytes.length - from, version.length);
  if (bytes.compare(version, 0, compared, from, from + compared) !== 0) {
    return 'other';
  }
  const minor = bytes[from + version.length];
  const end = bytes[from + version.length + 1];
  if (minor !== undefined && minor !== 0x30 && minor !== 0x31) {
    return 'other';
  }
  if (minor === undefined || end === undefined) {
    return 'need-more';
  }
  if (end !== CR && end !== LF) {
    return 'other';
  }
  return minor === 0x30 ? 'http/1.0' : 'http/1.1';
}
