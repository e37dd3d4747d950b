import { Endpoint, type EndpointOwner, endpointAddress } from '../endpoint/endpoint.ts';
import { HealthFlag } from '../endpoint/endpoint-health.ts';
import { HealthChecker } from '../health-check/health-checker.ts';
import type { Balancer } from '../load-balancer/balancer.ts';
import { binaryText } from '../load-balancer/hash64.ts';
import { LatencyEstimate } from '../load-balancer/peak-ewma.ts';
import type { PickContext } from '../load-balancer/pick-context.ts';
import { type PriorityOptions, PrioritySet } from '../load-balancer/priority-set.ts';
import { SubsetBalancer } from '../load-balancer/subset-balancer.ts';
import type { LocalCluster } from '../load-balancer/zone-routing.ts';
import { OutlierDetector } from '../outlier-detection/outlier-detector.ts';
import { HttpPool, type PoolProtocol } from '../pool/http-pool.ts';
import type { UpstreamContext } from '../pool/upstream-context.ts';
import type {
  ClusterConfig,
  ClusterEndpoints,
  EndpointConfig,
  LocalityEndpoints,
  UpstreamTransportSocket,
} from '../runtime-config/config.ts';
import type { OriginalDestinationOptions } from '../runtime-config/discovery.ts';
import { type BalancingOptions, defaultBalancing, type HashPolicy } from '../runtime-config/load-balancing.ts';
import type { ResponseMatch } from '../runtime-config/outlier-detection.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { ClusterCounters } from './cluster-counters.ts';
import { OriginalDestination } from './original-destination.ts';
import { PriorityLevels } from './priority-levels.ts';

/** A cluster as configured at one time: its endpoints, balancer, breakers and pools. */
export class Cluster implements EndpointOwner {
  readonly config: ClusterConfig;
  readonly counters: ClusterCounters;
  readonly defaultBreaker: CircuitBreaker;
  readonly highBreaker: CircuitBreaker;
  /** Responses that outlier detection takes for errors; undefined: it goes by their status. */
  readonly outlierErrors: ResponseMatch | undefined;
  /** The field by which requests say where they go; empty: they do not. */
  readonly destinationHeader: string;
  readonly #context: UpstreamContext;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #pools = new Map<Endpoint, HttpPool>();
  /** Beside the others, where each request goes on by the protocol that it came by. */
  readonly #http2Pools = new Map<Endpoint, HttpPool>();
  #assignment: ClusterEndpoints | undefined = undefined;
  readonly #balancing: BalancingOptions;
  readonly #balancer: Balancer<Endpoint>;
  readonly #outliers: OutlierDetector | undefined;
  readonly #health: HealthChecker | undefined;
  readonly #onReady: () => void;
  #closed = false;

  /** @param onReady is called when an endpoint can be chosen, where that takes longer than the first update (large hash rings). */
  constructor(config: ClusterConfig, counters: ClusterCounters, context: UpstreamContext, onReady: () => void) {
    this.config = config;
    this.counters = counters;
    this.#context = context;
    this.#balancing = config.balancing ?? defaultBalancing;
    const { localCluster } = context.place;
    const options: PriorityOptions<Endpoint> = {
      policy: config.loadBalancer,
      locality: this.#balancing.locality,
      panicThresholdPercent: config.panicThresholdPercent,
      counters: counters.balancer,
      random: context.random,
      nowMs: () => context.clock.monotonicMs(),
      work: context.work,
      keyOf: (endpoint) => hashKeyOf(endpoint, config),
      activeTotal: () => counters.requestsActive,
      localCluster: localCluster === undefined ? undefined : () => localCluster()?.asLocalCluster(),
      onReady,
    };
    const { subsets } = this.#balancing;
    const { discovery } = config;
    this.destinationHeader = discovery.kind === 'original-dst' ? discovery.original.header : '';
    this.#balancer =
      discovery.kind === 'original-dst'
        ? this.#originalDestination(discovery.original)
        : subsets === undefined
          ? new PrioritySet(options)
          : new SubsetBalancer(options, subsets, ({ config: { lbMetadata } }) => lbMetadata);
    this.#outliers =
      config.outlierDetection === undefined
        ? undefined
        : new OutlierDetector({
            config: config.outlierDetection,
            counters: counters.outliers,
            clock: context.clock,
            random: context.random,
          });
    this.#onReady = onReady;
    const { healthCheck } = config;
    this.#health =
      healthCheck === undefined
        ? undefined
        : new HealthChecker({
            config: healthCheck,
            clusterName: config.name,
            context,
            counters: counters.healthChecks,
            ignoresNew: this.#balancing.ignoreNewHostsUntilFirstHealthCheck,
            hasTraffic: () => counters.connectionsTotal > 0,
            transportSocketOf: (match) => this.#transportSocketOf(match),
            onAllChecked: () => this.#onReady(),
            onHealthy: (endpoint) => this.#outliers?.activeCheckPassed(endpoint),
            onUnhealthy: (endpoint) => this.#leaveIfPending(endpoint),
          });
    this.outlierErrors = this.#outliers === undefined ? undefined : config.upstreamHttp.outlierErrors;
    this.defaultBreaker = new CircuitBreaker(config.circuitBreakers.default, context.clock);
    this.highBreaker = new CircuitBreaker(config.circuitBreakers.high, context.clock);
  }

  #originalDestination(options: OriginalDestinationOptions): OriginalDestination {
    const locality: LocalityEndpoints = { region: '', zone: '', subZone: '', priority: 0, weight: 1, endpoints: [] };
    return new OriginalDestination({
      options,
      counters: this.counters.balancer,
      clock: this.#context.clock,
      endpointOf: (address) => {
        const config: EndpointConfig = {
          ...{ address, hostname: '', health: 'healthy', status: 'unknown', weight: 1 },
          ...{ transportSocketMatch: {}, workload: undefined },
        };
        const name = endpointAddress(config);
        return this.#endpoints.get(name) ?? this.#keep(name, config, locality, undefined);
      },
      onUnused: (endpoints) => {
        for (const endpoint of endpoints) {
          this.#endpoints.delete(endpoint.address);
          this.#drop(endpoint);
        }
        this.counters.keepEndpoints(new Set(this.#endpoints.keys()));
      },
    });
  }

  /** Its endpoints are known (there may be none), were checked once where they are checked, and can be chosen. */
  get warm(): boolean {
    const isChecked = this.#health === undefined || this.config.waitForWarm === false || this.#health.allChecked;
    return this.#assignment !== undefined && this.#balancer.ready && isChecked;
  }

  /** How it looks to clusters that balance by zone, when this proxy is one of its endpoints. */
  asLocalCluster(): LocalCluster {
    return this.#balancer.localCluster();
  }

  onHealthChange(endpoint: Endpoint): void {
    this.#balancer.healthChanged(endpoint);
    if (endpoint.condition === 'unhealthy' && (endpoint.healthFlags & foundUnhealthy) !== 0) {
      this.#abandonConnections(endpoint);
    }
  }

  /** Connections to an endpoint that was found unhealthy take no new request: others may fare better. */
  #abandonConnections(endpoint: Endpoint): void {
    for (const pools of [this.#pools, this.#http2Pools]) {
      pools.get(endpoint)?.drain();
      pools.delete(endpoint);
    }
    const { tcpConnections } = endpoint;
    if (tcpConnections !== undefined) {
      for (const connection of [...tcpConnections]) {
        connection.destroy();
      }
    }
  }

  get assignment(): ClusterEndpoints | undefined {
    return this.#assignment;
  }

  endpoints(): IterableIterator<Endpoint> {
    return this.#endpoints.values();
  }

  breaker(priority: 'default' | 'high'): CircuitBreaker {
    return priority === 'high' ? this.highBreaker : this.defaultBreaker;
  }

  /** Whether choices go by the hashes of requests. */
  get usesHashes(): boolean {
    const { kind } = this.config.loadBalancer;
    return kind === 'ring-hash' || kind === 'maglev';
  }

  /** What requests are hashed by whatever their route says; empty: the route says it. */
  get hashPolicies(): readonly HashPolicy[] {
    const { loadBalancer } = this.config;
    return loadBalancer.kind === 'ring-hash' || loadBalancer.kind === 'maglev' ? loadBalancer.hashPolicies : [];
  }

  /**
   * An endpoint by the cluster's policy, undefined when none may be used.
   * @param context what the request asks for; undefined: nothing.
   */
  pick(context?: PickContext<Endpoint>): Endpoint | undefined {
    if (context !== undefined && context.overrideAddress !== '') {
      const endpoint = this.#endpoints.get(context.overrideAddress);
      if (endpoint !== undefined && this.#balancing.overrideHostStatuses.has(endpoint.status)) {
        return endpoint;
      }
      if (context.isOverrideStrict) {
        return undefined;
      }
    }
    return this.#balancer.pick(context) ?? this.#pickUnchecked();
  }

  /**
   * A new cluster is asked for before its endpoints were checked for the first time. Envoy does not have it until then, and acknowledges
   * it late so that no request comes; ours is there at once, and does not fail requests for what nobody knows yet.
   */
  #pickUnchecked(): Endpoint | undefined {
    if (this.#health === undefined || this.#health.allChecked || this.config.waitForWarm === false) {
      return undefined;
    }
    const endpoints = this.#health.unchecked();
    return endpoints[Math.floor(this.#context.random() * endpoints.length)];
  }

  /** @param downstreamHttp2 whether the request came by HTTP/2, which decides where the cluster follows the downstream. */
  poolOf(endpoint: Endpoint, downstreamHttp2: boolean): HttpPool {
    const { protocol } = this.config.upstreamHttp;
    if (protocol !== 'use-downstream') {
      return this.#poolIn(this.#pools, endpoint, protocol);
    }
    return downstreamHttp2
      ? this.#poolIn(this.#http2Pools, endpoint, 'http2')
      : this.#poolIn(this.#pools, endpoint, 'http1');
  }

  #poolIn(pools: Map<Endpoint, HttpPool>, endpoint: Endpoint, protocol: PoolProtocol): HttpPool {
    let pool = pools.get(endpoint);
    if (pool === undefined) {
      pool = new HttpPool(this, endpoint, this.#context, protocol);
      pools.set(endpoint, pool);
    }
    return pool;
  }

  /** Takes a new list: endpoints that stay keep their connections, what goes is drained. */
  update(assignment: ClusterEndpoints): void {
    if (this.#assignment === assignment) {
      return;
    }
    const isFirst = this.#assignment === undefined;
    this.#assignment = assignment;
    this.#list(assignment, isFirst);
    this.#health?.listed();
  }

  /** An endpoint that only its passing checks kept fails them. */
  #leaveIfPending(endpoint: Endpoint): void {
    if (endpoint.pendingRemoval && this.#assignment !== undefined) {
      this.#list(this.#assignment, false);
    }
  }

  #list(assignment: ClusterEndpoints, isFirst: boolean): void {
    const seen = new Set<string>();
    const levels = new PriorityLevels(this.#context.place.locality);
    let hasNew = false;
    for (const locality of assignment.localities) {
      for (const config of locality.endpoints) {
        const address = endpointAddress(config);
        // An address that is named twice counts once, where it stands first.
        if (!seen.has(address)) {
          seen.add(address);
          const known = this.#endpoints.get(address);
          const endpoint = this.#keep(address, config, locality, known);
          endpoint.pendingRemoval = false;
          hasNew ||= endpoint !== known;
          levels.add(endpoint, locality);
        }
      }
    }
    let hasGone = false;
    for (const [address, endpoint] of this.#endpoints) {
      if (seen.has(address)) {
        continue;
      }
      if (this.#staysWhileHealthy(endpoint)) {
        endpoint.pendingRemoval = true;
        seen.add(address);
        const { region, zone, subZone, priority } = endpoint;
        levels.add(endpoint, { region, zone, subZone, priority, weight: 1, endpoints: [] });
      } else {
        this.#endpoints.delete(address);
        this.#drop(endpoint);
        hasGone = true;
      }
    }
    this.counters.keepEndpoints(seen);
    if (this.#balancing.closeConnectionsOnHostSetChange && !isFirst && (hasNew || hasGone)) {
      this.#renewPools();
    }
    this.#balancer.update(levels.build(), {
      overprovisioningFactor: assignment.overprovisioningFactor,
      weightedHealth: assignment.weightedPriorityHealth === true,
    });
  }

  /** Discovery may err: an endpoint that is gone from the list, but answers its health checks, stays unless the cluster says otherwise. */
  #staysWhileHealthy(endpoint: Endpoint): boolean {
    const isEdsHealthy = (endpoint.healthFlags & (HealthFlag.edsUnhealthy | HealthFlag.edsDraining)) === 0;
    return this.#health?.isPassing(endpoint) === true && isEdsHealthy && this.config.ignoreHealthOnHostRemoval !== true;
  }

  /** The endpoint of an address: the one that is there, with what is new about it, or another one. */
  #keep(address: string, config: EndpointConfig, locality: LocalityEndpoints, known: Endpoint | undefined): Endpoint {
    const transportSocket = this.#transportSocketOf(config.transportSocketMatch);
    if (known !== undefined && known.transportSocket === transportSocket) {
      const before = known.config;
      known.config = config;
      this.#health?.changed(known, before);
      known.region = locality.region;
      known.zone = locality.zone;
      known.subZone = locality.subZone;
      known.priority = locality.priority;
      return known;
    }
    if (known !== undefined) {
      this.#drop(known);
    }
    const endpoint = new Endpoint(address, config, locality, transportSocket, this.counters.endpoint(address));
    const { loadBalancer } = this.config;
    const nowMs = this.#context.clock.monotonicMs();
    endpoint.owner = this;
    endpoint.healthySinceMs = nowMs;
    if (loadBalancer.kind === 'peak-ewma') {
      endpoint.latency = new LatencyEstimate(loadBalancer, nowMs);
    }
    if (this.config.closeConnectionsOnHealthFailure === true) {
      endpoint.tcpConnections = new Set();
    }
    this.#outliers?.add(endpoint);
    this.#health?.add(endpoint);
    this.#endpoints.set(address, endpoint);
    return endpoint;
  }

  /** No new request: idle connections close now, others when they are done. */
  drain(): void {
    this.#closed = true;
    this.#balancer.stop();
    this.#outliers?.stop();
    this.#health?.stop();
    for (const pool of this.#pools.values()) {
      pool.drain();
    }
    for (const pool of this.#http2Pools.values()) {
      pool.drain();
    }
  }

  /** Drops every connection. */
  destroy(): void {
    this.#balancer.stop();
    this.#outliers?.stop();
    this.#health?.stop();
    for (const pool of this.#pools.values()) {
      pool.destroy();
    }
    for (const pool of this.#http2Pools.values()) {
      pool.destroy();
    }
  }

  get drained(): boolean {
    return this.#closed;
  }

  /** Connections that are in use finish what they have; no new request gets one of them. */
  #renewPools(): void {
    for (const pools of [this.#pools, this.#http2Pools]) {
      for (const pool of pools.values()) {
        pool.drain();
      }
      pools.clear();
    }
  }

  #drop(endpoint: Endpoint): void {
    endpoint.removed = true;
    endpoint.owner = undefined;
    this.#outliers?.remove(endpoint);
    this.#health?.remove(endpoint);
    for (const pools of [this.#pools, this.#http2Pools]) {
      pools.get(endpoint)?.drain();
      pools.delete(endpoint);
    }
  }

  #transportSocketOf(labels: Readonly<Record<string, string>>): UpstreamTransportSocket {
    for (const { match, transportSocket } of this.config.transportSocketMatches) {
      if (Object.entries(match).every(([key, value]) => labels[key] === value)) {
        return transportSocket;
      }
    }
    return this.config.transportSocket;
  }
}

/** Somebody on our side says so, not EDS. */
const foundUnhealthy = HealthFlag.failedActiveCheck | HealthFlag.ejected;

/** What ring hash and Maglev hash an endpoint by: its `hash_key`, its host name where asked for, its address. */
function hashKeyOf(endpoint: Endpoint, { loadBalancer }: ClusterConfig): string {
  const { lbMetadata, hostname } = endpoint.config;
  const key = lbMetadata?.['hash_key'];
  if (typeof key === 'string' && key !== '') {
    return binaryText(key);
  }
  const byHostname = (loadBalancer.kind === 'ring-hash' || loadBalancer.kind === 'maglev') && loadBalancer.byHostname;
  return binaryText(byHostname && hostname !== '' ? hostname : endpoint.address);
}
