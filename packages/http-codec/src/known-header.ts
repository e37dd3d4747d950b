import { tokenLower } from './byte-class.ts';

/**
 * Header names that the proxy looks at by itself have small numbers, found while a head is scanned, so that nothing has
 * to be compared as text later. Those up to `lastFraming` decide framing and routing of a message.
 */
export const KnownHeader = {
  unknown: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  upgrade: 5,
  expect: 6,
  te: 7,
  keepAlive: 8,
  proxyConnection: 9,
  trailer: 10,
  http2Settings: 11,
  lastFraming: 11,
  xRequestId: 12,
  xForwardedFor: 13,
  xForwardedProto: 14,
  xForwardedHost: 15,
  xForwardedClientCert: 16,
  via: 17,
  server: 18,
  date: 19,
  contentType: 20,
  userAgent: 21,
  /** Every name that begins with `x-envoy-`, and those that {@link looksLikeOurs} finds. */
  xEnvoy: 22,
  grpcStatus: 23,
  location: 24,
  tracestate: 25,
  traceparent: 26,
  cookie: 27,
} as const;

/** A number of `KnownHeader`. */
export type KnownHeaderId = number;

const namesById: Readonly<Record<string, KnownHeaderId>> = {
  host: KnownHeader.host,
  'content-length': KnownHeader.contentLength,
  'transfer-encoding': KnownHeader.transferEncoding,
  connection: KnownHeader.connection,
  upgrade: KnownHeader.upgrade,
  expect: KnownHeader.expect,
  te: KnownHeader.te,
  'keep-alive': KnownHeader.keepAlive,
  'proxy-connection': KnownHeader.proxyConnection,
  trailer: KnownHeader.trailer,
  'http2-settings': KnownHeader.http2Settings,
  'x-request-id': KnownHeader.xRequestId,
  'x-forwarded-for': KnownHeader.xForwardedFor,
  'x-forwarded-proto': KnownHeader.xForwardedProto,
  'x-forwarded-host': KnownHeader.xForwardedHost,
  'x-forwarded-client-cert': KnownHeader.xForwardedClientCert,
  via: KnownHeader.via,
  server: KnownHeader.server,
  date: KnownHeader.date,
  'content-type': KnownHeader.contentType,
  'user-agent': KnownHeader.userAgent,
  'grpc-status': KnownHeader.grpcStatus,
  location: KnownHeader.location,
  tracestate: KnownHeader.tracestate,
  traceparent: KnownHeader.traceparent,
  cookie: KnownHeader.cookie,
};

/** Hashes of names that were asked for: those of the proxy itself and of its configuration. */
const knownHashes = new Map<string, number>();
/** Names of peers are asked for too (fields that Connection names); so it must end. */
const maxKnownHashes = 512;

/** The hash of a whole name in lower case. */
export function hashName(name: string): number {
  const known = knownHashes.get(name);
  if (known !== undefined) {
    return known;
  }
  let hash = 0;
  for (let index = 0; index < name.length; index += 1) {
    hash = (Math.imul(hash, 31) + name.charCodeAt(index)) | 0;
  }
  if (knownHashes.size < maxKnownHashes) {
    knownHashes.set(name, hash);
  }
  return hash;
}

const slotBits = 8;
const slotMask = (1 << slotBits) - 1;
const slotHash = new Int32Array(1 << slotBits);
const slotId = new Uint8Array(1 << slotBits);
const nameBytesById: Buffer[] = [];

for (const [name, id] of Object.entries(namesById)) {
  const hash = hashName(name);
  let slot = hash & slotMask;
  while (slotId[slot] !== 0) {
    slot = (slot + 1) & slotMask;
  }
  slotHash[slot] = hash;
  slotId[slot] = id;
  nameBytesById[id] = Buffer.from(name, 'latin1');
}

const envoyPrefix = Buffer.from('x-envoy-', 'latin1');
const forwardedPrefix = Buffer.from('x-forwarded-', 'latin1');
const requestIdName = Buffer.from('x-request-id', 'latin1');
const hyphen = 0x2d;
const underscore = 0x5f;

/** The number of the name in `bytes[start, end)`, whose hash is `hash`; the bytes are compared too, hashes collide. */
export function knownHeaderOf(bytes: Uint8Array, start: number, end: number, hash: number): KnownHeaderId {
  let slot = hash & slotMask;
  let id = slotId[slot] as number;
  while (id !== 0) {
    if (slotHash[slot] === hash && equalsLower(bytes, start, end, nameBytesById[id] as Buffer)) {
      return id;
    }
    slot = (slot + 1) & slotMask;
    id = slotId[slot] as number;
  }
  if (end - start > 8 && ((bytes[start] as number) | 0x20) === 0x78) {
    const isEnvoy = bytes[start + 7] === hyphen && equalsLower(bytes, start, start + 8, envoyPrefix);
    return isEnvoy || looksLikeOurs(bytes, start, end) ? KnownHeader.xEnvoy : 0;
  }
  return 0;
}

/**
 * Whether a name has `_` where a field that proxies vouch for (`x-forwarded-…`, `x-request-id`, `x-envoy-…`) has `-`: CGI and what
 * descends from it (WSGI, PHP, Rack) gives both to the application under one name.
 */
function looksLikeOurs(bytes: Uint8Array, start: number, end: number): boolean {
  const separator = bytes[start + 1] as number;
  if (separator !== hyphen && separator !== underscore) {
    return false;
  }
  switch ((bytes[start + 2] as number) | 0x20) {
    case 0x65:
      return beginsWithUnderscored(bytes, start, end, envoyPrefix);
    case 0x66:
      return beginsWithUnderscored(bytes, start, end, forwardedPrefix);
    case 0x72:
      return end - start === requestIdName.length && beginsWithUnderscored(bytes, start, end, requestIdName);
    default:
      return false;
  }
}

/** Whether the name begins with `prefix` when `_` is taken for `-`, and has a `_` anywhere. */
function beginsWithUnderscored(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) {
    return false;
  }
  let underscores = 0;
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index] as number;
    underscores += byte === underscore ? 1 : 0;
    const at = index - start;
    if (at < prefix.length && (byte === underscore ? hyphen : tokenLower[byte]) !== prefix[at]) {
      return false;
    }
  }
  return underscores > 0;
}

/** The number of a name in lower case, 0 when it has none. */
export function knownHeaderByName(name: string): KnownHeaderId {
  return Object.hasOwn(namesById, name) ? (namesById[name] as number) : 0;
}

/** Whether `bytes[start, end)`, a token, is `lower` but for case. */
export function equalsLower(bytes: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  const length = lower.length;
  if (end - start !== length) {
    return false;
  }
  for (let index = 0; index < length; index += 1) {
    if (tokenLower[bytes[start + index] as number] !== lower[index]) {
      return false;
    }
  }
  return true;
}
