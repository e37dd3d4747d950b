/**
 * What the proxy runs on: plain immutable values made from accepted xDS resources (`from-xds/`), never the wire types
 * themselves. A change of configuration is a new `RuntimeConfig` and one assignment; requests in flight finish on what
 * they began with. Field comments name the xDS field that a value comes from.
 */

import type { DnsOptions, OriginalDestinationOptions } from './discovery.ts';
import type { EndpointHealthCheck, HealthCheckConfig } from './health-check.ts';
import type { BalancingOptions, EndpointStatus, LoadBalancerPolicy, SessionConfig } from './load-balancing.ts';
import type { OutlierDetectionConfig, ResponseMatch } from './outlier-detection.ts';
import type { HeaderAddition, HeaderMatch, RouteTable, StringMatch, WeightedCluster } from './route-config.ts';
import type { DownstreamTls, SecretConfig, UpstreamTls } from './tls-config.ts';
import type { JsonObject } from './wire/schema.ts';

export type { RetryPolicy } from './retry-policy.ts';
export type {
  ClusterName,
  ForwardAction,
  GrpcTimeoutBound,
  HeaderAddition,
  HeaderEdits,
  HeaderMatch,
  LinearRegex,
  MirrorPolicy,
  PathMatch,
  QueryParameterMatch,
  RedirectAction,
  Route,
  RouteAction,
  RouteMatch,
  RouteTable,
  StreamDurationLimit,
  StringMatch,
  VirtualHost,
  WeightedCluster,
} from './route-config.ts';
export type {
  CertificatePins,
  DownstreamTls,
  SecretConfig,
  SecretMaterial,
  SecretRef,
  SubjectAltNameMatch,
  TlsCommon,
  TlsValidation,
  UpstreamTls,
} from './tls-config.ts';

import type { TcpKeepalive } from '../transport/tcp-keepalive.ts';

/** Everything at once. Maps are keyed by resource name. */
export interface RuntimeConfig {
  readonly listeners: ReadonlyMap<string, ListenerConfig>;
  readonly routes: ReadonlyMap<string, RouteTable>;
  readonly clusters: ReadonlyMap<string, ClusterConfig>;
  /** Keyed by EDS service name. */
  readonly endpoints: ReadonlyMap<string, ClusterEndpoints>;
  readonly secrets: ReadonlyMap<string, SecretConfig>;
}

// ---------------------------------------------------------------------------------------------- listeners

/** `envoy.config.listener.v3.Listener` */
export interface ListenerConfig {
  readonly name: string;
  readonly address: BindAddress;
  /** `traffic_direction`: decides the reporter of metrics. */
  readonly direction: 'inbound' | 'outbound' | 'unspecified';
  /** What a PROXY protocol header at the beginning of a connection is to be; undefined: it is no header, but the client's bytes. */
  readonly proxyProtocol: ProxyProtocolConfig | undefined;
  /** Connections beyond it are closed at once. Absent: no limit. */
  readonly connectionRate?: ConnectionRateLimit;
  /** Needed by any filter chain match on server name, transport protocol or ALPN. */
  readonly tlsInspector: boolean;
  /** Gives `http/1.0`, `http/1.1`, `h2c` to matches on application protocols, for connections without TLS. */
  readonly httpInspector: boolean;
  /** How long the three above may wait for the client's first bytes; 0: for ever. */
  readonly listenerFiltersTimeoutMs: number;
  /** After that time the connection goes on with what is known, rather than being closed. */
  readonly continueOnListenerFiltersTimeout: boolean;
  /** Output that a client does not take before its upstream is not read any more. Default 1 MiB. */
  readonly bufferLimitBytes: number;
  /** Length of the kernel's queue of connections that nobody has accepted (`tcp_backlog_size`). */
  readonly backlog: number;
  /**
   * `enable_reuse_port`, where it was said: several processes share the port. Envoy's default is true for its threads; ours is false, as two proxies that
   * know nothing of each other would share a port silently.
   */
  readonly reusePort?: boolean;
  readonly filterChains: readonly FilterChain[];
  readonly defaultFilterChain: FilterChain | undefined;
  /** Content hash of the resource; an unchanged version keeps the socket. */
  readonly version: string;
}

/** `envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol` */
export interface ProxyProtocolConfig {
  /** A connection that does not begin with a header is taken as it is. */
  readonly allowWithoutHeader: boolean;
  /** Versions that are refused. */
  readonly refusedVersions: readonly (1 | 2)[];
}

/** `envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit` */
export interface ConnectionRateLimit {
  /** Connections that may come at once. */
  readonly maxTokens: number;
  /** So many more may come in each interval. */
  readonly tokensPerFill: number;
  readonly fillIntervalMs: number;
}

export type BindAddress =
  | {
      readonly kind: 'ip';
      readonly address: string;
      readonly port: number;
      /** A listener on an IPv6 address (`::`) takes IPv4 as well. Default: IPv6 only, as in Envoy. */
      readonly ipv4Compat?: boolean;
    }
  | {
      readonly kind: 'pipe';
      readonly path: string;
      /** Permissions of a listener's socket file; absent: what the process's umask leaves. */
      readonly mode?: number;
    };

/** `envoy.config.listener.v3.FilterChain` */
export interface FilterChain {
  readonly name: string;
  readonly match: FilterChainMatch;
  readonly downstreamTls: DownstreamTls | undefined;
  readonly filter: NetworkFilter;
}

/** Absent means "any". Order of evaluation as in Envoy: port, server name, transport protocol, ALPN. */
export interface FilterChainMatch {
  readonly destinationPort: number | undefined;
  readonly serverNames: readonly string[];
  readonly transportProtocol: 'tls' | 'raw_buffer' | undefined;
  readonly applicationProtocols: readonly string[];
}

/** Terminal network filters that the proxy knows. */
export type NetworkFilter = TcpProxyConfig | HttpConnectionManagerConfig;

/** `envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy` */
export interface TcpProxyConfig {
  readonly kind: 'tcp-proxy';
  readonly statPrefix: string;
  readonly clusters: readonly WeightedCluster[];
  /** 0: none. Default 1 h. */
  readonly idleTimeoutMs: number;
  /** Age at which a connection is ended, whatever it does; 0: none. */
  readonly maxConnectionDurationMs: number;
  readonly maxConnectAttempts: number;
  /** Clusters with ring hash or Maglev choose by the address of the client. */
  readonly hashBySourceIp?: boolean;
  /** The endpoints are HTTP proxies; absent: they themselves are meant. */
  readonly tunnel?: TunnelConfig;
  readonly accessLogs: readonly AccessLogConfig[];
}

/** What HTTP proxies are asked for, in the HTTP that their cluster speaks. `…tcp_proxy.v3.TcpProxy.TunnelingConfig` */
export interface TunnelConfig {
  /** `host:port` to connect to. */
  readonly to: string;
  readonly method: 'CONNECT' | 'POST';
  /** Of POST. */
  readonly path: string;
}

/** `envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager` */
export interface HttpConnectionManagerConfig {
  readonly kind: 'http-connection-manager';
  readonly statPrefix: string;
  readonly codec: 'auto' | 'http1' | 'http2';
  /** Name in `RuntimeConfig.routes` (inline tables are registered under `<listener>/<chain>/inline`). */
  readonly routeConfigName: string;
  readonly httpFilters: readonly HttpFilterConfig[];
  readonly useRemoteAddress: boolean;
  /** Of requests, before a route is looked for. */
  readonly earlyHeaderMutations: readonly HeaderMutation[];
  readonly xffNumTrustedHops: number;
  readonly skipXffAppend: boolean;
  /** Whose requests count as internal (`internal_address_config`); undefined: nobody's. */
  readonly internalAddresses: InternalAddresses | undefined;
  readonly appendXForwardedPort: boolean;
  /** Takes the place of what the client and its connection say. */
  readonly schemeToOverwrite: 'http' | 'https' | undefined;
  readonly headersWithUnderscores: 'allow' | 'reject' | 'drop';
  readonly generateRequestId: boolean;
  readonly preserveExternalRequestId: boolean;
  readonly alwaysSetRequestIdInResponse: boolean;
  /** Value of the `server` response header and how it is set. */
  readonly serverName: string;
  readonly serverHeader: 'overwrite' | 'append-if-absent' | 'pass-through';
  /** `via`, empty when none. */
  readonly via: string;
  readonly forwardClientCert: 'sanitize' | 'forward-only' | 'append-forward' | 'sanitize-set' | 'always-forward-only';
  readonly setCurrentClientCert: {
    readonly subject: boolean;
    readonly uri: boolean;
    readonly dns: boolean;
    readonly cert: boolean;
    readonly chain: boolean;
  };
  readonly normalizePath: boolean;
  readonly mergeSlashes: boolean;
  readonly pathWithEscapedSlashes: 'keep-unchanged' | 'reject' | 'unescape-and-redirect' | 'unescape-and-forward';
  readonly stripAnyHostPort: boolean;
  readonly stripMatchingHostPort: boolean;
  readonly stripTrailingHostDot: boolean;
  /** `http_protocol_options.allow_absolute_url`, default true. */
  readonly allowAbsoluteUrl: boolean;
  readonly acceptHttp10: boolean;
  readonly maxRequestHeadersKb: number;
  readonly maxHeadersCount: number;
  /** All in milliseconds, 0 = off. */
  readonly requestTimeoutMs: number;
  readonly requestHeadersTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxConnectionDurationMs: number;
  readonly drainTimeoutMs: number;
  readonly delayedCloseTimeoutMs: number;
  readonly maxRequestsPerConnection: number;
  /** Longest life of a request, from its first byte; routes may say otherwise. */
  readonly maxStreamDurationMs: number;
  readonly http2: Http2Options;
  readonly accessLogs: readonly AccessLogConfig[];
  readonly upgrades: readonly string[];
  readonly suppressEnvoyHeaders: boolean;
}

export interface InternalAddresses {
  /** Clients that come by a Unix socket. */
  readonly unixSockets: boolean;
  readonly ranges: readonly { readonly address: string; readonly prefixLength: number }[];
}

/** HTTP filters the proxy knows, in the order of the resource; the router is last. */
export type HttpFilterConfig = {
  /** By which routes configure it. */
  readonly name: string;
  /** Off unless a route says otherwise. */
  readonly disabled: boolean;
} & (
  | { readonly kind: 'router' | 'on-demand' | 'grpc-web' | 'cors' }
  | { readonly kind: 'fault'; readonly fault: FaultConfig }
  | { readonly kind: 'health-check'; readonly healthCheck: HealthCheckFilterConfig }
  | { readonly kind: 'header-mutation'; readonly mutations: HeaderMutations; readonly mostSpecificWins: boolean }
  /** Without a session it does nothing where routes do not give one. */
  | { readonly kind: 'stateful-session'; readonly session: SessionConfig | undefined }
);

/** What a table, virtual host, route or weighted cluster says about a filter (`typed_per_filter_config`). */
export type RouteFilterConfig =
  | { readonly kind: 'disabled' }
  | { readonly kind: 'enabled' }
  | { readonly kind: 'fault'; readonly fault: FaultConfig }
  | { readonly kind: 'cors'; readonly policy: CorsPolicy }
  | { readonly kind: 'stateful-session'; readonly session: SessionConfig | undefined }
  | { readonly kind: 'header-mutation'; readonly mutations: HeaderMutations };

/** By filter name. */
export type RouteFilterConfigs = ReadonlyMap<string, RouteFilterConfig>;

/** `envoy.extensions.filters.http.health_check.v3.HealthCheck` */
export interface HealthCheckFilterConfig {
  /** The upstream is asked; otherwise the proxy answers by itself. */
  readonly passThrough: boolean;
  /** How long what the upstream answered is given to others; 0: not at all. */
  readonly cacheTimeMs: number;
  /** Percent of usable endpoints that clusters have to have, by name. */
  readonly clusterMinHealthyPercentages: ReadonlyMap<string, number>;
  /** Which requests are health checks: all have to match. */
  readonly headers: readonly HeaderMatch[];
}

/** `envoy.extensions.filters.http.fault.v3.HTTPFault`. Fractions are numerators out of a million. */
export interface FaultConfig {
  readonly delay:
    | { readonly kind: 'fixed'; readonly ms: number; readonly fraction: number }
    | { readonly kind: 'header'; readonly fraction: number }
    | undefined;
  readonly abort:
    | { readonly kind: 'http'; readonly status: number; readonly fraction: number }
    | { readonly kind: 'grpc'; readonly status: number; readonly fraction: number }
    | { readonly kind: 'header'; readonly fraction: number }
    | undefined;
  readonly responseRateLimit:
    | { readonly kind: 'fixed'; readonly kibPerSecond: number; readonly fraction: number }
    | { readonly kind: 'header'; readonly fraction: number }
    | undefined;
  /** Empty: any. */
  readonly upstreamCluster: string;
  readonly headers: readonly HeaderMatch[];
  /** `x-envoy-downstream-service-node` of the clients concerned; empty: all. */
  readonly downstreamNodes: ReadonlySet<string>;
  /** Faults under way at once, by this filter; undefined = no limit. */
  readonly maxActiveFaults: number | undefined;
}

/**
 * `envoy.extensions.filters.http.cors.v3.CorsPolicy`. What is empty or undefined is as the next less specific policy has it; if none has it,
 * nothing is sent.
 */
export interface CorsPolicy {
  readonly allowOrigins: readonly StringMatch[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly allowCredentials: boolean | undefined;
  readonly allowPrivateNetworkAccess: boolean | undefined;
  /** Default true. */
  readonly forwardNotMatchingPreflights: boolean | undefined;
  /** Numerator out of a million. */
  readonly enabledFraction: number;
  /** The same for counting only. */
  readonly shadowFraction: number;
}

/** `envoy.extensions.filters.http.header_mutation.v3.Mutations`, in order. */
export interface HeaderMutations {
  readonly request: readonly HeaderMutation[];
  readonly response: readonly HeaderMutation[];
}

export type HeaderMutation =
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'add'; readonly addition: HeaderAddition };

/** `envoy.extensions.access_loggers.*`: `path` is a file, `/dev/stdout` or `/dev/stderr`. */
export interface AccessLogConfig {
  readonly path: string;
  readonly format:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'json'; readonly fields: Readonly<Record<string, string>> };
}

// ---------------------------------------------------------------------------------------------- clusters

/** `envoy.config.cluster.v3.Cluster` */
export interface ClusterConfig {
  readonly name: string;
  /** `alt_stat_name`, or the name. */
  readonly statName: string;
  readonly discovery:
    | { readonly kind: 'static'; readonly endpoints: ClusterEndpoints }
    | { readonly kind: 'eds'; readonly serviceName: string }
    | { readonly kind: 'dns'; readonly endpoints: ClusterEndpoints; readonly dns: DnsOptions }
    /** `endpoints` are none. */
    | {
        readonly kind: 'original-dst';
        readonly endpoints: ClusterEndpoints;
        readonly original: OriginalDestinationOptions;
      };
  readonly connectTimeoutMs: number;
  readonly loadBalancer: LoadBalancerPolicy;
  /** Absent: Envoy's defaults. */
  readonly balancing?: BalancingOptions;
  /** Percent of healthy endpoints below which all are used; 0 = never. */
  readonly panicThresholdPercent: number;
  readonly outlierDetection?: OutlierDetectionConfig | undefined;
  /** Active checks. */
  readonly healthCheck?: HealthCheckConfig | undefined;
  /** An endpoint that leaves the list goes at once, also when its checks pass. Default false. */
  readonly ignoreHealthOnHostRemoval?: boolean;
  /** TCP connections to an endpoint end when it becomes unhealthy. Default false. */
  readonly closeConnectionsOnHealthFailure?: boolean;
  /** It is usable when its endpoints were checked or resolved once, not before. Default true. */
  readonly waitForWarm?: boolean;
  /** Connections to one endpoint. Absent: no limit of their own. */
  readonly maxConnectionsPerEndpoint?: number | undefined;
  readonly circuitBreakers: { readonly default: CircuitBreakerThresholds; readonly high: CircuitBreakerThresholds };
  readonly upstreamHttp: UpstreamHttpOptions;
  readonly transportSocket: UpstreamTransportSocket;
  /** First whose `match` is a subset of the endpoint's `envoy.transport_socket_match` metadata wins. */
  readonly transportSocketMatches: readonly {
    readonly name: string;
    readonly match: Readonly<Record<string, string>>;
    readonly transportSocket: UpstreamTransportSocket;
  }[];
  /** `per_connection_buffer_limit_bytes`. Default 1 MiB. */
  readonly bufferLimitBytes: number;
  /** Labels for metrics, from `metadata.filter_metadata.istio.services` and ours. */
  readonly metadata: ClusterMetadata;
  readonly tcpKeepalive: TcpKeepalive | undefined;
  readonly version: string;
}

export interface ClusterMetadata {
  readonly destinationHost: string | undefined;
  readonly destinationName: string | undefined;
  readonly destinationNamespace: string | undefined;
}

export interface CircuitBreakerThresholds {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  /** What is left is told in metrics (`track_remaining`). */
  readonly tracksRemaining?: boolean;
  /** Takes the place of `maxRetries`. */
  readonly retryBudget?: RetryBudget;
}

/** `envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget` */
export interface RetryBudget {
  /** Of the requests under way and waiting, or of those of `intervalMs`. */
  readonly percent: number;
  /** Retries that may always be under way. */
  readonly minConcurrency: number;
  /** Requests that were sent in so much time count, in place of those under way. Absent: the latter. */
  readonly intervalMs?: number;
}

export interface UpstreamHttpOptions {
  readonly protocol: 'http1' | 'http2' | 'auto' | 'use-downstream';
  /** Idle time of a pooled connection; 0 = none; default 1 h. */
  readonly idleTimeoutMs: number;
  readonly maxRequestsPerConnection: number;
  /** Connections older than this take no new requests; 0 = no limit. */
  readonly maxConnectionDurationMs: number;
  readonly http2: Http2Options;
  /** Responses that outlier detection takes for errors (500, if their status is lower), as it takes all others for good (200). Absent: it goes by the status. */
  readonly outlierErrors?: ResponseMatch;
}

/** `envoy.config.core.v3.Http2ProtocolOptions`: what one of our HTTP/2 connections allows and asks for. */
export interface Http2Options {
  /** Downstream: streams that a client may have at once. Upstream: the most that we open on one connection, if the peer allows it. */
  readonly maxConcurrentStreams: number;
  readonly initialStreamWindowBytes: number;
  readonly initialConnectionWindowBytes: number;
  /** `hpack_table_size` */
  readonly headerTableSizeBytes: number;
  /** Clients may ask for extended CONNECT (RFC 8441). */
  readonly allowConnect: boolean;
  /** A PING goes out this often; 0 = never. */
  readonly keepaliveIntervalMs: number;
  /** The connection ends when a PING is not answered in this time. */
  readonly keepaliveTimeoutMs: number;
  /** Up to so many percent of the interval are added at random. */
  readonly keepaliveJitterPercent: number;
}

export type UpstreamTransportSocket = (
  | { readonly kind: 'raw' }
  | { readonly kind: 'tls'; readonly tls: UpstreamTls }
) & {
  /** Version of the PROXY protocol header that goes first, before TLS; absent: none. */
  readonly proxyProtocol?: 1 | 2;
};

/** `envoy.config.endpoint.v3.ClusterLoadAssignment` */
export interface ClusterEndpoints {
  readonly clusterName: string;
  readonly localities: readonly LocalityEndpoints[];
  readonly overprovisioningFactor: number;
  /** The health of a priority goes by the weights of endpoints rather than by their number. */
  readonly weightedPriorityHealth?: boolean;
  readonly version: string;
}

export interface LocalityEndpoints {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
  /** Where localities are weighted; 0: gets nothing then. */
  readonly weight: number;
  readonly priority: number;
  readonly endpoints: readonly EndpointConfig[];
}

export interface EndpointConfig {
  readonly address: BindAddress;
  /** Tried as well when connecting takes long or fails. Absent: none. */
  readonly additionalAddresses?: readonly BindAddress[];
  /** `name:port` that the endpoint is known by, whatever its address is now (logical DNS). */
  readonly logicalName?: string;
  readonly hostname: string;
  readonly health: 'healthy' | 'unhealthy' | 'draining' | 'degraded';
  /** What EDS said, where `health` does not tell: UNKNOWN counts as healthy, TIMEOUT as unhealthy. */
  readonly status?: EndpointStatus;
  readonly weight: number;
  /** `envoy.lb` metadata: `hash_key`, and what subsets are made of. Absent: none. */
  readonly lbMetadata?: JsonObject;
  readonly healthCheck?: EndpointHealthCheck | undefined;
  /** `envoy.transport_socket_match` metadata. */
  readonly transportSocketMatch: Readonly<Record<string, string>>;
  /** `istio.workload` metadata: name, namespace, canonical name, canonical revision, cluster. */
  readonly workload: WorkloadLabels | undefined;
}

/** Who a workload is, for metric labels. Absent facts are `unknown`. */
export interface WorkloadLabels {
  readonly workload: string;
  readonly namespace: string;
  readonly canonicalName: string;
  readonly canonicalRevision: string;
  readonly cluster: string;
}
