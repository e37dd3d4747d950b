import { hostByte } from '../byte-class.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import type { HeadFields } from '../head-fields.ts';
import { equalsLower, KnownHeader } from '../known-header.ts';
import type { RawBuffer } from '../output-buffer.ts';
import type { RequestHead } from '../request-head.ts';

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
export function parseContentLength(bytes: Buffer, start: number, end: number): number {
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

/** Whether the value of line `index` is exactly `chunked`. */
export function isChunkedValue(fields: HeadFields, index: number): boolean {
  return equalsLower(fields.bytes, fields.valueStartAt(index), fields.valueEndAt(index), chunked);
}

/** What a Connection field says. `undefined` = refused. */
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
export function readConnectionField(fields: HeadFields, index: number, options: ConnectionOptions): boolean {
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

/** A valid, non-empty `uri-host [":" port]`. */
function isValidHost(bytes: Buffer, start: number, end: number): boolean {
  if (start === end) {
    return false;
  }
  let colons = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (hostByte[byte] !== 1) {
      return false;
    }
    if (byte === 0x3a) {
      colons += 1;
    }
  }
  if (bytes[start] === 0x5b) {
    return /^\[[0-9a-fA-F:.]+\](:\d{1,5})?$/.test(bytes.toString('latin1', start, end));
  }
  if (colons === 0) {
    return true;
  }
  return colons === 1 && bytes[start] !== 0x3a && /:\d{0,5}$/.test(bytes.toString('latin1', start, end));
}

/** The text of the message before, given again while the bytes stay the same: clients keep to one authority. */
export class TextMemo {
  #text = '';

  textOf(bytes: RawBuffer, start: number, end: number): string {
    const text = this.#text;
    const length = end - start;
    if (text.length === length) {
      let at = 0;
      while (at < length && text.charCodeAt(at) === bytes[start + at]) {
        at += 1;
      }
      if (at === length) {
        return text;
      }
    }
    this.#text = bytes.latin1Slice(start, end);
    return this.#text;
  }
}

export interface RequestRules {
  readonly acceptHttp10: boolean;
  readonly allowAbsoluteUrl: boolean;
}

const options: ConnectionOptions = { close: false, keepAlive: false, upgrade: false };

/**
 * Decides how a request is framed and what its target means, once its bytes are known to be well-formed.
 * @returns why the request is refused, or undefined.
 */
export function interpretRequest(
  head: RequestHead,
  rules: RequestRules,
  authorities: TextMemo,
): CodecErrorDetail | undefined {
  if (head.minorVersion === 0 && !rules.acceptHttp10) {
    return 'low_version';
  }
  options.close = false;
  options.keepAlive = false;
  options.upgrade = false;
  let hostIndex = -1;
  let upgradeIndex = -1;
  for (let index = 0; index < head.count; index += 1) {
    const id = head.idAt(index);
    if (id === KnownHeader.unknown || id > KnownHeader.lastFraming) {
      continue;
    }
    switch (id) {
      case KnownHeader.host:
        if (hostIndex >= 0) {
          return 'http1.invalid_host';
        }
        hostIndex = index;
        break;
      case KnownHeader.contentLength: {
        if (head.contentLength >= 0) {
          return 'http1.invalid_content_length';
        }
        const length = parseContentLength(head.bytes, head.valueStartAt(index), head.valueEndAt(index));
        if (length < 0) {
          return 'http1.invalid_content_length';
        }
        head.contentLength = length;
        if (head.valueEndAt(index) - head.valueStartAt(index) > 1 && head.bytes[head.valueStartAt(index)] === 0x30) {
          head.replaceAt(index, String(length));
        }
        break;
      }
      case KnownHeader.transferEncoding:
        if (head.chunked || head.minorVersion === 0) {
          return 'http1.transfer_encoding_not_allowed';
        }
        if (!isChunkedValue(head, index)) {
          return 'http1.invalid_transfer_encoding';
        }
        head.chunked = true;
        break;
      case KnownHeader.connection:
        if (!readConnectionField(head, index, options)) {
          return 'http1.connection_header_rejected';
        }
        break;
      case KnownHeader.upgrade:
        upgradeIndex = index;
        break;
      case KnownHeader.expect:
        if (head.valueAt(index).toLowerCase() === '100-continue') {
          head.expectContinue = head.minorVersion === 1;
          head.removeAt(index);
        }
        break;
      case KnownHeader.te:
        head.teTrailers = /(^|,)\s*trailers\s*($|[,;])/i.test(head.valueAt(index));
        break;
      default:
    }
  }
  if (head.chunked && head.contentLength >= 0) {
    return 'http1.content_length_and_chunked_not_allowed';
  }
  head.keepAlive = options.close ? false : head.minorVersion === 1 || options.keepAlive;
  if (options.upgrade && upgradeIndex >= 0) {
    head.upgrade = head.valueAt(upgradeIndex).toLowerCase();
  }
  return interpretTarget(head, hostIndex, rules, authorities);
}

function interpretTarget(
  head: RequestHead,
  hostIndex: number,
  rules: RequestRules,
  authorities: TextMemo,
): CodecErrorDetail | undefined {
  if (hostIndex >= 0) {
    const start = head.valueStartAt(hostIndex);
    const end = head.valueEndAt(hostIndex);
    if (start === end) {
      return 'missing_host_header';
    }
    if (!isValidHost(head.bytes, start, end)) {
      return 'http1.invalid_host';
    }
    head.authority = authorities.textOf(head.bytes, start, end);
  }
  const target = head.path;
  if (head.method === 'CONNECT') {
    // RFC 9112 §3.2.3: authority-form, with a port.
    const bytes = Buffer.from(target, 'latin1');
    if (!isValidHost(bytes, 0, bytes.length) || !/:\d{1,5}$/.test(target)) {
      return 'http1.invalid_url';
    }
    head.authority = target;
    head.path = '';
    head.startLineUsable = false;
    return hostIndex < 0 && head.minorVersion === 1 ? 'missing_host_header' : undefined;
  }
  if (target.charCodeAt(0) !== 0x2f) {
    if (target === '*') {
      if (head.method !== 'OPTIONS') {
        return 'http1.invalid_url';
      }
    } else {
      const refusal = interpretAbsoluteTarget(head, target, rules);
      if (refusal !== undefined) {
        return refusal;
      }
    }
  }
  return hostIndex < 0 && (head.minorVersion === 1 || head.authority === '') ? 'missing_host_header' : undefined;
}

function interpretAbsoluteTarget(head: RequestHead, target: string, rules: RequestRules): CodecErrorDetail | undefined {
  const match = /^(https?):\/\/([^/?]*)(.*)$/i.exec(target);
  if (match === null || !rules.allowAbsoluteUrl) {
    return 'http1.invalid_url';
  }
  const [, scheme = '', authority = '', rest = ''] = match;
  const bytes = Buffer.from(authority, 'latin1');
  if (!isValidHost(bytes, 0, bytes.length)) {
    return 'http1.invalid_url';
  }
  head.targetScheme = scheme.toLowerCase();
  // RFC 9112 §3.2.2: the target's authority wins over the Host field, which is replaced.
  head.setAuthority(authority);
  head.setPath(rest.startsWith('/') ? rest : head.method === 'OPTIONS' && rest === '' ? '*' : `/${rest}`);
  return undefined;
}
