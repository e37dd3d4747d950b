/** Requests over a window, and what was carried as TCP. */
export interface Traffic {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /** Between 0 and 1; null when nothing was finished in the window. */
  readonly successRate: number | null;
  /** Requests in the window. */
  readonly requests: number;
  readonly errors: number;
  /** Absent where nothing is carried as TCP. */
  readonly tcp?: TcpTraffic;
}

/** TCP connections over a window. */
export interface TcpTraffic {
  readonly connectionsPerSecond: number;
  /** Both directions together; 0 where the callers' proxies do not tell (Envoy). */
  readonly bytesPerSecond: number;
  /** Connections opened in the window. */
  readonly connections: number;
  /** Attempts to open one in the window that failed. */
  readonly failed: number;
  /** Connections that are open now. */
  readonly open: number;
}

/** `strict`: only mutual TLS; `permissive`: plaintext too; `disabled`: plaintext only; `mixed`: instances or ports differ. */
export type MtlsMode = 'strict' | 'permissive' | 'disabled' | 'mixed';

/** mTLS of a service as its instances enforce it. */
export interface MtlsState {
  /** Undefined when no instance has a sidecar. */
  readonly mode: MtlsMode | undefined;
  /** Instances with a sidecar, and all. */
  readonly secured: number;
  readonly instances: number;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  /** As the proxies carry it: `http`, `http2` (with gRPC), `grpc-web`, `tcp`, `udp`, or `auto`: found out for each connection. */
  readonly protocol: string;
  /** Whether the service says so; else it is `auto`, or `tcp` by the number of the port. */
  readonly declared: boolean;
  /** What clients were seen to speak, as far as proxies tell (Envoy does not). */
  readonly seen: readonly SeenProtocol[];
  /** What should be declared, by what was seen; absent where nothing is wrong. */
  readonly advice?: PortAdvice;
}

export interface SeenProtocol {
  /** `grpc` is counted by request, all others by connection. */
  readonly protocol: 'http1' | 'http2' | 'grpc' | 'tls' | 'tcp' | 'server-first';
  /** By the proxies that are there now, since each was started. */
  readonly count: number;
  /** RFC 3339. */
  readonly lastSeen: string;
}

export interface PortAdvice {
  /** `undeclared`: it works, after a look at each connection. `mismatch`: what clients speak is not what is declared. */
  readonly kind: 'undeclared' | 'mismatch';
  /** `port 6379 declares no protocol; tcp was seen` */
  readonly message: string;
  /** ``declare `appProtocol: tcp` `` */
  readonly fix: string;
}

/** One row of `weft status` and of the first page. */
export interface ServiceSummary {
  readonly namespace: string;
  readonly name: string;
  /** `reviews.default.svc.cluster.local` */
  readonly host: string;
  readonly ports: readonly ServicePort[];
  readonly instances: readonly InstanceSummary[];
  readonly readyInstances: number;
  readonly mtls: MtlsState;
  /** Seen by the callers' proxies; the sum over all of them. */
  readonly traffic: Traffic;
}

export interface InstanceSummary {
  /** Name of the WorkloadEntry, and of its Proxy. */
  readonly name: string;
  readonly version?: string;
  readonly address: string;
  readonly ready: boolean;
  /** `weft`, `envoy`, or undefined without a sidecar. */
  readonly engine?: string;
  /** As the callers' proxies saw this instance. */
  readonly traffic: Traffic;
}

/** Something that went wrong lately, newest first. */
export interface RecentError {
  /** RFC 3339. */
  readonly at: string;
  readonly kind: 'nack' | 'rejected' | 'requests' | 'control-plane';
  /** What it is about: a proxy, a resource, a service. */
  readonly subject: string;
  readonly message: string;
}

export interface Overview {
  /** RFC 3339. */
  readonly at: string;
  readonly windowSeconds: number;
  readonly trustDomain: string;
  /** Whose effective defaults the mesh has. */
  readonly defaults: 'istio' | 'envoy';
  readonly services: readonly ServiceSummary[];
  readonly proxies: { readonly total: number; readonly connected: number; readonly synced: number };
  readonly errors: readonly RecentError[];
}

/** Calls of one service to another in the window. */
export interface Edge {
  /** Caller: the namespace and name of its service account and, where it has one, its service. */
  readonly source: { readonly namespace: string; readonly name: string };
  readonly destination: {
    readonly host: string;
    readonly port: number;
    /** Empty without one. */
    readonly subset: string;
  };
  readonly traffic: Traffic;
}

export interface EdgeList {
  readonly at: string;
  readonly windowSeconds: number;
  readonly edges: readonly Edge[];
}
