import type { LatencyEstimate } from '../load-balancer/peak-ewma.ts';
import type { EndpointConfig, LocalityEndpoints, UpstreamTransportSocket } from '../runtime-config/config.ts';
import type { EndpointStatus } from '../runtime-config/load-balancing.ts';
import type { EndpointInfo } from '../stream-info.ts';
import { conditionOf, describeHealth, HealthFlag, isExcluded, statusOf, withEdsStatus } from './endpoint-health.ts';
import type { OutcomeCode, OutcomeObserver } from './outcome.ts';

/** What was counted for one address; outlives a change of the cluster's configuration. */
export class EndpointCounters {
  requestsTotal = 0;
  requestsSuccess = 0;
  requestsError = 0;
  connectionsTotal = 0;
  connectFailures = 0;
  requestsActive = 0;
  connectionsActive = 0;
  /** Bytes of TCP connections, both directions together; those of HTTP are not counted here. */
  tcpBytes = 0;
}

/** One address of a cluster. */
export class Endpoint implements EndpointInfo {
  readonly address: string;
  #config: EndpointConfig;
  region: string;
  zone: string;
  subZone: string;
  priority: number;
  readonly counters: EndpointCounters;
  /** How connections to it are made: the cluster's socket or the first that matches its metadata. */
  transportSocket: UpstreamTransportSocket;
  /** Requests that this cluster object has in flight here; what least-request looks at. */
  active = 0;
  /** It left the cluster: connections in use finish, none is made or kept. */
  removed = false;
  /** How fast it answers; only where the cluster's policy goes by it. */
  latency: LatencyEstimate | undefined = undefined;
  /** When it was first seen, or passed its active check after having failed; monotonic. Slow start begins there. */
  healthySinceMs = 0;
  /** Sum of `HealthFlag`; set by {@link setHealthFlag}. */
  #healthFlags = 0;
  #condition: 'healthy' | 'degraded' | 'unhealthy' = 'healthy';
  #excluded = false;
  /** The cluster that balances over it: is told when what the balancer sees of its health changes. */
  owner: EndpointOwner | undefined = undefined;
  /** Is told how tries end. */
  observer: OutcomeObserver | undefined = undefined;
  /** Its active health checks, which answers to requests may anticipate. */
  checks: ImmediateFailure | undefined = undefined;
  /** It left the list, but its health checks go on passing: it stays until they fail (`ignore_health_on_host_removal`). */
  pendingRemoval = false;
  /** TCP connections that end when it becomes unhealthy; undefined: they go on. */
  tcpConnections: Set<Closable> | undefined = undefined;

  constructor(
    address: string,
    config: EndpointConfig,
    locality: LocalityEndpoints,
    transportSocket: UpstreamTransportSocket,
    counters: EndpointCounters,
  ) {
    this.address = address;
    this.#config = config;
    this.region = locality.region;
    this.zone = locality.zone;
    this.subZone = locality.subZone;
    this.priority = locality.priority;
    this.transportSocket = transportSocket;
    this.counters = counters;
    this.#setFlags(withEdsStatus(0, statusFrom(config)));
  }

  get config(): EndpointConfig {
    return this.#config;
  }

  /** Takes what EDS says now, its health included; what health checks and outlier detection said stays. */
  set config(config: EndpointConfig) {
    this.#config = config;
    this.#setFlags(withEdsStatus(this.#healthFlags, statusFrom(config)));
  }

  /** A try has come so far: see {@link OutcomeObserver.onOutcome}. */
  reportOutcome(outcome: OutcomeCode, status: number, grpcStatus: number): void {
    this.observer?.onOutcome(outcome, status, grpcStatus);
  }

  /** Of EDS, active checks and outlier detection together: what balancing goes by. */
  get condition(): 'healthy' | 'degraded' | 'unhealthy' {
    return this.#condition;
  }

  /** The condition, or `draining` where EDS says so. */
  get health(): EndpointConfig['health'] {
    return this.#condition === 'unhealthy' && this.#config.health === 'draining' ? 'draining' : this.#condition;
  }

  /** Not checked for the first time yet: left out where healthy parts are reckoned. */
  get excluded(): boolean {
    return this.#excluded;
  }

  get healthFlags(): number {
    return this.#healthFlags;
  }

  /** What stands for all flags in `override_host_status`. */
  get status(): EndpointStatus {
    return statusOf(this.#healthFlags, statusFrom(this.#config));
  }

  /** Envoy's words for the flags. */
  get healthText(): string {
    return describeHealth(this.#healthFlags);
  }

  /**
   * Sets or clears one `HealthFlag`. Costs next to nothing: the balancer looks at its lists again at the next choice only.
   * @param nowMs monotonic; with it, an endpoint whose active check passes again begins slow start.
   */
  setHealthFlag(flag: number, on: boolean, nowMs?: number): void {
    const before = this.#healthFlags;
    const isNewlyPassing =
      !on && (before & flag & (HealthFlag.failedActiveCheck | HealthFlag.pendingActiveCheck)) !== 0;
    if (isNewlyPassing && nowMs !== undefined) {
      this.healthySinceMs = nowMs;
    }
    this.#setFlags(on ? before | flag : before & ~flag);
  }

  #setFlags(flags: number): void {
    if (flags === this.#healthFlags) {
      return;
    }
    this.#healthFlags = flags;
    const condition = conditionOf(flags);
    const excluded = isExcluded(flags);
    if (condition !== this.#condition || excluded !== this.#excluded) {
      this.#condition = condition;
      this.#excluded = excluded;
      this.owner?.onHealthChange(this);
    }
  }

  get weight(): number {
    return this.config.weight;
  }
}

/** Who is told that an endpoint said of itself, in the answer to a request, that it is to be left out. */
export interface ImmediateFailure {
  failImmediately(): void;
}

/** What can be broken off. */
export interface Closable {
  destroy(): void;
}

/** Who is to know of changes of an endpoint's health. */
export interface EndpointOwner {
  onHealthChange(endpoint: Endpoint): void;
}

function statusFrom(config: EndpointConfig): EndpointStatus {
  return config.status ?? config.health;
}

/** `ip:port`, `[ip6]:port` or the path of a pipe. */
export function endpointAddress(config: EndpointConfig): string {
  const { address, logicalName } = config;
  if (logicalName !== undefined) {
    return logicalName;
  }
  if (address.kind === 'pipe') {
    return address.path;
  }
  return address.address.includes(':') ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
