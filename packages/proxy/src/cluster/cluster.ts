import { Endpoint, endpointAddress } from '../endpoint/endpoint.ts';
import { PrioritySet } from '../load-balancer/priority-set.ts';
import { HttpPool, type PoolProtocol } from '../pool/http-pool.ts';
import type { UpstreamContext } from '../pool/upstream-context.ts';
import type {
  ClusterConfig,
  ClusterEndpoints,
  EndpointConfig,
  UpstreamTransportSocket,
} from '../runtime-config/config.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { ClusterCounters } from './cluster-counters.ts';

/** A cluster as configured at one time: its endpoints, balancer, breakers and pools. */
export class Cluster {
  readonly config: ClusterConfig;
  readonly counters: ClusterCounters;
  readonly defaultBreaker: CircuitBreaker;
  readonly highBreaker: CircuitBreaker;
  readonly #context: UpstreamContext;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #pools = new Map<Endpoint, HttpPool>();
  /** Beside the others, where each request goes on by the protocol that it came by. */
  readonly #http2Pools = new Map<Endpoint, HttpPool>();
  #assignment: ClusterEndpoints | undefined = undefined;
  #priorities: PrioritySet<Endpoint> | undefined = undefined;
  #closed = false;

  constructor(config: ClusterConfig, counters: ClusterCounters, context: UpstreamContext) {
    this.config = config;
    this.counters = counters;
    this.#context = context;
    this.defaultBreaker = new CircuitBreaker(config.circuitBreakers.default);
    this.highBreaker = new CircuitBreaker(config.circuitBreakers.high);
  }

  /** Its endpoints are known (there may be none). */
  get warm(): boolean {
    return this.#priorities !== undefined;
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

  /** An endpoint by the cluster's policy, undefined when none may be used. */
  pick(): Endpoint | undefined {
    return this.#priorities?.pick();
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
    this.#assignment = assignment;
    const seen = new Set<string>();
    for (const locality of assignment.localities) {
      for (const config of locality.endpoints) {
        const address = endpointAddress(config);
        const transportSocket = this.#transportSocketOf(config);
        const known = this.#endpoints.get(address);
        seen.add(address);
        if (known !== undefined && known.transportSocket === transportSocket) {
          known.config = config;
          known.region = locality.region;
          known.zone = locality.zone;
          known.subZone = locality.subZone;
          known.priority = locality.priority;
          continue;
        }
        if (known !== undefined) {
          this.#drop(known);
        }
        const counters = this.counters.endpoint(address);
        this.#endpoints.set(address, new Endpoint(address, config, locality, transportSocket, counters));
      }
    }
    for (const [address, endpoint] of this.#endpoints) {
      if (!seen.has(address)) {
        this.#endpoints.delete(address);
        this.#drop(endpoint);
      }
    }
    this.counters.keepEndpoints(seen);
    this.#priorities = new PrioritySet([...this.#endpoints.values()], {
      policy: this.config.loadBalancer,
      overprovisioningFactor: assignment.overprovisioningFactor,
      panicThresholdPercent: this.config.panicThresholdPercent,
      random: this.#context.random,
      onPanic: () => {
        this.counters.panicSelections += 1;
      },
    });
  }

  /** No new request: idle connections close now, others when they are done. */
  drain(): void {
    this.#closed = true;
    for (const pool of this.#pools.values()) {
      pool.drain();
    }
    for (const pool of this.#http2Pools.values()) {
      pool.drain();
    }
  }

  /** Drops every connection. */
  destroy(): void {
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

  #drop(endpoint: Endpoint): void {
    endpoint.removed = true;
    for (const pools of [this.#pools, this.#http2Pools]) {
      pools.get(endpoint)?.drain();
      pools.delete(endpoint);
    }
  }

  #transportSocketOf(endpoint: EndpointConfig): UpstreamTransportSocket {
    for (const { match, transportSocket } of this.config.transportSocketMatches) {
      if (Object.entries(match).every(([key, value]) => endpoint.transportSocketMatch[key] === value)) {
        return transportSocket;
      }
    }
    return this.config.transportSocket;
  }
}
