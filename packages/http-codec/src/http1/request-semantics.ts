import { hostByte } from '../byte-class.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import { KnownHeader } from '../known-header.ts';
import type { RequestHead } from '../request-head.ts';
import type { TextMemo } from '../text-memo.ts';
import { type ConnectionOptions, readFramingField } from './message-framing.ts';

/** A valid, non-empty `uri-host [":" port]`. */
export function isValidHost(bytes: Buffer, start: number, end: number): boolean {
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
  return colons === 1 && bytes[start] !== 0x3a && endsInPort(bytes, start, end);
}

/** `:` and up to five digits. */
function endsInPort(bytes: Buffer, start: number, end: number): boolean {
  for (let at = end - 1; at >= start && end - at <= 6; at -= 1) {
    const byte = bytes[at] as number;
    if (byte === 0x3a) {
      return true;
    }
    if (byte < 0x30 || byte > 0x39) {
      return false;
    }
  }
  return false;
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
      case KnownHeader.contentLength:
      case KnownHeader.transferEncoding:
      case KnownHeader.connection: {
        const refusal = readFramingField(head, id, index, options);
        if (refusal !== undefined) {
          return refusal;
        }
        break;
      }
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
