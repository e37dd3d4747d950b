import type {
  BindAddress,
  CircuitBreakerThresholds,
  ClusterConfig,
  ClusterEndpoints,
  EndpointConfig,
  FilterChain,
  ForwardAction,
  HeaderEdits,
  Http2Options,
  HttpConnectionManagerConfig,
  ListenerConfig,
  NetworkFilter,
  RetryPolicy,
  Route,
  RouteMatch,
  RouteTable,
  RuntimeConfig,
  VirtualHost,
} from '../../src/runtime-config/config.ts';
import { retryOnFrom } from '../../src/runtime-config/retry-policy.ts';

/** Runtime configurations by hand, with Envoy's defaults where a test does not say otherwise. */

export const noEdits: HeaderEdits = { requestAdd: [], requestRemove: [], responseAdd: [], responseRemove: [] };

let lastVersion = 0;
const nextVersion = (): string => String(++lastVersion);

const thresholds: CircuitBreakerThresholds = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
};

export function http2Options(overrides: Partial<Http2Options> = {}): Http2Options {
  return {
    maxConcurrentStreams: 100,
    initialStreamWindowBytes: 256 * 1024,
    initialConnectionWindowBytes: 1024 * 1024,
    headerTableSizeBytes: 4096,
    allowConnect: true,
    keepaliveIntervalMs: 0,
    keepaliveTimeoutMs: 0,
    keepaliveJitterPercent: 0,
    ...overrides,
  };
}

export function breakers(overrides: Partial<CircuitBreakerThresholds> = {}): ClusterConfig['circuitBreakers'] {
  return { default: { ...thresholds, ...overrides }, high: thresholds };
}

export function endpoint(port: number, overrides: Partial<EndpointConfig> = {}): EndpointConfig {
  return {
    address: { kind: 'ip', address: '127.0.0.1', port },
    hostname: '',
    health: 'healthy',
    weight: 1,
    transportSocketMatch: {},
    workload: undefined,
    ...overrides,
  };
}

/** Endpoints of one locality for each given list; the index is the priority. */
export function assignment(
  clusterName: string,
  ...priorities: readonly (readonly EndpointConfig[])[]
): ClusterEndpoints {
  return {
    clusterName,
    overprovisioningFactor: 140,
    version: nextVersion(),
    localities: priorities.map((endpoints, priority) => ({
      region: '',
      zone: '',
      subZone: '',
      weight: 1,
      priority,
      endpoints,
    })),
  };
}

export function cluster(
  name: string,
  endpoints: readonly EndpointConfig[] | ClusterEndpoints,
  overrides: Partial<ClusterConfig> = {},
): ClusterConfig {
  const list = 'localities' in endpoints ? endpoints : assignment(name, endpoints);
  return {
    name,
    statName: name,
    discovery: { kind: 'static', endpoints: list },
    connectTimeoutMs: 5000,
    loadBalancer: { kind: 'round-robin' },
    panicThresholdPercent: 50,
    circuitBreakers: breakers(),
    upstreamHttp: {
      protocol: 'http1',
      idleTimeoutMs: 3_600_000,
      maxRequestsPerConnection: 0,
      maxConnectionDurationMs: 0,
      http2: http2Options(),
    },
    transportSocket: { kind: 'raw' },
    transportSocketMatches: [],
    bufferLimitBytes: 1024 * 1024,
    metadata: { destinationHost: undefined, destinationName: undefined, destinationNamespace: undefined },
    tcpKeepalive: undefined,
    version: nextVersion(),
    ...overrides,
  };
}

export function prefixMatch(value: string, overrides: Partial<RouteMatch> = {}): RouteMatch {
  return {
    path: { kind: 'prefix', value },
    caseSensitive: true,
    headers: [],
    queryParameters: [],
    runtimeFraction: undefined,
    grpcOnly: false,
    tls: undefined,
    ...overrides,
  };
}

export function forwardTo(clusterName: string, overrides: Partial<ForwardAction> = {}): ForwardAction {
  return {
    clusters: [{ cluster: clusterName, weight: 1, headers: noEdits }],
    randomValueHeader: undefined,
    mirrors: [],
    clusterNotFoundStatus: 503,
    prefixRewrite: undefined,
    regexRewrite: undefined,
    hostRewrite: undefined,
    appendXForwardedHost: false,
    timeoutMs: 15_000,
    idleTimeoutMs: undefined,
    retryPolicy: undefined,
    priority: 'default',
    maxStreamDuration: undefined,
    ...overrides,
  };
}

export function route(forward: ForwardAction, overrides: Partial<Route> = {}): Route {
  return {
    name: '',
    match: prefixMatch('/'),
    action: { kind: 'forward', forward },
    headers: noEdits,
    filterConfigs: new Map(),
    requestBufferLimitBytes: undefined,
    ...overrides,
  };
}

export function virtualHost(routes: readonly Route[], overrides: Partial<VirtualHost> = {}): VirtualHost {
  return {
    name: 'host',
    domains: ['*'],
    routes,
    headers: noEdits,
    retryPolicy: undefined,
    includeRequestAttemptCount: false,
    includeAttemptCountInResponse: false,
    requireTls: 'none',
    mirrors: [],
    filterConfigs: new Map(),
    virtualClusters: [],
    requestBufferLimitBytes: undefined,
    ...overrides,
  };
}

export function routeTable(
  name: string,
  virtualHosts: readonly VirtualHost[],
  overrides: Partial<RouteTable> = {},
): RouteTable {
  return {
    name,
    virtualHosts,
    vhds: false,
    ignorePortInHostMatching: false,
    headers: noEdits,
    mostSpecificHeaderEditsWin: false,
    internalOnlyHeaders: [],
    mirrors: [],
    filterConfigs: new Map(),
    version: nextVersion(),
    ...overrides,
  };
}

export function retryPolicy(conditions: readonly string[], overrides: Partial<RetryPolicy> = {}): RetryPolicy {
  return {
    retryOn: retryOnFrom(conditions.join(','), (name) => {
      throw new Error(`no condition: ${name}`);
    }),
    numRetries: 1,
    perTryTimeoutMs: 0,
    perTryIdleTimeoutMs: 0,
    backOffBaseMs: 1,
    backOffMaxMs: 10,
    retriableStatusCodes: new Set(),
    retriableHeaders: [],
    retriableRequestHeaders: [],
    rateLimitedBackOff: undefined,
    avoidPreviousHosts: false,
    hostSelectionRetryMaxAttempts: 1,
    ...overrides,
  };
}

export function httpManager(overrides: Partial<HttpConnectionManagerConfig> = {}): HttpConnectionManagerConfig {
  return {
    kind: 'http-connection-manager',
    statPrefix: 'test',
    codec: 'auto',
    routeConfigName: 'routes',
    httpFilters: [{ kind: 'router', name: 'router', disabled: false }],
    useRemoteAddress: false,
    earlyHeaderMutations: [],
    xffNumTrustedHops: 0,
    skipXffAppend: false,
    internalAddresses: undefined,
    appendXForwardedPort: false,
    schemeToOverwrite: undefined,
    headersWithUnderscores: 'allow',
    generateRequestId: true,
    preserveExternalRequestId: false,
    alwaysSetRequestIdInResponse: false,
    serverName: 'envoy',
    serverHeader: 'overwrite',
    via: '',
    forwardClientCert: 'sanitize',
    setCurrentClientCert: { subject: false, uri: false, dns: false, cert: false, chain: false },
    normalizePath: false,
    mergeSlashes: false,
    pathWithEscapedSlashes: 'keep-unchanged',
    stripAnyHostPort: false,
    stripMatchingHostPort: false,
    stripTrailingHostDot: false,
    allowAbsoluteUrl: true,
    acceptHttp10: false,
    maxRequestHeadersKb: 60,
    maxHeadersCount: 100,
    requestTimeoutMs: 0,
    requestHeadersTimeoutMs: 0,
    streamIdleTimeoutMs: 300_000,
    idleTimeoutMs: 3_600_000,
    maxConnectionDurationMs: 0,
    drainTimeoutMs: 5000,
    delayedCloseTimeoutMs: 1000,
    maxRequestsPerConnection: 0,
    maxStreamDurationMs: 0,
    http2: http2Options(),
    accessLogs: [],
    upgrades: [],
    suppressEnvoyHeaders: false,
    ...overrides,
  };
}

export function chain(filter: NetworkFilter, overrides: Partial<FilterChain> = {}): FilterChain {
  return {
    name: 'chain',
    match: { destinationPort: undefined, serverNames: [], transportProtocol: undefined, applicationProtocols: [] },
    downstreamTls: undefined,
    filter,
    ...overrides,
  };
}

const anyPort: BindAddress = { kind: 'ip', address: '127.0.0.1', port: 0 };

export function listener(
  filterChains: readonly FilterChain[],
  overrides: Partial<ListenerConfig> = {},
): ListenerConfig {
  return {
    name: 'listener',
    address: anyPort,
    direction: 'outbound',
    proxyProtocol: undefined,
    tlsInspector: false,
    httpInspector: false,
    listenerFiltersTimeoutMs: 15_000,
    continueOnListenerFiltersTimeout: false,
    bufferLimitBytes: 1024 * 1024,
    backlog: 4096,
    filterChains,
    defaultFilterChain: undefined,
    version: nextVersion(),
    ...overrides,
  };
}

export interface ConfigParts {
  readonly listeners?: readonly ListenerConfig[];
  readonly routes?: readonly RouteTable[];
  readonly clusters?: readonly ClusterConfig[];
  readonly endpoints?: readonly ClusterEndpoints[];
}

export function runtimeConfig(parts: ConfigParts): RuntimeConfig {
  return {
    listeners: new Map((parts.listeners ?? []).map((entry) => [entry.name, entry])),
    routes: new Map((parts.routes ?? []).map((entry) => [entry.name, entry])),
    clusters: new Map((parts.clusters ?? []).map((entry) => [entry.name, entry])),
    endpoints: new Map((parts.endpoints ?? []).map((entry) => [entry.clusterName, entry])),
    secrets: new Map(),
  };
}
