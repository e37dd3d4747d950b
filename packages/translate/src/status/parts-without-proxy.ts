import type { HttpRoute } from '@weft/ir';
import type { Place } from '../origin.ts';
import type { RulePlaces } from '../to-ir/rule-places.ts';
import type { ClusterPart, RoutePart } from '../to-xds/proxyless/abilities.ts';

const leftOut = 'workloads without a proxy go without it';
const failing = 'calls of workloads without a proxy fail';

interface PartPlaces {
  /** What comes of it. */
  readonly remark: string;
  /** Where a rule says it. */
  readonly find: (places: RulePlaces, route: HttpRoute) => readonly (Place | undefined)[];
}

/** Where the parts of a route stand that gRPC cannot do. */
export const partPlaces: Readonly<Record<RoutePart, PartPlaces>> = {
  answers: {
    remark: failing,
    find: (places) => [places.of('redirect', 'directResponse') ?? places.filter('RequestRedirect')],
  },
  cors: { remark: leftOut, find: (places) => [places.of('corsPolicy') ?? places.filter('CORS')] },
  headers: {
    remark: leftOut,
    find: (places, { action, headers }) => [
      ...(isEmpty(headers)
        ? []
        : [places.of('headers'), places.filter('RequestHeaderModifier'), places.filter('ResponseHeaderModifier')]),
      ...(action.kind === 'forward'
        ? action.destinations.map((destination, index) =>
            isEmpty(destination.headers) ? undefined : places.destination(index),
          )
        : []),
    ],
  },
  host: {
    remark: leftOut,
    find: (places, { action }) => [
      places.of('rewrite.authority') ?? places.hostHeader ?? places.filter('URLRewrite'),
      ...(action.kind === 'forward'
        ? action.destinations.map(({ hostRewrite }, index) =>
            hostRewrite === undefined ? undefined : places.destination(index),
          )
        : []),
    ],
  },
  mirrors: {
    remark: leftOut,
    find: (places, { action }) =>
      action.kind === 'forward' ? action.mirrors.map((_, index) => places.mirror(index)) : [],
  },
  path: {
    remark: leftOut,
    find: (places) => [places.of('rewrite.uri', 'rewrite.uriRegexRewrite') ?? places.filter('URLRewrite')],
  },
  query: { remark: 'calls without a proxy have no query', find: (places) => [places.rule] },
  'retried on': {
    remark: 'gRPC without a proxy knows not all of them',
    find: (places) => [places.of('retries.retryOn', 'retry.codes')],
  },
  session: { remark: leftOut, find: (places) => [places.of('sessionPersistence')] },
  'try timeout': {
    remark: leftOut,
    find: (places) => [places.of('retries.perTryTimeout', 'timeouts.backendRequest')],
  },
  'other endpoints': {
    remark: leftOut,
    find: (places) => [places.of('retries.retryIgnorePreviousHosts'), places.of('retries.retryRemoteLocalities')],
  },
};

function isEmpty(headers: HttpRoute['headers']): boolean {
  return [headers.request, headers.response].every(
    ({ set, add, remove }) => set.length + add.length + remove.length === 0,
  );
}

/** The fields of a policy that parts of a cluster are from. */
export const clusterFields: Readonly<
  Record<ClusterPart, { readonly remark: string; readonly fields: readonly string[] }>
> = {
  tls: { remark: failing, fields: ['tls'] },
  proxyProtocol: { remark: failing, fields: ['proxyProtocol'] },
  dns: { remark: failing, fields: [] },
  balancing: {
    remark: 'workloads without a proxy balance by turns, or by hash in a ring',
    fields: ['loadBalancer.simple', 'loadBalancer.consistentHash.maglev'],
  },
  hash: {
    remark: 'calls without a proxy have only headers to make a hash of',
    fields: [
      'loadBalancer.consistentHash.httpCookie',
      'loadBalancer.consistentHash.httpQueryParameterName',
      'loadBalancer.consistentHash.useSourceIp',
    ],
  },
  outlierDetection: { remark: leftOut, fields: ['outlierDetection'] },
  slowStart: { remark: leftOut, fields: ['loadBalancer.warmup', 'loadBalancer.warmupDurationSecs'] },
  connections: {
    remark: leftOut,
    fields: [
      'connectionPool.tcp',
      'connectionPool.http.h2UpgradePolicy',
      'connectionPool.http.http1MaxPendingRequests',
      'connectionPool.http.http2KeepAlive',
      'connectionPool.http.idleTimeout',
      'connectionPool.http.maxConcurrentStreams',
      'connectionPool.http.maxRequestsPerConnection',
      'connectionPool.http.maxRetries',
      'connectionPool.http.useClientProtocol',
      'retryBudget',
    ],
  },
};
