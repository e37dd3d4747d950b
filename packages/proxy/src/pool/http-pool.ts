import type { CircuitBreaker } from '../cluster/circuit-breaker.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { SessionCache } from '../tls/tls-connect.ts';
import type { Connection } from '../transport/connection.ts';
import { ConnectAttempt, type ConnectAttemptOwner } from './connect-attempt.ts';
import type { UpstreamContext } from './upstream-context.ts';
import { UpstreamHttpConnection } from './upstream-http-connection.ts';

/** Who waits for a connection. Exactly one of the two is called, unless it was cancelled. */
export interface PoolWaiter {
  /** The priority whose breaker counts the wait. */
  readonly breaker: CircuitBreaker;
  onPoolReady(upstream: UpstreamHttpConnection): void;
  onPoolFailure(reason: string, timedOut: boolean): void;
}

/**
 * The HTTP/1.1 connections to one endpoint. The one that was used last is used first, so that a burst's connections can
 * go idle and close; requests that find none wait in order, and one connection is made for each.
 */
export class HttpPool implements ConnectAttemptOwner {
  readonly cluster: Cluster;
  readonly endpoint: Endpoint;
  readonly context: UpstreamContext;
  readonly use = 'http';
  readonly #idle: UpstreamHttpConnection[] = [];
  readonly #all = new Set<UpstreamHttpConnection>();
  readonly #connecting = new Set<ConnectAttempt>();
  readonly #waiting: PoolWaiter[] = [];
  readonly #sessions = new SessionCache();
  #draining = false;

  constructor(cluster: Cluster, endpoint: Endpoint, context: UpstreamContext) {
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.context = context;
  }

  /** An idle connection, taken out of the pool; undefined when the caller has to `wait`. */
  takeIdle(): UpstreamHttpConnection | undefined {
    return this.#idle.pop();
  }

  /** @returns false when the circuit breaker refuses another waiting request. */
  wait(waiter: PoolWaiter): boolean {
    const { breaker } = waiter;
    if (!breaker.allowsPending) {
      this.cluster.counters.requestsPendingOverflow += 1;
      return false;
    }
    const mayConnect = breaker.allowsConnection;
    if (!mayConnect) {
      this.cluster.counters.connectionOverflow += 1;
    }
    breaker.pending += 1;
    this.cluster.counters.requestsPending += 1;
    this.#waiting.push(waiter);
    // A pool without any connection may open one in spite of the breaker: waiting for none would never end.
    if (this.#connecting.size < this.#waiting.length && (mayConnect || this.#all.size + this.#connecting.size === 0)) {
      this.#connect(breaker);
    }
    return true;
  }

  /** The waiter gives up. */
  cancel(waiter: PoolWaiter): void {
    const index = this.#waiting.indexOf(waiter);
    if (index >= 0) {
      this.#waiting.splice(index, 1);
      this.#leaveQueue(waiter);
    }
  }

  /** Idle connections close now, those in use when they are released. */
  drain(): void {
    this.#draining = true;
    for (const upstream of [...this.#idle]) {
      upstream.destroy();
    }
  }

  destroy(): void {
    this.#draining = true;
    for (const attempt of [...this.#connecting]) {
      attempt.abandon();
    }
    this.#connecting.clear();
    for (const upstream of [...this.#all]) {
      upstream.destroy();
    }
  }

  /** @internal */
  released(upstream: UpstreamHttpConnection): void {
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) {
      this.#leaveQueue(waiter);
      waiter.onPoolReady(upstream);
      return;
    }
    if (this.#draining) {
      upstream.destroy();
      return;
    }
    this.#idle.push(upstream);
    upstream.becomeIdle();
  }

  /** @internal the connection is going away. */
  forget(upstream: UpstreamHttpConnection): void {
    this.#all.delete(upstream);
    const index = this.#idle.lastIndexOf(upstream);
    if (index >= 0) {
      this.#idle.splice(index, 1);
    }
  }

  /** @internal its socket is closed; somebody may have waited for the breaker. */
  connectionClosed(): void {
    this.cluster.counters.connectionsActive -= 1;
    this.endpoint.counters.connectionsActive -= 1;
    const [waiter] = this.#waiting;
    if (waiter !== undefined && this.#connecting.size < this.#waiting.length && waiter.breaker.allowsConnection) {
      this.#connect(waiter.breaker);
    }
  }

  #connect(breaker: CircuitBreaker): void {
    breaker.connections += 1;
    const attempt = new ConnectAttempt(this, breaker, this.#sessions);
    this.#connecting.add(attempt);
    attempt.start();
  }

  onConnected(attempt: ConnectAttempt, connection: Connection): void {
    this.#connecting.delete(attempt);
    const upstream = new UpstreamHttpConnection(this, connection, attempt.breaker);
    this.#all.add(upstream);
    this.cluster.counters.connectionsTotal += 1;
    this.cluster.counters.connectionsActive += 1;
    this.endpoint.counters.connectionsTotal += 1;
    this.endpoint.counters.connectionsActive += 1;
    this.released(upstream);
  }

  onConnectFailed(attempt: ConnectAttempt, reason: string, timedOut: boolean): void {
    this.#connecting.delete(attempt);
    attempt.breaker.connections -= 1;
    this.cluster.counters.connectFailures += 1;
    this.endpoint.counters.connectFailures += 1;
    if (timedOut) {
      this.cluster.counters.connectTimeouts += 1;
    }
    // One waiter for each failed attempt; all of them when nothing is left that could serve them.
    const failing =
      this.#connecting.size === 0 && this.#all.size === 0 ? this.#waiting.splice(0) : this.#waiting.splice(0, 1);
    for (const waiter of failing) {
      this.#leaveQueue(waiter);
      waiter.onPoolFailure(reason, timedOut);
    }
  }

  #leaveQueue(waiter: PoolWaiter): void {
    waiter.breaker.pending -= 1;
    this.cluster.counters.requestsPending -= 1;
  }
}
