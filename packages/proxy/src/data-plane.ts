import type { Clock, Logger, Unsubscribe } from '@weft/base';
import type { Http2Counters } from '@weft/http-codec';
import type { CircuitBreaker } from './cluster/circuit-breaker.ts';
import type { DnsResolver } from './cluster/dns-resolver.ts';
import type { DownstreamCounters } from './filter/http/http-context.ts';
import type { HealthCheckCounters } from './health-check/health-check-counters.ts';
import type { BalancerCounters } from './load-balancer/priority-set.ts';
import type { ProtocolsSeen } from './load-report/protocols-seen.ts';
import type { OutlierCounters } from './outlier-detection/outlier-counters.ts';
import type { Relief } from './overload/overload-manager.ts';
import type { OverloadState } from './overload/overload-state.ts';
import type {
  ClusterConfig,
  HttpConnectionManagerConfig,
  ListenerConfig,
  RuntimeConfig,
  SecretMaterial,
  SecretRef,
  TcpProxyConfig,
} from './runtime-config/config.ts';
import type { EndpointStatus as EdsHealthStatus } from './runtime-config/load-balancing.ts';
import type { ConnectionRecord, EndpointInfo, StreamInfo } from './stream-info.ts';

/** Key material that TLS needs. The private key comes by a function so that printing the object does not show it. */
export type { SecretMaterial } from './runtime-config/config.ts';

/** Where the data plane finds secrets. What changes is used for new connections; established ones go on. */
export interface SecretSource {
  /** undefined: not there yet; whoever needs it waits or refuses connections. */
  get(ref: SecretRef): SecretMaterial | undefined;
  /** Calls `listener` after any secret came, changed or went. */
  subscribe(listener: (ref: SecretRef) => void): Unsubscribe;
}

/** `answered`: it is known whether there is such a host. `unavailable`: nobody could be asked, or no answer came in time. */
export type VirtualHostAnswer = 'answered' | 'unavailable';

export interface DataPlaneOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly secrets: SecretSource;
  /** Called once at the end of each request, whatever its fate. Must not throw, must not keep `info`. */
  onStreamEnd(info: StreamInfo, listener: ListenerConfig, manager: HttpConnectionManagerConfig): void;
  /** Called when a connection of the TCP proxy is open (for gauges and "opened" counters). */
  onTcpStart(record: ConnectionRecord, listener: ListenerConfig, proxy: TcpProxyConfig): void;
  /** Called when it ended; `proxy` is undefined when no filter chain took the connection or its handshake failed. */
  onTcpEnd(record: ConnectionRecord, listener: ListenerConfig, proxy: TcpProxyConfig | undefined): void;
  /**
   * Asks for the virtual host of an authority that the route table does not know (VHDS). Resolves when the answer has
   * been applied or it is known that there is none. Called at most once at a time for each pair.
   */
  requestVirtualHost(routeConfigName: string, authority: string): Promise<VirtualHostAnswer>;
  /** How long a listener or cluster waits for what it needs before it goes on without. Default 15,000. */
  readonly warmingTimeoutMs?: number;
  /** How long connections of a removed filter chain may live on. Default 45,000. */
  readonly drainTimeMs?: number;
  /** Downstream connections in all; further ones are closed when they are accepted. Default 50,000. */
  readonly maxConnections?: number;
  /** Written by the overload manager, read by connections and requests. Default: one that nobody writes. */
  readonly overload?: OverloadState;
  /** TCP and TLS go through Node's streams, as they do with a version of Node whose handles are others. Default false. */
  readonly portable?: boolean;
  /** Default: the operating system's resolver. */
  readonly resolveDns?: DnsResolver;
  /** `node.cluster`: what answers to health checks say that this proxy serves. */
  readonly nodeCluster?: string;
  /** Where this proxy is, for balancing by zone. Default: not known. */
  readonly locality?: { readonly region: string; readonly zone: string; readonly subZone: string };
  /** The cluster that this proxy itself is an endpoint of (Envoy's `local_cluster_name`). Default: not known. */
  readonly localCluster?: string;
}

/** What became of a configuration. */
export interface ApplyResult {
  /** Listeners that could not be brought up (port taken, …); those that had been running go on as they were. */
  readonly failedListeners: readonly { readonly name: string; readonly reason: string }[];
}

export interface ListenerStatus {
  readonly name: string;
  /** As bound: the real port where 0 was asked for. */
  readonly address: string;
  readonly port: number;
  readonly direction: ListenerConfig['direction'];
  readonly state: 'warming' | 'active' | 'draining';
  /** What a warming listener waits for. */
  readonly waitingFor: readonly string[];
  readonly config: ListenerConfig;
  readonly connectionsActive: number;
  readonly connectionsTotal: number;
  /** Connections by what the inspectors took them for: `tls`, `http/1.0`, `http/1.1`, `h2c`, `tcp`, `plaintext`. */
  readonly detected: ReadonlyMap<string, number>;
  /** Clients that did not say enough in time. */
  readonly inspectionTimeouts: number;
  /** Connections that no filter chain matched. */
  readonly connectionsWithoutChain: number;
}

/** Counters only grow, gauges (`…Active`, `…Pending`) go both ways. */
export interface EndpointStatus {
  readonly info: EndpointInfo;
  readonly priority: number;
  readonly health: 'healthy' | 'unhealthy' | 'draining' | 'degraded';
  /** Sum of `HealthFlag`: who says so. */
  readonly healthFlags: number;
  /** What EDS says. */
  readonly edsStatus: EdsHealthStatus;
  readonly requestsTotal: number;
  readonly requestsSuccess: number;
  readonly requestsError: number;
  readonly requestsActive: number;
  readonly connectionsTotal: number;
  readonly connectionsActive: number;
  readonly connectFailures: number;
  /** Bytes of TCP connections, both directions together. */
  readonly tcpBytes: number;
}

export interface ClusterStatus {
  readonly name: string;
  readonly config: ClusterConfig;
  readonly state: 'warming' | 'active';
  readonly endpoints: readonly EndpointStatus[];
  readonly requestsTotal: number;
  readonly requestsActive: number;
  readonly requestsPending: number;
  readonly requestsPendingOverflow: number;
  readonly requestTimeouts: number;
  readonly perTryTimeouts: number;
  readonly perTryIdleTimeouts: number;
  readonly retries: number;
  readonly retriesBackOffExponential: number;
  readonly retriesBackOffRateLimited: number;
  readonly retrySuccess: number;
  readonly retryOverflow: number;
  readonly retryLimitExceeded: number;
  readonly connectionsTotal: number;
  readonly connectionsActive: number;
  readonly connectFailures: number;
  readonly connectTimeouts: number;
  readonly connectionOverflow: number;
  readonly balancer: Readonly<BalancerCounters>;
  /** What is in use, by priority. */
  readonly breakers: { readonly default: Readonly<CircuitBreaker>; readonly high: Readonly<CircuitBreaker> };
  /** Ejections by outlier detection. */
  readonly outliers: Readonly<OutlierCounters>;
  readonly healthChecks: Readonly<HealthCheckCounters>;
  /** Of `connectionsTotal`, those that speak HTTP, … */
  readonly httpConnectionsTotal: number;
  /** … and HTTP/2. */
  readonly http2ConnectionsTotal: number;
  readonly http2: Readonly<Http2Counters>;
}

/** The part of the proxy that carries traffic. */
export interface DataPlane {
  /**
   * Makes `config` the one that new connections and requests use. Resolves when every listener is active (warm) or has
   * failed or given up waiting; never rejects. Calls may overlap: the last configuration wins.
   */
  apply(config: RuntimeConfig): Promise<ApplyResult>;
  /** Stops accepting, tells peers to go (`Connection: close`), resolves when all is idle or `timeoutMs` is over. */
  drain(timeoutMs: number): Promise<void>;
  /** Closes every socket at once. */
  close(): Promise<void>;
  clusters(): readonly ClusterStatus[];
  listeners(): readonly ListenerStatus[];
  /** Defects of the proxy that closed a connection. */
  faults(): number;
  /** What was counted of HTTP client connections. */
  downstreamHttp(): DownstreamCounters;
  /** What clients were seen to speak on each listener. */
  protocolsSeen(): ProtocolsSeen;
  /** Connections of clients, those under inspection or in a handshake included. */
  connections(): number;
  /** What can be given back when means run out. */
  readonly relief: Relief;
}
