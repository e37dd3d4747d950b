/**
 * What the proxy runs on: plain immutable values made from accepted xDS resources (`from-xds/`), never the wire types
 * themselves. A change of configuration is a new `RuntimeConfig` and one assignment; requests in flight finish on what
 * they began with. Field comments name the xDS field that a value comes from.
 */

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
  readonly accessLogs: readonly AccessLogConfig[];
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
  readonly xffNumTrustedHops: number;
  readonly skipXffAppend: boolean;
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

/** HTTP filters the proxy knows, in the order of the resource; the router is last. */
export type HttpFilterConfig = { readonly kind: 'router' | 'on-demand' | 'grpc-web' };

/** `envoy.extensions.access_loggers.*`: `path` is a file, `/dev/stdout` or `/dev/stderr`. */
export interface AccessLogConfig {
  readonly path: string;
  readonly format:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'json'; readonly fields: Readonly<Record<string, string>> };
}

// ---------------------------------------------------------------------------------------------- routes

/** `envoy.config.route.v3.RouteConfiguration`, ready to be looked up: build it once, match many times. */
export interface RouteTable {
  readonly name: string;
  /** All virtual hosts, RDS and VHDS together. Domains may be exact, `*.suffix`, `prefix.*` or `*`. */
  readonly virtualHosts: readonly VirtualHost[];
  /** Hosts that are unknown are asked for by VHDS. */
  readonly vhds: boolean;
  readonly ignorePortInHostMatching: boolean;
  readonly headers: HeaderEdits;
  readonly version: string;
}

export interface VirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
  readonly headers: HeaderEdits;
  readonly retryPolicy: RetryPolicy | undefined;
  readonly includeRequestAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  readonly requireTls: 'none' | 'external-only' | 'all';
}

export interface Route {
  /** `Route.name`; appears as `%ROUTE_NAME%` and in metrics. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly headers: HeaderEdits;
}

export interface RouteMatch {
  readonly path: PathMatch;
  readonly caseSensitive: boolean;
  readonly headers: readonly HeaderMatch[];
  readonly queryParameters: readonly QueryParameterMatch[];
  /** Numerator out of a million; undefined = always. */
  readonly runtimeFraction: number | undefined;
  readonly grpcOnly: boolean;
}

export type PathMatch =
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'path-separated-prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly regex: LinearRegex };

/** A regular expression that matches in linear time, anchored at both ends by {@link test}. */
export interface LinearRegex {
  readonly source: string;
  /** Whole-string match. */
  test(text: string): boolean;
  /** Replaces every match; `\1`…`\9` in the substitution are groups. */
  replaceAll(text: string, substitution: string): string;
}

export type StringMatch =
  | { readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains'; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'regex'; readonly regex: LinearRegex };

export interface HeaderMatch {
  /** Lower case; pseudo headers `:method`, `:path`, `:authority`, `:scheme` included. */
  readonly name: string;
  readonly invert: boolean;
  readonly treatMissingAsEmpty: boolean;
  readonly match:
    | { readonly kind: 'present'; readonly present: boolean }
    | { readonly kind: 'range'; readonly start: bigint; readonly end: bigint }
    | StringMatch;
}

export interface QueryParameterMatch {
  readonly name: string;
  readonly match: { readonly kind: 'present'; readonly present: boolean } | StringMatch;
}

export type RouteAction =
  | { readonly kind: 'forward'; readonly forward: ForwardAction }
  | { readonly kind: 'redirect'; readonly redirect: RedirectAction }
  | { readonly kind: 'direct-response'; readonly status: number; readonly body: Uint8Array };

/** `envoy.config.route.v3.RouteAction` */
export interface ForwardAction {
  readonly clusters: readonly WeightedCluster[];
  readonly clusterNotFoundStatus: 503 | 404 | 500;
  readonly prefixRewrite: string | undefined;
  readonly regexRewrite: { readonly regex: LinearRegex; readonly substitution: string } | undefined;
  readonly hostRewrite:
    | { readonly kind: 'literal'; readonly value: string }
    | { readonly kind: 'auto' }
    | { readonly kind: 'header'; readonly name: string }
    | undefined;
  readonly appendXForwardedHost: boolean;
  /** Whole request, from its end to the response's end. 0 = off; Envoy's default of 15 s applies when unset. */
  readonly timeoutMs: number;
  /** undefined: that of the connection manager. */
  readonly idleTimeoutMs: number | undefined;
  readonly retryPolicy: RetryPolicy | undefined;
  readonly priority: 'default' | 'high';
  readonly maxStreamDuration: StreamDurationLimit | undefined;
}

/** `envoy.config.route.v3.RouteAction.MaxStreamDuration` */
export interface StreamDurationLimit {
  /** Longest life of a request; 0 = none, undefined = that of the connection manager. */
  readonly maxMs: number | undefined;
  /** Set: the `grpc-timeout` of a request takes the place of `maxMs`, up to this bound (0 = unbounded). */
  readonly grpcTimeoutMaxMs: number | undefined;
  /** Taken off what `grpc-timeout` says, so that we time out before the client does. */
  readonly grpcTimeoutOffsetMs: number;
}

export interface WeightedCluster {
  readonly cluster: string;
  /** Relative to the sum over the list; a single entry has weight 1. */
  readonly weight: number;
  readonly headers: HeaderEdits;
}

export interface RedirectAction {
  readonly scheme: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path:
    | { readonly kind: 'path'; readonly value: string }
    | { readonly kind: 'prefix'; readonly value: string }
    | { readonly kind: 'regex'; readonly regex: LinearRegex; readonly substitution: string }
    | undefined;
  readonly stripQuery: boolean;
  readonly status: 301 | 302 | 303 | 307 | 308;
}

/** Additions first, then removals, as Envoy does. Names keep their case on the wire. */
export interface HeaderEdits {
  readonly requestAdd: readonly HeaderAddition[];
  readonly requestRemove: readonly string[];
  readonly responseAdd: readonly HeaderAddition[];
  readonly responseRemove: readonly string[];
}

export interface HeaderAddition {
  readonly name: string;
  /** Literal text or `%COMMAND%` pieces, parsed once. */
  readonly value: string;
  readonly action: 'append' | 'add-if-absent' | 'overwrite' | 'overwrite-if-exists';
  readonly keepEmptyValue: boolean;
}

/** `envoy.config.route.v3.RetryPolicy` */
export interface RetryPolicy {
  /** Lower-case condition names: `5xx`, `connect-failure`, `retriable-status-codes`, … */
  readonly retryOn: ReadonlySet<string>;
  readonly numRetries: number;
  /** 0 = the route's timeout. */
  readonly perTryTimeoutMs: number;
  readonly perTryIdleTimeoutMs: number;
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  readonly retriableStatusCodes: ReadonlySet<number>;
  readonly retriableHeaders: readonly HeaderMatch[];
  readonly avoidPreviousHosts: boolean;
  readonly hostSelectionRetryMaxAttempts: number;
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
    | {
        readonly kind: 'strict-dns';
        readonly endpoints: ClusterEndpoints;
        readonly refreshMs: number;
        readonly respectTtl: boolean;
      };
  readonly connectTimeoutMs: number;
  readonly loadBalancer:
    | { readonly kind: 'round-robin' }
    | { readonly kind: 'least-request'; readonly choiceCount: number; readonly activeRequestBias: number }
    | { readonly kind: 'random' };
  /** Percent of healthy endpoints below which all are used; 0 = never. */
  readonly panicThresholdPercent: number;
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
  readonly tcpKeepalive: { readonly timeSec: number } | undefined;
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
}

export interface UpstreamHttpOptions {
  readonly protocol: 'http1' | 'http2' | 'auto' | 'use-downstream';
  /** Idle time of a pooled connection; 0 = none; default 1 h. */
  readonly idleTimeoutMs: number;
  readonly maxRequestsPerConnection: number;
  /** Connections older than this take no new requests; 0 = no limit. */
  readonly maxConnectionDurationMs: number;
  readonly http2: Http2Options;
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
  readonly version: string;
}

export interface LocalityEndpoints {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
  readonly weight: number;
  readonly priority: number;
  readonly endpoints: readonly EndpointConfig[];
}

export interface EndpointConfig {
  readonly address: BindAddress;
  readonly hostname: string;
  readonly health: 'healthy' | 'unhealthy' | 'draining' | 'degraded';
  readonly weight: number;
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

// ---------------------------------------------------------------------------------------------- TLS

/** Where a key pair or trust bundle comes from. `local` is the proxy's own identity (SDS cluster `sds-grpc`). */
export type SecretRef = { readonly source: 'local' | 'ads'; readonly name: string };

export interface TlsCommon {
  readonly certificate: SecretRef | undefined;
  readonly validation: TlsValidation | undefined;
  readonly alpn: readonly string[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly cipherSuites: readonly string[];
}

export interface TlsValidation {
  readonly trustBundle: SecretRef;
  /** Any of them must match a URI SAN of the peer; empty = any SAN. */
  readonly subjectAltNames: readonly StringMatch[];
}

export interface DownstreamTls extends TlsCommon {
  readonly requireClientCertificate: boolean;
}

export interface UpstreamTls extends TlsCommon {
  readonly sni: string;
}

/** `envoy.extensions.transport_sockets.tls.v3.Secret` */
export type SecretConfig =
  | {
      readonly kind: 'validation-context';
      readonly name: string;
      readonly trustBundlePem: string;
      readonly version: string;
    }
  | {
      readonly kind: 'certificate';
      readonly name: string;
      readonly chainPem: string;
      readonly key: unknown;
      readonly version: string;
    };
