import type { RequestHead } from '@weft/http-codec';
import { combineHash, type Hash64, hashToHex } from '../../load-balancer/hash64.ts';
import { xxHash64 } from '../../load-balancer/xx-hash.ts';
import { parseQuery } from '../../route/query.ts';
import type { CookieConfig, HashPolicy } from '../../runtime-config/load-balancing.ts';
import { cookieValue, setCookieValue } from './cookies.ts';

/** What a request is hashed by. */
export interface HashSubject {
  readonly head: RequestHead;
  /** Of the client, trusted hops considered; empty: no IP. */
  readonly remoteIp: string;
  /** Both ends of the client's connection, `ip:port` each. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** A cookie was made, which the client is to keep: the value of `set-cookie`. */
  onCookie(setCookie: string): void;
}

const scratch: Hash64 = { hi: 0, lo: 0 };

/**
 * The hash of a request by its policies, as Envoy computes it.
 * @param out gets it.
 * @returns whether any policy gave one.
 */
export function hashRequest(policies: readonly HashPolicy[], subject: HashSubject, out: Hash64): boolean {
  out.hi = 0;
  out.lo = 0;
  let isHashed = false;
  for (const policy of policies) {
    if (hashBy(policy, subject)) {
      combineHash(out, scratch);
      isHashed = true;
    }
    if (policy.terminal && isHashed) {
      break;
    }
  }
  return isHashed;
}

/** Hashes into {@link scratch}. @returns false when the request has nothing that the policy asks for. */
function hashBy(policy: HashPolicy, subject: HashSubject): boolean {
  switch (policy.kind) {
    case 'header':
      return hashHeader(policy, subject.head);
    case 'cookie':
      return hashCookie(policy.cookie, subject);
    case 'source-ip':
      if (subject.remoteIp === '') {
        return false;
      }
      xxHash64(subject.remoteIp, scratch);
      return true;
    case 'query-parameter': {
      const value = parseQuery(subject.head.path).get(policy.name);
      if (value === undefined) {
        return false;
      }
      xxHash64(value, scratch);
      return true;
    }
  }
}

function hashHeader({ name, rewrite }: Extract<HashPolicy, { readonly kind: 'header' }>, head: RequestHead): boolean {
  const pseudo = pseudoField(name, head);
  const values: string[] = pseudo === undefined ? [] : [pseudo];
  if (pseudo === undefined) {
    head.someValue(name, collect, values);
  }
  if (values.length === 0) {
    return false;
  }
  const rewritten =
    rewrite === undefined ? values : values.map((value) => rewrite.regex.replaceAll(value, rewrite.substitution));
  // The order of the lines does not matter; the hash of one is the seed of the next.
  scratch.hi = 0;
  scratch.lo = 0;
  for (const value of rewritten.sort()) {
    xxHash64(value, scratch, scratch.lo, scratch.hi);
  }
  return true;
}

function collect(value: string, values: string[]): boolean {
  values.push(value);
  return false;
}

function pseudoField(name: string, head: RequestHead): string | undefined {
  switch (name) {
    case ':path':
      return head.path;
    case ':authority':
    case 'host':
      return head.authority;
    case ':method':
      return head.method;
    default:
      return undefined;
  }
}

function hashCookie(cookie: CookieConfig, subject: HashSubject): boolean {
  const value = cookieValue(subject.head, cookie.name);
  if (value !== '') {
    xxHash64(value, scratch);
    return true;
  }
  if (cookie.ttlSec === undefined) {
    return false;
  }
  // The same for all requests of a connection, so that those that race get the same cookie.
  xxHash64(subject.remoteAddress + subject.localAddress, scratch);
  const made = hashToHex(scratch);
  subject.onCookie(setCookieValue(cookie, made));
  xxHash64(made, scratch);
  return true;
}
