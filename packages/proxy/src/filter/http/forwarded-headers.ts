import { KnownHeader, type RequestHead } from '@weft/http-codec';
import type { HttpConnectionManagerConfig } from '../../runtime-config/config.ts';

const forwardedFor = 'x-forwarded-for';
const forwardedProto = 'x-forwarded-proto';

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
    'upstream-stream-duration-ms',
  ].map((name) => `x-envoy-${name}`),
);

const edgeFields = new Set(
  ['decorator-operation', 'downstream-service-cluster', 'downstream-service-node', 'external-address'].map(
    (name) => `x-envoy-${name}`,
  ),
);

/**
 * Removes control fields: no address counts as internal (Envoy since 1.33), so no client may set them. With them go all names that
 * an application could take for a field that the proxy vouches for, such as `x_forwarded_client_cert`.
 */
export function removeControlFields(head: RequestHead, edge: boolean): void {
  for (
    let index = head.indexOfKnown(KnownHeader.xEnvoy);
    index >= 0;
    index = head.indexOfKnown(KnownHeader.xEnvoy, index + 1)
  ) {
    const name = head.nameAt(index).toLowerCase();
    if (name.includes('_') || controlFields.has(name) || (edge && edgeFields.has(name))) {
      head.removeAt(index);
    }
  }
}
