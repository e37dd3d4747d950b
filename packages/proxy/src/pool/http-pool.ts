import type { Http2Settings } from '@weft/http-codec';
import type { CircuitBreaker } from '../cluster/circuit-breaker.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { speaksHttp2, weftAlpn } from '../http-alpn.ts';
import { SessionCache } from '../tls/session-cache.ts';
import type { Connection } from '../transport/connection.ts';
import { ConnectAttempt, type ConnectAttemptOwner } from './connect-attempt.ts';
import { http2SettingsOf } from './http2-settings.ts';
import type { UpstreamContext } from './upstream-context.ts';
import { UpstreamHttpConnection } from './upstream-http-connection.ts';
import { type Waiting, WaitingQueue } from './waiting-queue.ts';

/** What the connections of a pool speak; `auto`: what ALPN says, HTTP/1.1 if it says nothing. */
export type PoolProtocol = 'http1' | 'http2' | 'auto';

/** Who waits for a connection. Exactly one of the two is called, unless it was cancelled. */
export interface PoolWaiter extends Waiting<PoolWaiter> {
  /** The priority whose breaker counts the wait. */
  readonly breaker: CircuitBreaker;
  onPoolReady(upstream: UpstreamHttpConnection): void;
  onPoolFailure(reason: string, timedOut: boolean): void;
}

/** Streams that a peer is expected to allow before it has said how many, RFC 9113 §6.5.2 recommends at least so many. */
const expectedStreams = 100;

/**
 * The HTTP connections to one endpoint. The one that took requests last takes the next, so that a burst's connections
 * can go idle and close; requests that find none wait in order. For HTTP/1.1 one connection is made for each that waits,
 * for HTTP/2 one for as many as it will carry.
 */
export class HttpPool implements ConnectAttemptOwner {
  readonly cluster: Cluster;
  readonly endpoint: Endpoint;
  readonly context: UpstreamContext;
  readonly use: PoolProtocol;
  /** Those that can take a request. */
  readonly #available: UpstreamHttpConnection[] = [];
  readonly #all = new Set<UpstreamHttpConnection>();
  /** They take no more requests; those under way go on. */
  readonly #retired = new Set<UpstreamHttpConnection>();
  readonly #connecting = new Set<ConnectAttempt>();
  readonly #waiting = new WaitingQueue<PoolWaiter>();
  readonly #sessions = new SessionCache();
  readonly #settings: Http2Settings;
  readonly #namesSettings: Http2Settings;
  /** What the last connection spoke; `auto` pools expect the same of the next. */
  #multiplexes: boolean;
  #draining = false;

  constructor(cluster: Cluster, endpoint: Endpoint, context: UpstreamContext, use: PoolProtocol) {
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.context = context;
    this.use = use;
    this.#multiplexes = use !== 'http1' && (use === 'http2' || endpoint.transportSocket.kind === 'tls');
    this.#settings = http2SettingsOf(cluster, undefined);
    this.#namesSettings = http2SettingsOf(cluster, weftAlpn);
  }

  /** A connection for one request, which the caller `open`s at once; undefined when it has to `wait`. */
  take(): UpstreamHttpConnection | undefined {
    const available = this.#available;
    for (;;) {
      const upstream = available[available.length - 1];
      if (upstream === undefined) {
        return undefined;
      }
      const streams = upstream.availableStreams;
      if (streams <= 1) {
        available.pop();
        upstream.listed = false;
      }
      if (streams > 0) {
        return upstream;
      }
    }
  }

  /** @internal */
  http2SettingsFor(alpn: string): Http2Settings {
    return alpn === weftAlpn ? this.#namesSettings : this.#settings;
  }

  /** @returns false when the circuit breaker refuses another waiting request. */
  wait(waiter: PoolWaiter): boolean {
    const { breaker } = waiter;
    if (!breaker.allowsPending) {
      return false;
    }
    breaker.pending += 1;
    this.cluster.counters.requestsPending += 1;
    this.#waiting.push(waiter);
    this.#connectForWaiting(breaker);
    return true;
  }

  /** Requests that a new connection will carry, as far as one can know. */
  get #expected(): number {
    if (!this.#multiplexes) {
      return 1;
    }
    const { maxRequestsPerConnection, http2 } = this.cluster.config.upstreamHttp;
    const expected = Math.min(expectedStreams, http2.maxConcurrentStreams);
    return maxRequestsPerConnection > 0 ? Math.min(expected, maxRequestsPerConnection) : expected;
  }

  #connectForWaiting(breaker: CircuitBreaker): void {
    while (this.#connecting.size * this.#expected < this.#waiting.length) {
      if (!breaker.allowsConnection || !this.#allowsConnectionHere) {
        this.cluster.counters.connectionOverflow += 1;
        if (!this.#isBare) {
          return;
        }
      }
      this.#connect(breaker);
    }
  }

  /** The endpoint has fewer connections than it may. */
  get #allowsConnectionHere(): boolean {
    const { maxConnectionsPerEndpoint: most } = this.cluster.config;
    return most === undefined || this.endpoint.counters.connectionsActive + this.#connecting.size < most;
  }

  /** A pool without any connection may open one in spite of the breaker: waiting for none would never end. */
  get #isBare(): boolean {
    return this.#all.size + this.#connecting.size === 0;
  }

  /** A connection is gone, or takes no more requests: those that wait may need a new one. */
  #replaceForWaiting(): void {
    const { first: waiter } = this.#waiting;
    if (waiter !== undefined && (this.#isBare || (waiter.breaker.allowsConnection && this.#allowsConnectionHere))) {
      this.#connectForWaiting(waiter.breaker);
    }
  }

  /** The waiter gives up. */
  cancel(waiter: PoolWaiter): void {
    if (this.#waiting.remove(waiter)) {
      this.#leaveQueue(waiter);
    }
  }

  /** Idle connections close now, those in use when they are released. */
  drain(): void {
    this.#draining = true;
    for (const upstream of [...this.#all]) {
      upstream.drain();
    }
  }

  /** The end of the data plane. Those that wait are told nothing: their clients are dropped as well. */
  destroy(): void {
    this.#draining = true;
    for (const waiter of this.#waiting.take(this.#waiting.length)) {
      this.#leaveQueue(waiter);
    }
    for (const attempt of [...this.#connecting]) {
      attempt.abandon();
    }
    this.#connecting.clear();
    for (const upstream of [...this.#all, ...this.#retired]) {
      upstream.destroy();
    }
  }

  /** @internal `upstream` can take requests: those that wait come first. */
  streamsAvailable(upstream: UpstreamHttpConnection): void {
    const waiting = this.#waiting;
    let streams = upstream.availableStreams;
    while (streams > 0 && waiting.length > 0) {
      const waiter = waiting.shift();
      if (waiter !== undefined) {
        this.#leaveQueue(waiter);
        waiter.onPoolReady(upstream);
      }
      streams = upstream.availableStreams;
    }
    if (streams === 0) {
      return;
    }
    if (this.#draining) {
      upstream.drain();
      return;
    }
    if (!upstream.listed) {
      upstream.listed = true;
      this.#available.push(upstream);
    }
    if (upstream.activeStreams === 0) {
      upstream.becomeIdle();
    }
  }

  /** @internal the connection takes no more requests. */
  retire(upstream: UpstreamHttpConnection): void {
    if (this.#all.delete(upstream)) {
      this.#retired.add(upstream);
    }
    this.#unlist(upstream);
    this.#replaceForWaiting();
  }

  /** @internal the connection is going away. */
  forget(upstream: UpstreamHttpConnection): void {
    this.#all.delete(upstream);
    this.#retired.delete(upstream);
    this.#unlist(upstream);
  }

  #unlist(upstream: UpstreamHttpConnection): void {
    if (upstream.listed) {
      upstream.listed = false;
      this.#available.splice(this.#available.lastIndexOf(upstream), 1);
    }
  }

  /** @internal its socket is closed; somebody may have waited for the breaker. */
  connectionClosed(): void {
    this.cluster.counters.connectionsActive -= 1;
    this.endpoint.counters.connectionsActive -= 1;
    this.#replaceForWaiting();
  }

  #connect(breaker: CircuitBreaker): void {
    breaker.connections += 1;
    const attempt = new ConnectAttempt(this, breaker, this.#sessions);
    this.#connecting.add(attempt);
    attempt.start();
  }

  onConnected(attempt: ConnectAttempt, connection: Connection): void {
    this.#connecting.delete(attempt);
    this.#multiplexes = speaksHttp2(this.use, connection.tls?.alpn);
    const upstream = new UpstreamHttpConnection(this, connection, attempt.breaker, this.#multiplexes);
    this.#all.add(upstream);
    const { counters } = this.cluster;
    counters.connectionsTotal += 1;
    counters.connectionsActive += 1;
    counters.httpConnectionsTotal += 1;
    counters.http2ConnectionsTotal += this.#multiplexes ? 1 : 0;
    this.endpoint.counters.connectionsTotal += 1;
    this.endpoint.counters.connectionsActive += 1;
    this.streamsAvailable(upstream);
    if (this.#waiting.length > 0 && this.use === 'auto') {
      // It carries fewer than was thought.
      this.#connectForWaiting(attempt.breaker);
    }
  }

  onConnectFailed(attempt: ConnectAttempt, reason: string, timedOut: boolean): void {
    this.#connecting.delete(attempt);
    attempt.breaker.connections -= 1;
    this.cluster.counters.connectFailures += 1;
    this.endpoint.counters.connectFailures += 1;
    if (timedOut) {
      this.cluster.counters.connectTimeouts += 1;
    }
    // Those that it would have carried; all of them when nothing is left that could serve them.
    const isLast = this.#connecting.size === 0 && this.#all.size === 0;
    for (const waiter of this.#waiting.take(isLast ? this.#waiting.length : this.#expected)) {
      this.#leaveQueue(waiter);
      waiter.onPoolFailure(reason, timedOut);
    }
  }

  #leaveQueue(waiter: PoolWaiter): void {
    waiter.breaker.pending -= 1;
    this.cluster.counters.requestsPending -= 1;
  }
}
