import type { HashPolicy, HeaderEdits, HttpMatch, HttpRoute, OutboundCluster, RetryPolicy } from '@weft/ir';
import { headerMatches } from '../../header-match.ts';

/** What gRPC's own xDS clients can do of what a proxy does: translation and what a status says go by these. */

/** Conditions of retries that gRPC knows (gRFC A44). */
const retryConditions: ReadonlySet<string> = new Set([
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);

/** The conditions that gRPC retries on; empty: it does not retry. */
export function grpcRetryConditions({ on }: RetryPolicy): readonly string[] {
  return on.filter((condition) => retryConditions.has(condition));
}

/** A call has headers, but neither a query nor cookies (gRFC A42). */
export function isGrpcHash({ kind }: HashPolicy): boolean {
  return kind === 'header';
}

/** What every call has in place of pseudo headers, which the libraries do not look at. */
function pseudoHeaders(authority: string): ReadonlyMap<string, string> {
  return new Map([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', authority],
  ]);
}

/**
 * What is left to be looked at of the conditions of a route.
 * @param authority as it is dialled.
 * @returns undefined: no call can meet them.
 */
export function grpcMatch(match: HttpMatch, authority: string): HttpMatch | undefined {
  const known = pseudoHeaders(authority);
  const isPseudo = ({ name }: { readonly name: string }): boolean => known.has(name);
  const isMet = match.headers.filter(isPseudo).every((header) => headerMatches(header, known.get(header.name)));
  return isMet && match.query.length === 0
    ? { ...match, headers: match.headers.filter((header) => !isPseudo(header)) }
    : undefined;
}

/**
 * What a cluster asks that gRPC cannot do, and without which no call may be made: other TLS than that of the mesh, the header of the
 * PROXY protocol, several names in DNS. undefined: it can be reached.
 */
export function grpcRefusal({
  tls,
  proxyProtocol,
  discovery,
}: OutboundCluster): 'tls' | 'proxyProtocol' | 'dns' | undefined {
  if (tls.kind === 'originate') {
    return 'tls';
  }
  if (proxyProtocol !== undefined) {
    return 'proxyProtocol';
  }
  return discovery.kind === 'dns' && discovery.endpoints.length !== 1 ? 'dns' : undefined;
}

/** Parts of a route that calls of gRPC go without. Calls of `answers` (redirects, answers of the proxy itself) fail. */
export type RoutePart =
  | 'answers'
  | 'cors'
  | 'headers'
  | 'host'
  | 'mirrors'
  | 'path'
  | 'query'
  | 'retried on'
  | 'session'
  | 'try timeout'
  | 'other endpoints';

export function partsWithoutGrpc({ action, headers, cors, match }: HttpRoute): readonly RoutePart[] {
  const parts: readonly (readonly [RoutePart, boolean])[] = [
    ['query', match.query.length > 0],
    ['cors', cors !== undefined],
    ['headers', changesHeaders(headers)],
    ...(action.kind === 'forward'
      ? ([
          ['headers', action.destinations.some((destination) => changesHeaders(destination.headers))],
          [
            'host',
            action.hostRewrite !== undefined || action.destinations.some((one) => one.hostRewrite !== undefined),
          ],
          ['mirrors', action.mirrors.length > 0],
          ['path', action.pathRewrite !== undefined],
          ['session', action.session !== undefined],
          ...retryParts(action.retry),
        ] as const)
      : ([['answers', true]] as const)),
  ];
  return [...new Set(parts.flatMap(([part, isThere]) => (isThere ? [part] : [])))];
}

function retryParts(retry: RetryPolicy | undefined): readonly (readonly [RoutePart, boolean])[] {
  return retry === undefined
    ? []
    : [
        ['retried on', grpcRetryConditions(retry).length < retry.on.length],
        ['try timeout', retry.perTryTimeoutMs > 0],
        ['other endpoints', retry.avoidPreviousEndpoints === false || retry.avoidPreviousPriorities === true],
      ];
}

function changesHeaders({ request, response }: HeaderEdits): boolean {
  return [request, response].some(({ set, add, remove }) => set.length + add.length + remove.length > 0);
}

/** Parts of a cluster that calls of gRPC go without. Calls to one with `tls`, `proxyProtocol` or `dns` fail. */
export type ClusterPart =
  | NonNullable<ReturnType<typeof grpcRefusal>>
  | 'balancing'
  | 'connections'
  | 'hash'
  | 'outlierDetection'
  | 'slowStart';

export function clusterPartsWithoutGrpc(cluster: OutboundCluster): readonly ClusterPart[] {
  const refusal = grpcRefusal(cluster);
  const { loadBalancer, hash, outlierDetection, slowStart } = cluster;
  return [
    ...(refusal === undefined ? [] : [refusal]),
    ...(isGrpcBalancing(loadBalancer.kind) ? [] : (['balancing'] as const)),
    ...(hash === undefined || isGrpcHash(hash) ? [] : (['hash'] as const)),
    ...(outlierDetection === undefined ? [] : (['outlierDetection'] as const)),
    ...(slowStart === undefined ? [] : (['slowStart'] as const)),
    // The libraries make one connection to each endpoint, in their own way.
    'connections',
  ];
}

/** Round robin stands for all others. */
function isGrpcBalancing(kind: OutboundCluster['loadBalancer']['kind']): boolean {
  return kind === 'round-robin' || kind === 'ring-hash';
}
