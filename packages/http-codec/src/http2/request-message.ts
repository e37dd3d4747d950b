import { readContentLength } from '../http1/message-framing.ts';
import { isValidHost } from '../http1/request-semantics.ts';
import { KnownHeader } from '../known-header.ts';
import type { RequestHead } from '../request-head.ts';
import type { PseudoFields } from './hpack/pseudo-fields.ts';
import { addWebSocketKey, isWebSocket } from './websocket-handshake.ts';

/** What a request's head turned out to be. */
export type RequestVerdict =
  | 'ok'
  /** RFC 9113 §8.1.1: a stream error. */
  | 'malformed'
  /** Well-formed, but nobody is named that it is for. */
  | 'no-authority';

/** The authority that was found valid last: clients keep to one. */
export interface AuthorityMemo {
  valid: string;
}

/**
 * Turns pseudo fields into the form that heads have inside the proxy, and checks what goes together (RFC 9113 §8.3.1, RFC 8441 §4).
 * The bytes of names and values were checked when they were decoded.
 */
export function interpretHttp2Request(
  head: RequestHead,
  pseudo: PseudoFields,
  endStream: boolean,
  allowExtendedConnect: boolean,
  memo: AuthorityMemo,
): RequestVerdict {
  const { method, scheme, path, protocol } = pseudo;
  if (method === undefined) {
    return 'malformed';
  }
  head.protocol = 'HTTP/2';
  head.startLineUsable = false;
  head.method = method;
  const tunnel = method === 'CONNECT';
  if (tunnel && protocol === undefined) {
    if (scheme !== undefined || path !== undefined) {
      return 'malformed';
    }
  } else {
    if (protocol !== undefined && !(tunnel && allowExtendedConnect)) {
      return 'malformed';
    }
    if (path === undefined || (scheme !== 'http' && scheme !== 'https') || !isPath(path, method)) {
      return 'malformed';
    }
    head.path = path;
    head.targetScheme = scheme;
  }
  if (!readFields(head, endStream && !tunnel)) {
    return 'malformed';
  }
  head.streamGoesOn = !endStream && !tunnel;
  const authority = pseudo.authority ?? head.getKnown(KnownHeader.host, 'host') ?? '';
  if (authority === '') {
    return 'no-authority';
  }
  if (authority !== memo.valid) {
    const bytes = Buffer.from(authority, 'latin1');
    if (!isValidHost(bytes, 0, bytes.length)) {
      return 'malformed';
    }
    memo.valid = authority;
  }
  head.authority = authority;
  if (protocol !== undefined) {
    head.method = 'GET';
    head.upgrade = protocol.toLowerCase();
    head.addClean('upgrade', protocol);
    if (isWebSocket(head.upgrade)) {
      addWebSocketKey(head);
    }
  } else if (tunnel && !/:\d{1,5}$/.test(authority)) {
    return 'malformed';
  }
  return 'ok';
}

function isPath(path: string, method: string): boolean {
  return path.charCodeAt(0) === 0x2f || (path === '*' && method === 'OPTIONS');
}

/** @param bodyless the stream ended with the head. @returns whether the fields that say something about the message are right. */
function readFields(head: RequestHead, bodyless: boolean): boolean {
  for (let index = 0; index < head.count; index += 1) {
    const id = head.idAt(index);
    if (id === KnownHeader.unknown || id > KnownHeader.lastFraming) {
      continue;
    }
    if (id === KnownHeader.contentLength) {
      if (!readContentLength(head, index)) {
        return false;
      }
    } else if (id === KnownHeader.expect) {
      if (head.valueAt(index).toLowerCase() === '100-continue') {
        head.expectContinue = true;
        head.removeAt(index);
      }
    } else if (id === KnownHeader.te) {
      head.teTrailers = true;
    } else if (id === KnownHeader.http2Settings) {
      head.removeAt(index);
    }
  }
  return !bodyless || head.contentLength <= 0;
}
