import type { Endpoint } from './endpoint.ts';
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
  readonly protocol: Protocol;
  readonly discovery: ClusterDiscovery;
  readonly connectTimeoutMs: number;
  readonly loadBalancer: 'round-robin' | 'least-request' | 'random';
  readonly limits: CircuitLimits;
  /** 0 = no limit. */
  readonly maxRequestsPerConnection: number;
  /** Idle time of a pooled HTTP connection; undefined = Envoy's default, 1 h. */
  readonly httpIdleTimeoutMs: number | undefined;
  /** Seconds of silence before TCP keep-alive probes; undefined = none. */
  readonly tcpKeepaliveSec: number | undefined;
  readonly tls: ClusterTls;
  readonly origins: readonly OriginRef[];
}

/** What a port speaks, as far as the proxies care. */
export type Protocol = 'http' | 'tcp';

export type ClusterDiscovery =
  /** By EDS under the cluster's own name. */
  | { readonly kind: 'endpoints' }
  /** Each endpoint's address is a host name, looked up in DNS. */
  | { readonly kind: 'dns'; readonly endpoints: readonly Endpoint[] };

export interface CircuitLimits {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
}

/** How the cluster's endpoints are spoken to. */
export type ClusterTls =
  /** Mutual TLS with endpoints that have a sidecar, plaintext with others. */
  | { readonly kind: 'auto'; readonly mutual: MutualTls }
  /** Mutual TLS with all. */
  | { readonly kind: 'mutual'; readonly mutual: MutualTls }
  | { readonly kind: 'disabled' };

export interface MutualTls {
  readonly sni: string;
  /** SPIFFE ids, one of which the peer must have; never empty (no identity known means: none is accepted). */
  readonly peerIds: readonly string[];
}

/** No limit: what Istio writes where a DestinationRule says nothing. */
export const unlimited = 4_294_967_295;
