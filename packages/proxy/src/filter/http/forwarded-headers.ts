import { BlockList, isIPv6 } from 'node:net';
import { KnownHeader, type RequestHead } from '@weft/http-codec';
import type { HttpConnectionManagerConfig, InternalAddresses } from '../../runtime-config/config.ts';

const forwardedFor = 'x-forwarded-for';
const forwardedProto = 'x-forwarded-proto';
const forwardedPort = 'x-forwarded-port';

/**
 * Sets `x-forwarded-for` and finds the address of the client that may be trusted.
 * @returns that address; the direct peer's when nothing better is known.
 */
export function applyForwardedFor(head: RequestHead, config: HttpConnectionManagerConfig, remoteIp: string): string {
  const before = head.getKnown(KnownHeader.xForwardedFor, forwardedFor);
  const hops = config.xffNumTrustedHops;
  if (!config.useRemoteAddress) {
    // The hop before us wrote the list: its last entry is whom it saw.
    return (before === undefined ? undefined : entryFromRight(before, hops)) ?? remoteIp;
  }
  let client = remoteIp;
  if (hops > 0 && before !== undefined) {
    client = entryFromRight(before, hops - 1) ?? remoteIp;
  }
  if (!config.skipXffAppend && remoteIp !== '') {
    if (before === undefined) {
      head.addClean(forwardedFor, remoteIp);
    } else {
      head.removeKnown(KnownHeader.xForwardedFor, forwardedFor);
      head.add(forwardedFor, before === '' ? remoteIp : `${before},${remoteIp}`);
    }
  }
  return client;
}

/**
 * Whether a request comes from an internal client: its address is one, and it came through nobody else. To be asked before
 * `x-forwarded-for` is set.
 */
export function isInternalClient(
  head: RequestHead,
  { useRemoteAddress, xffNumTrustedHops, internalAddresses }: HttpConnectionManagerConfig,
  remoteIp: string,
): boolean {
  if (internalAddresses === undefined) {
    return false;
  }
  const named = head.getKnown(KnownHeader.xForwardedFor, forwardedFor);
  if (useRemoteAddress) {
    return named === undefined && isInternal(remoteIp, internalAddresses);
  }
  const entry = named === undefined || named.includes(',') ? undefined : entryFromRight(named, xffNumTrustedHops);
  return entry !== undefined && isInternal(entry, internalAddresses);
}

const lists = new WeakMap<InternalAddresses, BlockList>();

function isInternal(ip: string, addresses: InternalAddresses): boolean {
  if (ip === '') {
    return addresses.unixSockets;
  }
  let list = lists.get(addresses);
  if (list === undefined) {
    list = new BlockList();
    for (const { address, prefixLength } of addresses.ranges) {
      list.addSubnet(address, prefixLength, isIPv6(address) ? 'ipv6' : 'ipv4');
    }
    lists.set(addresses, list);
  }
  return list.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4');
}

/** Entry number `index` from the right of a comma-separated list, if it is an address. */
function entryFromRight(list: string, index: number): string | undefined {
  const entry = list
    .split(',')
    .at(-1 - index)
    ?.trim();
  return entry !== undefined && /^[0-9a-fA-F:.]+$/.test(entry) ? entry : undefined;
}

/** Sets `x-forwarded-proto` and returns the scheme that the request counts as. */
export function applyForwardedProto(
  head: RequestHead,
  config: HttpConnectionManagerConfig,
  transportScheme: 'http' | 'https',
): 'http' | 'https' {
  const { schemeToOverwrite } = config;
  if (schemeToOverwrite !== undefined) {
    head.set(forwardedProto, schemeToOverwrite);
    head.targetScheme = schemeToOverwrite;
    return schemeToOverwrite;
  }
  const index = head.indexOfKnown(KnownHeader.xForwardedProto);
  if (index < 0) {
    head.addClean(forwardedProto, transportScheme);
    return transportScheme;
  }
  const trusted = !config.useRemoteAddress || config.xffNumTrustedHops > 0;
  const value = head.valueAt(index);
  if (
    trusted &&
    (value === 'http' || value === 'https') &&
    head.indexOfKnown(KnownHeader.xForwardedProto, index + 1) < 0
  ) {
    return value;
  }
  head.removeKnown(KnownHeader.xForwardedProto, forwardedProto);
  head.addClean(forwardedProto, transportScheme);
  return transportScheme;
}

/** Sets `x-forwarded-port`: what a hop before us says counts where it is trusted. */
export function applyForwardedPort(head: RequestHead, config: HttpConnectionManagerConfig, localPort: number): void {
  const trusted = !config.useRemoteAddress || config.xffNumTrustedHops > 0;
  if (!trusted || !head.has(forwardedPort)) {
    head.set(forwardedPort, String(localPort));
  }
}

/** `x-envoy-…` fields by which a client could steer the proxy, or pass for an internal one. */
const controlFields = new Set(
  [
    'retry-on',
    'retry-grpc-on',
    'max-retries',
    'upstream-rq-timeout-ms',
    'upstream-rq-per-try-timeout-ms',
    'upstream-rq-timeout-alt-response',
    'upstream-alt-stat-name',
    'expected-rq-timeout-ms',
    'force-trace',
    'ip-tags',
    'retriable-status-codes',
    'retriable-header-names',
    'hedge-on-per-try-timeout',
    'internal',
    'original-url',
    'upstream-stream-duration-ms',
  ].map((name) => `x-envoy-${name}`),
);

const edgeFields = new Set(
  [
    'decorator-operation',
    'downstream-service-cluster',
    'downstream-service-node',
    'external-address',
    // Access logs show the first in place of the path, and applications may believe both.
    'original-path',
    'original-host',
  ].map((name) => `x-envoy-${name}`),
);

/**
 * Removes control fields of a client that is not internal. With them go all names that an application could take for a field that the
 * proxy vouches for, such as `x_forwarded_client_cert`.
 */
export function removeControlFields(head: RequestHead, internal: boolean, edge: boolean): void {
  for (
    let index = head.indexOfKnown(KnownHeader.xEnvoy);
    index >= 0;
    index = head.indexOfKnown(KnownHeader.xEnvoy, index + 1)
  ) {
    const name = head.nameAt(index).toLowerCase();
    if (name.includes('_') || (!internal && controlFields.has(name)) || (edge && edgeFields.has(name))) {
      head.removeAt(index);
    }
  }
}
