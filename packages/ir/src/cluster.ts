import type { Endpoint } from './endpoint.ts';
import type { HashPolicy } from './http-route.ts';
import type { OriginRef } from './origin.ts';

/** Where requests to one port (and subset) of a service go. */
export interface OutboundCluster {
  /** `outbound|<port>|<subset>|<host>`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Empty for the whole service. */
  readonly subset: string;
  /** The resource that declares the service, for metrics. */
  readonly service: { readonly name: string; readonly namespace: string };
  readonly protocol: ClusterProtocol;
  readonly discovery: ClusterDiscovery;
  readonly connectTimeoutMs: number;
  readonly loadBalancer: LoadBalancer;
  /** What routes to the cluster make the hash of, where it balances by hash. */
  readonly hash: HashPolicy | undefined;
  /** How a new endpoint comes up to its full share; undefined = at once. */
  readonly slowStart: SlowStart | undefined;
  /** Localities get shares of the traffic by their weights; false = only their endpoints count. */
  readonly byLocalityWeight: boolean;
  /** Requests stay in the zone of the client as far as that keeps the load even; absent = zones make no difference. */
  readonly zoneAware?: ZoneAware;
  readonly outlierDetection: OutlierDetection | undefined;
  /** Absent = endpoints are not checked. */
  readonly healthCheck?: HealthCheck;
  /** With fewer healthy endpoints than this share health is not looked at any more; 0 = it always is, undefined = Envoy's 50 %. */
  readonly panicPercent: number | undefined;
  readonly limits: CircuitLimits;
  /** 0 = no limit. */
  readonly maxRequestsPerConnection: number;
  /** Streams on one HTTP/2 connection; undefined = what the peer allows. */
  readonly maxConcurrentStreams: number | undefined;
  /** Idle time of a pooled HTTP connection; undefined = Envoy's default, 1 h. */
  readonly httpIdleTimeoutMs: number | undefined;
  /** PINGs on HTTP/2 connections; undefined = none. */
  readonly http2Keepalive: { readonly intervalMs: number; readonly timeoutMs: number } | undefined;
  /** Of connections, pooled or relayed. */
  readonly tcp: TcpLimits;
  /** The header of the PROXY protocol that each connection begins with. */
  readonly proxyProtocol: 1 | 2 | undefined;
  /** TCP keep-alive probes; undefined = none. */
  readonly tcpKeepalive: TcpKeepalive | undefined;
  readonly tls: ClusterTls;
  readonly origins: readonly OriginRef[];
}

/**
 * What a port speaks, as far as the proxies care: `http` is HTTP/1.1, `http2` includes gRPC, `grpc-web` is gRPC whose callers may speak
 * gRPC-Web, `tcp` is opaque, `auto` is found out for each connection.
 */
export type Protocol = 'http' | 'http2' | 'grpc-web' | 'tcp' | 'auto';

/**
 * What is spoken to the endpoints of a cluster. `http-by-alpn` is HTTP/2 where a TLS peer agrees, else HTTP/1.1: the server behind it
 * must be a proxy that speaks to the application as it wants. `http-as-downstream` is the version in which the request came, and no
 * other, so that it reaches an application whose version nobody declared.
 */
export type ClusterProtocol = 'tcp' | 'http1' | 'http2' | 'http-by-alpn' | 'http-as-downstream';

export type ClusterDiscovery =
  /** By EDS. `assignment`: the name asked for, the cluster's own or, where it depends on who looks, that and `@` and from where. */
  | { readonly kind: 'endpoints'; readonly assignment: string }
  /** Each endpoint's address is a host name, looked up in DNS: every address found is an endpoint, or (`one`) the first alone. */
  | { readonly kind: 'dns'; readonly endpoints: readonly Endpoint[]; readonly addresses: 'all' | 'one' };

/** Envoy's `ZoneAwareLbConfig`. The client has to know its peers: the endpoints of the local cluster. */
export interface ZoneAware {
  /** Endpoints of the first priority below which zones make no difference; undefined = Envoy's 6. */
  readonly minClusterSize: number | undefined;
}

/** Envoy's `SlowStartConfig`. */
export interface SlowStart {
  readonly windowMs: number;
  /** Share at the beginning; undefined = Envoy's 10. */
  readonly minimumPercent: number | undefined;
  /** 1 (undefined) = the share grows evenly, more = faster at first. */
  readonly aggression: number | undefined;
}

/** Probes on silent connections; undefined = as the system of the proxy has it. */
export interface TcpKeepalive {
  /** Silence before the first one. */
  readonly timeSec: number | undefined;
  /** Between two. */
  readonly intervalSec: number | undefined;
  /** Without answer before the connection counts as dead. */
  readonly probes: number | undefined;
}

/** What an HTTP proxy is asked for. */
export interface Tunnel {
  /** POST: the body and the answer are the two directions. */
  readonly method: 'CONNECT' | 'POST';
  /** `host:port` to connect to. */
  readonly to: string;
}

/** Life of a connection. */
export interface TcpLimits {
  /** Silence in both directions after which a relayed connection is closed; 0 = never, undefined = Envoy's 1 h. */
  readonly idleTimeoutMs: number | undefined;
  /** Age at which a connection is closed (one of HTTP: drained); undefined = any. */
  readonly maxDurationMs: number | undefined;
  /** The endpoints are HTTP proxies that relayed connections go through; absent = they themselves are meant. */
  readonly tunnel?: Tunnel;
  /** Relayed connections go by the client's address, where the cluster balances by hash; absent = false. */
  readonly bySourceIp?: true;
}

export type LoadBalancer =
  | { readonly kind: 'round-robin' | 'random' | 'peak-ewma' }
  | ({ readonly kind: 'least-request' } & LeastRequestSettings)
  | ({ readonly kind: 'ring-hash'; readonly minimumRingSize: number } & BoundedLoad)
  | ({ readonly kind: 'maglev'; readonly tableSize: number } & BoundedLoad);

/** Envoy's names and, where absent, its defaults (2 and 1). */
export interface LeastRequestSettings {
  readonly choiceCount?: number | undefined;
  readonly activeRequestBias?: number | undefined;
}

export interface BoundedLoad {
  /** Most requests of an endpoint, in percent of the mean of all (Envoy's `hash_balance_factor`); absent = any. */
  readonly boundedLoadPercent?: number;
}

/** Active checks of each endpoint, over the transport of the cluster. */
export interface HealthCheck {
  /** Whether the cluster is used or not. */
  readonly intervalMs: number;
  /** At most so much is added to each interval. */
  readonly jitterMs: number;
  readonly timeoutMs: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  readonly check: HttpCheck | GrpcCheck | TcpCheck;
}

export interface HttpCheck {
  readonly kind: 'http';
  readonly http2: boolean;
  readonly method: HttpCheckMethod;
  readonly path: string;
  /** Authority of the request. */
  readonly host: string;
  /** First and last status of ranges that are well; at least one. Others count as failures like any. */
  readonly expectedStatuses: readonly (readonly [number, number])[];
}

export type HttpCheckMethod = 'GET' | 'HEAD' | 'OPTIONS' | 'POST';

/** `grpc.health.v1.Health/Check` */
export interface GrpcCheck {
  readonly kind: 'grpc';
  /** Empty = the server as a whole. */
  readonly service: string;
  readonly authority: string;
}

export interface TcpCheck {
  readonly kind: 'tcp';
  /** Hexadecimal; empty = nothing is sent. */
  readonly send: string;
  /** Hexadecimal; empty = a connection is enough. */
  readonly receive: readonly string[];
}

/** When an endpoint is left out for a while because of how it answers. */
export interface OutlierDetection {
  /** Undefined = not looked at. */
  readonly consecutive5xx: number | undefined;
  readonly consecutiveGatewayErrors: number | undefined;
  /** Errors of connecting are counted apart; undefined = among the others. */
  readonly consecutiveLocalErrors: number | undefined;
  /** Statuses that are errors, in place of 5xx; HTTP only, at least one. Absent = 5xx. */
  readonly errorStatuses?: readonly number[];
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionPercent: number;
  /** Those with far less success than the others are left out, too, by Envoy's bounds. Absent = no. */
  readonly bySuccessRate?: true;
}

export interface CircuitLimits {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  /** Takes the place of `maxRetries`. */
  readonly retryBudget?: RetryBudget;
}

/** How many retries may be under way. */
export interface RetryBudget {
  /** Of the requests under way, or of those of `intervalMs`. */
  readonly percent: number;
  /** Always so many. */
  readonly minConcurrency: number;
  /** Requests that began in so much time count, in place of those under way; absent = the latter. */
  readonly intervalMs?: number;
}

/** How the cluster's endpoints are spoken to. */
export type ClusterTls =
  /** Mutual TLS with endpoints that have a sidecar, plaintext with others. */
  | { readonly kind: 'auto'; readonly mutual: MutualTls }
  /** Mutual TLS with all. */
  | { readonly kind: 'mutual'; readonly mutual: MutualTls }
  /** TLS of its own with servers that are not of the mesh. */
  | { readonly kind: 'originate'; readonly origination: TlsOrigination }
  | { readonly kind: 'disabled' };

export interface TlsOrigination {
  /** undefined = none is sent; then `subjectAltNames` are there, unless nothing is verified. */
  readonly sni: string | undefined;
  /** Names of which the server's certificate must have one; empty = that of `sni`. */
  readonly subjectAltNames: readonly string[];
  readonly roots: TlsRoots;
  /** File of revoked certificates, beside roots that are no secret; absent = none. */
  readonly crlPath?: string;
  /** What is shown to a server that asks. */
  readonly certificate: CertificateSource | undefined;
}

/** `system`: those of the machine. `none`: nothing is verified, which a user must have asked for. */
export type TlsRoots =
  | { readonly kind: 'system' | 'none' }
  /** A secret of the control plane, by SDS. */
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string };

export type CertificateSource = { readonly kind: 'secret'; readonly name: string } | CertificateFiles;

/** Absolute paths on the machine of the proxy. */
export interface CertificateFiles {
  readonly kind: 'files';
  readonly certificatePath: string;
  readonly keyPath: string;
}

export interface MutualTls {
  readonly sni: string;
  /** SPIFFE ids, one of which the peer must have; never empty (no identity known means: none is accepted). */
  readonly peerIds: readonly string[];
}

/** No limit: what Istio writes where a DestinationRule says nothing. */
export const unlimited = 4_294_967_295;
