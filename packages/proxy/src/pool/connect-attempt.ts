import type { CircuitBreaker } from '../cluster/circuit-breaker.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { ProxiedConnection } from '../proxy-protocol/proxy-header.ts';
import type { TunnelConfig } from '../runtime-config/config.ts';
import type { SessionCache } from '../tls/session-cache.ts';
import type { Connection } from '../transport/connection.ts';
import type { ConnectCallbacks, PendingConnection } from '../transport/raw-connection.ts';
import { type TimerOwner, WheelTimer } from '../transport/timer-wheel.ts';
import { connectThroughTunnel } from './connect-tunnel.ts';
import { connectEndpoint, type UpstreamContext, type UpstreamUse } from './upstream-context.ts';

/** Who asked for a connection; one of the two is called, once. */
export interface ConnectAttemptOwner {
  readonly cluster: Cluster;
  readonly endpoint: Endpoint;
  readonly context: UpstreamContext;
  readonly use: UpstreamUse;
  /** Whose connection this is, for a PROXY protocol header; absent: nobody's in particular. */
  readonly proxied?: ProxiedConnection;
  /** What the endpoint, an HTTP proxy, is asked for; absent: it itself is meant. */
  readonly tunnel?: TunnelConfig | undefined;
  onConnected(attempt: ConnectAttempt, connection: Connection): void;
  onConnectFailed(attempt: ConnectAttempt, reason: string, timedOut: boolean): void;
}

/** One try to connect, handshake included, bounded by the cluster's connect timeout. */
export class ConnectAttempt implements ConnectCallbacks, TimerOwner {
  readonly breaker: CircuitBreaker;
  readonly #owner: ConnectAttemptOwner;
  readonly #sessions: SessionCache;
  readonly #timer: WheelTimer;
  #pending: PendingConnection | undefined = undefined;

  constructor(owner: ConnectAttemptOwner, breaker: CircuitBreaker, sessions: SessionCache) {
    this.#owner = owner;
    this.breaker = breaker;
    this.#sessions = sessions;
    this.#timer = new WheelTimer(this, 0);
  }

  start(): void {
    const { context, cluster, endpoint, use, proxied, tunnel } = this.#owner;
    const connectFor = (purpose: UpstreamUse, callbacks: ConnectCallbacks): PendingConnection =>
      connectEndpoint(context, cluster, endpoint, this.#sessions, purpose, callbacks, proxied);
    context.wheel.arm(this.#timer, context.clock.monotonicMs(), cluster.config.connectTimeoutMs);
    this.#pending =
      tunnel === undefined ? connectFor(use, this) : connectThroughTunnel(connectFor, cluster, tunnel, this);
  }

  abandon(): void {
    this.#owner.context.wheel.remove(this.#timer);
    this.breaker.connections -= 1;
    this.#pending?.abandon();
  }

  onConnected(connection: Connection): void {
    this.#owner.context.wheel.remove(this.#timer);
    this.#owner.onConnected(this, connection);
  }

  onFailed(error: Error): void {
    this.#owner.context.wheel.remove(this.#timer);
    this.#fail(describeConnectError(error), false);
  }

  onTimer(): void {
    this.#pending?.abandon();
    this.#fail('connect timeout', true);
  }

  #fail(reason: string, timedOut: boolean): void {
    const { transport } = this.#owner.context;
    transport.flushQueue.enter();
    try {
      this.#owner.onConnectFailed(this, reason, timedOut);
    } catch (error) {
      // There is no connection to close; whoever waited for one has a timeout.
      transport.reportFault(error, undefined);
    } finally {
      transport.flushQueue.leave();
    }
  }
}

/** A short text for `%UPSTREAM_TRANSPORT_FAILURE_REASON%`. */
function describeConnectError(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ECONNREFUSED':
      return 'delayed connect error: Connection refused';
    case 'ECONNRESET':
      return 'connection reset by peer';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'network is unreachable';
    default:
      return code === undefined || /^(?:TLS_error|tunnel)/.test(error.message) ? error.message : `TLS_error: ${code}`;
  }
}
