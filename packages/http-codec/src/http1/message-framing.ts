import type { CodecErrorDetail } from '../codec-error.ts';
import type { HeadFields } from '../head-fields.ts';
import { equalsLower, KnownHeader } from '../known-header.ts';

/** Names in a Connection field; more are refused. */
const maxConnectionTokens = 10;
/** Longer numbers are no lengths: 2^53 has 16 digits. */
const maxLengthDigits = 15;

const chunked = Buffer.from('chunked', 'latin1');
const keepAliveBytes = Buffer.from('keep-alive', 'latin1');
const closeBytes = Buffer.from('close', 'latin1');

/** The result of `parseContentLength` for a value that is not a plain number. */
const invalidLength = -2;

/** `1*DIGIT`, RFC 9110 §8.6; lists and signs are refused. */
function parseContentLength(bytes: Buffer, start: number, end: number): number {
  if (start === end || end - start > maxLengthDigits) {
    return invalidLength;
  }
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) {
      return invalidLength;
    }
    value = value * 10 + digit;
  }
  return value;
}

/**
 * Reads a Content-Length field, and writes it without leading zeros, which some take for octal.
 * @returns false when it is no length, or the second one.
 */
export function readContentLength(head: HeadFields & { contentLength: number }, index: number): boolean {
  if (head.contentLength >= 0) {
    return false;
  }
  const start = head.valueStartAt(index);
  const end = head.valueEndAt(index);
  const length = parseContentLength(head.bytes, start, end);
  if (length < 0) {
    return false;
  }
  head.contentLength = length;
  if (end - start > 1 && head.bytes[start] === 0x30) {
    head.replaceAt(index, String(length));
  }
  return true;
}

/** Whether the value of line `index` is exactly `chunked`. */
function isChunkedValue(fields: HeadFields, index: number): boolean {
  const end = fields.valueEndAt(index);
  return equalsLower(fields.bytes, fields.valueStartAt(index), end, chunked) && !hasTabBehind(fields.bytes, end);
}

/** A tab may stand behind a value (RFC 9110 §5.6.3), but there are servers that read `chunked<TAB>` as another coding: a way to smuggle. */
function hasTabBehind(bytes: Buffer, end: number): boolean {
  let at = end;
  while (bytes[at] === 0x20) {
    at += 1;
  }
  return bytes[at] === 0x09;
}

/** What the Connection fields of a message say. */
export interface ConnectionOptions {
  close: boolean;
  keepAlive: boolean;
  upgrade: boolean;
}

/**
 * Reads a Connection field and removes the fields that it nominates (RFC 9110 §7.6.1). Nominating a field that frames,
 * routes or authenticates is an attempt to make us strip it: refused.
 * @returns whether the field is acceptable.
 */
function readConnectionField(fields: HeadFields, index: number, options: ConnectionOptions): boolean {
  const start = fields.valueStartAt(index);
  const end = fields.valueEndAt(index);
  if (equalsLower(fields.bytes, start, end, keepAliveBytes)) {
    options.keepAlive = true;
    return true;
  }
  if (equalsLower(fields.bytes, start, end, closeBytes)) {
    options.close = true;
    return true;
  }
  const tokens = fields.valueAt(index).toLowerCase().split(',');
  if (tokens.length > maxConnectionTokens) {
    return false;
  }
  for (const raw of tokens) {
    const token = raw.trim();
    if (token === 'close') {
      options.close = true;
    } else if (token === 'keep-alive') {
      options.keepAlive = true;
    } else if (token === 'upgrade') {
      options.upgrade = true;
    } else if (token !== '' && token !== 'te' && token !== 'http2-settings') {
      if (!nominable(token)) {
        return false;
      }
      fields.remove(token);
    }
  }
  return true;
}

const protectedNames = new Set([
  'host',
  'transfer-encoding',
  'trailer',
  'expect',
  'authorization',
  'cookie',
  'forwarded',
  'via',
  'date',
  'max-forwards',
  'origin',
  'range',
]);

function nominable(token: string): boolean {
  return (
    /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(token) &&
    !protectedNames.has(token) &&
    !token.startsWith('content-') &&
    !token.startsWith('x-forwarded-') &&
    !token.startsWith('x-envoy-') &&
    !token.startsWith('x-b3-') &&
    !token.startsWith('traceparent')
  );
}

/** A head whose framing is being decided. */
interface FramedHead extends HeadFields {
  readonly minorVersion: number;
  /** -1: none. */
  contentLength: number;
  chunked: boolean;
}

/**
 * Reads a field that says how a message is framed or whether its connection stays, the same for requests and responses
 * (RFC 9112 §6): each of Content-Length and Transfer-Encoding at most once, Transfer-Encoding exactly `chunked` and in HTTP/1.1.
 * @param id of line `index`; fields other than the three are left alone.
 * @returns why the message is refused, or undefined.
 */
export function readFramingField(
  head: FramedHead,
  id: number,
  index: number,
  options: ConnectionOptions,
): CodecErrorDetail | undefined {
  switch (id) {
    case KnownHeader.contentLength:
      return readContentLength(head, index) ? undefined : 'http1.invalid_content_length';
    case KnownHeader.transferEncoding:
      if (head.chunked || head.minorVersion === 0) {
        return 'http1.transfer_encoding_not_allowed';
      }
      if (!isChunkedValue(head, index)) {
        return 'http1.invalid_transfer_encoding';
      }
      head.chunked = true;
      return undefined;
    case KnownHeader.connection:
      return readConnectionField(head, index, options) ? undefined : 'http1.connection_header_rejected';
    default:
      return undefined;
  }
}
