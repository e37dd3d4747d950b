import type { CertificateFiles, HttpCheckMethod, OutboundCluster, Protocol, TcpLimits } from './cluster.ts';
import type { Destination, HttpRoutes } from './http-route.ts';
import type { OriginRef } from './origin.ts';

/** Everything that one workload's proxy is to do, in terms of neither the resources nor the wire. Immutable. */
export interface WorkloadIr {
  readonly workload: Workload;
  /** undefined: no access log. */
  readonly accessLogPath: string | undefined;
  readonly pathNormalization: PathNormalization;
  /** undefined: the workload has no HTTP proxy address. */
  readonly httpProxy: HttpProxy | undefined;
  /** Sorted by host and port. */
  readonly upstreams: readonly Upstream[];
  /** Sorted by port. */
  readonly inbound: readonly Inbound[];
  /** Of a gateway: what it opens to the outside. Sorted by socket. */
  readonly gateway: readonly GatewayListener[];
  /** What a workload dials whose own gRPC library takes the place of a proxy, sorted by authority; undefined for other engines. */
  readonly grpcTargets: readonly VirtualHost[] | undefined;
  /** All clusters that the above refer to and that exist, sorted by name. */
  readonly clusters: readonly OutboundCluster[];
  /** Every resource used, sorted; those behind endpoints are with the endpoints. */
  readonly origins: readonly OriginRef[];
}

/**
 * What becomes of the path of a request before routes see it, Istio's four modes: nothing; `base`: segments of dots
 * are resolved and `\` is `/`; also slashes in a row become one; also escaped slashes (`%2F`, `%5C`) become slashes before that.
 */
export type PathNormalization = (typeof pathNormalizations)[number];
export const pathNormalizations = ['none', 'base', 'merge-slashes', 'decode-and-merge-slashes'] as const;

/** Which program the proxy is: they differ in what they can negotiate. */
export type ProxyEngine = 'weft' | 'envoy';

/** What carries the traffic of a workload. `grpc`: no proxy, the workload's own gRPC library is configured (proxyless). */
export type Engine = ProxyEngine | 'grpc';

/** Whose proxy it is. */
export interface Workload {
  readonly engine: Engine;
  readonly namespace: string;
  readonly name: string;
  /** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` */
  readonly identity: string;
  readonly trustDomain: string;
}

/** A socket to listen on. */
export interface ListenAddress {
  /** An IP address, or `unix://` and the path of a socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
}

/** The explicit HTTP proxy of the workload: the authority of a request chooses the virtual host. */
export interface HttpProxy {
  /** The address that the workload is told; undefined: none, and there is `alsoAt`. */
  readonly listen: ListenAddress | undefined;
  /** More sockets with the same virtual hosts, at least one. Absent: there are none. */
  readonly alsoAt?: readonly ListenAddress[];
  /** Sorted by authority; the authorities are distinct. */
  readonly virtualHosts: readonly VirtualHost[];
}

/** One authority as the workload writes it. */
export interface VirtualHost {
  /** Lower case, with the port if the workload writes one. */
  readonly authority: string;
  /** undefined: nothing in the mesh has this name; requests are answered 404. */
  readonly routes: HttpRoutes | undefined;
}

/** A declared upstream: a local port that leads to one service. */
export type Upstream = HttpUpstream | TcpUpstream | AutoUpstream;

export interface HttpUpstream {
  readonly kind: 'http';
  /** Of the service, in full. */
  readonly host: string;
  readonly port: number;
  readonly listen: ListenAddress;
  readonly routes: HttpRoutes;
}

export interface TcpUpstream {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
  readonly listen: ListenAddress;
  readonly destinations: readonly Destination[];
  readonly limits: TcpLimits;
  /** Where connections of TLS with certain server names go instead. */
  readonly byServerName: readonly ServerNameRoute[];
  readonly origins: readonly OriginRef[];
}

/** Connections of TLS by the name that the client says; nothing of them is decrypted. */
export interface ServerNameRoute {
  /** Exact names and `*.suffix`, at least one; distinct over the upstream. */
  readonly serverNames: readonly string[];
  readonly destinations: readonly Destination[];
  readonly limits: TcpLimits;
}

/** HTTP or not is seen from the first bytes of each connection. */
export interface AutoUpstream {
  readonly kind: 'auto';
  readonly host: string;
  readonly port: number;
  readonly listen: ListenAddress;
  /** Of connections that begin as HTTP/1 or HTTP/2. */
  readonly routes: HttpRoutes;
  /** Of all others. */
  readonly destinations: readonly Destination[];
  readonly limits: TcpLimits;
  readonly byServerName: readonly ServerNameRoute[];
  readonly origins: readonly OriginRef[];
}

/** A port on which peers reach the workload. */
export interface Inbound {
  readonly name: string;
  readonly protocol: Protocol;
  /** Where peers connect to. */
  readonly listen: ListenAddress;
  /** Where the application listens; to a Unix socket the port is only a name. */
  readonly app: ListenAddress;
  /** `strict`: mutual TLS only; `permissive`: plaintext as well; `disabled`: plaintext only. */
  readonly mutualTls: 'strict' | 'permissive' | 'disabled';
  /** Limits and life of connections to the application; absent = none but Envoy's own. Of listeners that lead to one port, the first's count. */
  readonly pool?: InboundPool;
  /** Health checks of callers that get the answer of the application from the proxy; absent = each reaches the application. HTTP only. */
  readonly healthAnswers?: readonly HealthAnswer[];
  /** With `disabled`: TLS of its own, in place of plaintext. */
  readonly tls?: GatewayTls;
  /** The service that the port belongs to, for metrics; undefined when none selects the workload. */
  readonly service: { readonly host: string; readonly name: string; readonly namespace: string } | undefined;
  readonly origins: readonly OriginRef[];
}

/** Health checks that are alike, and how long an answer to one counts for all. */
export interface HealthAnswer {
  readonly method: HttpCheckMethod;
  readonly path: string;
  /** Authority of the request. */
  readonly host: string;
  readonly cacheMs: number;
}

/** What holds for the connections of a proxy to its application. */
export type InboundPool = Pick<
  OutboundCluster,
  | 'connectTimeoutMs'
  | 'limits'
  | 'maxRequestsPerConnection'
  | 'maxConcurrentStreams'
  | 'httpIdleTimeoutMs'
  | 'http2Keepalive'
  | 'tcp'
  | 'tcpKeepalive'
>;

/** One socket of a gateway. */
export interface GatewayListener {
  /** As the Gateways say it; that of `listen` may be another one. 0 for a Unix socket. */
  readonly port: number;
  /** The address that they say; undefined: that of the gateway. */
  readonly bind: string | undefined;
  readonly listen: ListenAddress;
  /** PROXY protocol headers are expected (and required) at the beginning of connections. */
  readonly proxyProtocol: boolean;
  /** Proxies in front of this one whose `x-forwarded-for` is believed. */
  readonly trustedHops: number;
  /** By server name, most specific first; a socket without TLS has one chain without names. */
  readonly chains: readonly GatewayChain[];
  /** Of all chains that carry HTTP: their one route configuration, so that a chain knows what others have. */
  readonly virtualHosts: readonly GatewayVirtualHost[];
  /** Of the socket and its chains; virtual hosts have their own. */
  readonly origins: readonly OriginRef[];
}

/** What happens to connections of some server names. */
export interface GatewayChain {
  /** Unique in the listener; part of names on the wire and in metrics. */
  readonly name: string;
  /** Exact names and `*.suffix`; empty = all that no other chain takes. */
  readonly serverNames: readonly string[];
  /** undefined: bytes are taken as they come (plaintext, or TLS that is passed through). */
  readonly tls: GatewayTls | undefined;
  readonly traffic: GatewayHttp | GatewayTcp;
}

/** TLS with clients that need not be of the mesh. */
export interface GatewayTls {
  /**
   * Names of SDS secrets `kubernetes://<namespace>/<name>`, or files of the machine, at least one; that which fits the server name is
   * shown. `mesh`: the workload's own.
   */
  readonly certificates: readonly string[] | readonly CertificateFiles[] | 'mesh';
  readonly client: GatewayClientCertificates;
  readonly minVersion: '1.0' | '1.1' | '1.2' | '1.3' | undefined;
  readonly maxVersion: '1.0' | '1.1' | '1.2' | '1.3' | undefined;
  /** OpenSSL names; empty = the proxy's own list. */
  readonly cipherSuites: readonly string[];
}

/** SHA-256 of certificates (hexadecimal) and of their keys (SPKI, base64): a certificate must be, or have, one of all. */
export interface CertificatePins {
  readonly certificates: readonly string[];
  readonly keys: readonly string[];
}

/** With `subjectAltNames` or `pins` nobody comes in without a certificate, even if it is not required (Envoy's rule). */
export type GatewayClientCertificates =
  | { readonly kind: 'none' }
  /** `required` false: asked for, and verified when there is one. */
  | {
      readonly kind: 'verified';
      readonly required: boolean;
      /** SDS secret or file with the roots, or those of the mesh. */
      readonly roots:
        | { readonly kind: 'secret'; readonly name: string }
        | { readonly kind: 'file'; readonly path: string }
        | { readonly kind: 'mesh' };
      /** Names of which the certificate must have one; empty = any. */
      readonly subjectAltNames: readonly string[];
      /** File of revoked certificates; absent = none, but what comes with the roots. */
      readonly crlPath?: string;
      /** Certificates that are meant; absent = any. */
      readonly pins?: CertificatePins;
    }
  /** Asked for, but clients without one, or with a bad one, come in all the same: nobody behind is told of it. */
  | { readonly kind: 'unverified'; readonly roots: { readonly kind: 'secret'; readonly name: string } };

/** The virtual hosts of the socket say what becomes of a request. */
export interface GatewayHttp {
  readonly kind: 'http';
}

export interface GatewayVirtualHost {
  readonly name: string;
  /** Exact, `*.suffix` or `*`; distinct over the route configuration. */
  readonly domains: readonly string[];
  /** Name of the chain that has them: requests that come by another one are misdirected, and answered 421. undefined: any chain has them. */
  readonly chain: string | undefined;
  readonly routes: HttpRoutes;
  /** Plaintext requests are answered with a redirect to `https`. */
  readonly httpsRedirect: boolean;
}

export interface GatewayTcp {
  readonly kind: 'tcp';
  /** Empty: connections are closed. */
  readonly destinations: readonly Destination[];
  /** Absent: Envoy's defaults. */
  readonly limits?: TcpLimits;
  readonly origins: readonly OriginRef[];
}
