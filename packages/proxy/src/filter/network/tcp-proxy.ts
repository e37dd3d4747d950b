import type { CircuitBreaker } from '../../cluster/circuit-breaker.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { ClusterManager } from '../../cluster/cluster-manager.ts';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import { Outcome } from '../../endpoint/outcome.ts';
import { ConnectAttempt, type ConnectAttemptOwner } from '../../pool/connect-attempt.ts';
import type { UpstreamContext } from '../../pool/upstream-context.ts';
import type { ProxiedConnection } from '../../proxy-protocol/proxy-header.ts';
import { ResponseFlag } from '../../response-flag.ts';
import type {
  ClusterConfig,
  ListenerConfig,
  TcpProxyConfig,
  TunnelConfig,
  WeightedCluster,
} from '../../runtime-config/config.ts';
import type { SubsetCriteria } from '../../runtime-config/subsets.ts';
import type { ConnectionRecord, DownstreamConnectionInfo, TlsFacts } from '../../stream-info.ts';
import { lifetimeMs } from '../../tls/lifetime.ts';
import { SessionCache } from '../../tls/session-cache.ts';
import type { Connection, ConnectionHandler } from '../../transport/connection.ts';
import { type TimerOwner, WheelTimer } from '../../transport/timer-wheel.ts';
import { TcpEndpointChoice } from './tcp-endpoint-choice.ts';

/** What TCP proxy connections need of the data plane. */
export interface TcpContext {
  readonly upstream: UpstreamContext;
  readonly clusters: ClusterManager;
  onTcpStart(record: ConnectionRecord, listener: ListenerConfig, proxy: TcpProxyConfig): void;
  onTcpEnd(record: ConnectionRecord, listener: ListenerConfig, proxy: TcpProxyConfig): void;
}

const idleTimer = 0;
const ageTimer = 1;

/** Tickets for resumption, by endpoint: each connection to it is one handshake. */
const sessionsByEndpoint = new WeakMap<Endpoint, SessionCache>();

/** Bytes that a client may send before an upstream is there; then it is not read any further. */
const maxEarlyBytes: number = 64 * 1024;

/** One downstream connection, carried to one endpoint. */
export class TcpProxyConnection implements ConnectionHandler, ConnectAttemptOwner, TimerOwner {
  readonly downstream: DownstreamConnectionInfo;
  readonly use = 'tcp';
  readonly startMs: number;
  endMs = 0;
  clusterName = '';
  attemptCount = 0;
  responseFlags = 0;
  connectionTerminationDetails = '';
  upstreamTransportFailureReason = '';
  readonly #transport: Connection;
  readonly #config: TcpProxyConfig;
  readonly #listener: ListenerConfig;
  readonly #context: TcpContext;
  readonly #onClosed: (connection: TcpProxyConnection) => void;
  readonly #idle: WheelTimer = new WheelTimer(this, idleTimer);
  readonly #age: WheelTimer = new WheelTimer(this, ageTimer);
  #cluster: Cluster | undefined = undefined;
  #endpoint: Endpoint | undefined = undefined;
  #attempt: ConnectAttempt | undefined = undefined;
  #upstream: Connection | undefined = undefined;
  #breaker: CircuitBreaker | undefined = undefined;
  #upstreamTls: TlsFacts | undefined = undefined;
  #upstreamLocalAddress = '';
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;
  #subset: SubsetCriteria | undefined = undefined;
  #downstreamEnded = false;
  #upstreamEnded = false;
  #downstreamClosed = false;
  #finished = false;

  constructor(
    transport: Connection,
    config: TcpProxyConfig,
    listener: ListenerConfig,
    context: TcpContext,
    info: DownstreamConnectionInfo,
    onClosed: (connection: TcpProxyConnection) => void,
  ) {
    this.#transport = transport;
    this.#config = config;
    this.#listener = listener;
    this.#context = context;
    this.downstream = info;
    this.#onClosed = onClosed;
    this.startMs = context.upstream.clock.monotonicMs();
    transport.handler = this;
  }

  get context(): UpstreamContext {
    return this.#context.upstream;
  }

  get cluster(): Cluster {
    return this.#cluster as Cluster;
  }

  get endpoint(): Endpoint {
    return this.#endpoint as Endpoint;
  }

  /** Whose connection it is, as far as we know, for an upstream that wants to be told. */
  get proxied(): ProxiedConnection {
    const { remoteIp, remoteAddress, localIp, localPort } = this.downstream;
    const sourcePort = Number(remoteAddress.slice(remoteAddress.lastIndexOf(':') + 1));
    return { source: { ip: remoteIp, port: sourcePort }, destination: { ip: localIp, port: localPort } };
  }

  get tunnel(): TunnelConfig | undefined {
    return this.#config.tunnel;
  }

  get bytesReceived(): number {
    return this.#transport.bytesRead;
  }

  get bytesSent(): number {
    return this.#transport.bytesWritten;
  }

  get upstreamLocalAddress(): string {
    return this.#upstreamLocalAddress;
  }

  get upstreamTls(): TlsFacts | undefined {
    return this.#upstreamTls;
  }

  /** Begins; reading from the client is up to the caller (`resume`). */
  start(): void {
    const chosen = chooseWeighted(this.#config.clusters, this.context.random());
    this.clusterName = chosen?.cluster ?? '';
    this.#subset = chosen?.subset;
    this.#cluster = chosen === undefined ? undefined : this.#context.clusters.get(chosen.cluster);
    this.#context.onTcpStart(this.record(), this.#listener, this.#config);
    if (this.#cluster === undefined) {
      this.#fail(ResponseFlag.NC);
      return;
    }
    this.#touch();
    const { maxConnectionDurationMs } = this.#config;
    const lifetime = lifetimeMs(maxConnectionDurationMs, this.#transport.tls, this.context.clock.now());
    if (lifetime > 0) {
      this.context.wheel.arm(this.#age, this.startMs, lifetime);
    }
    this.#connect();
  }

  /** The facts by value: the objects behind them change. */
  record(): ConnectionRecord {
    const config: ClusterConfig | undefined = this.#cluster?.config;
    return {
      downstream: this.downstream,
      startMs: this.startMs,
      endMs: this.endMs,
      bytesReceived: this.bytesReceived,
      bytesSent: this.bytesSent,
      clusterName: this.clusterName,
      cluster: config,
      endpoint: this.#endpoint,
      upstreamLocalAddress: this.#upstreamLocalAddress,
      upstreamTls: this.#upstreamTls,
      attemptCount: this.attemptCount,
      responseFlags: this.responseFlags,
      connectionTerminationDetails: this.connectionTerminationDetails,
      upstreamTransportFailureReason: this.upstreamTransportFailureReason,
    };
  }

  #connect(): void {
    const cluster = this.cluster;
    const { remoteIp } = this.downstream;
    const isHashed = this.#config.hashBySourceIp === true && cluster.usesHashes && remoteIp !== '';
    const subset = this.#subset;
    const endpoint = cluster.pick(
      isHashed || subset !== undefined ? new TcpEndpointChoice(isHashed ? remoteIp : '', subset) : undefined,
    );
    if (endpoint === undefined) {
      this.#fail(ResponseFlag.UH);
      return;
    }
    const breaker = cluster.defaultBreaker;
    const { maxConnectionsPerEndpoint: most } = cluster.config;
    const isFull = most !== undefined && endpoint.counters.connectionsActive >= most;
    if (!breaker.allowsConnection || isFull) {
      cluster.counters.connectionOverflow += 1;
      this.#fail(ResponseFlag.UO);
      return;
    }
    this.#endpoint = endpoint;
    this.#breaker = breaker;
    this.attemptCount += 1;
    breaker.connections += 1;
    endpoint.active += 1;
    this.#attempt = new ConnectAttempt(this, breaker, sessionsOf(endpoint));
    this.#attempt.start();
  }

  onConnected(_attempt: ConnectAttempt, upstream: Connection): void {
    this.#attempt = undefined;
    this.endpoint.reportOutcome(Outcome.connected, 0, -1);
    // For a connection that is all there is to say: it went well.
    this.endpoint.reportOutcome(Outcome.response, 200, -1);
    const { counters } = this.cluster;
    counters.connectionsTotal += 1;
    counters.connectionsActive += 1;
    const counted = this.endpoint.counters;
    counted.connectionsTotal += 1;
    counted.connectionsActive += 1;
    counted.tcpBytes += this.#earlyBytes;
    this.#upstream = upstream;
    const nowMs = this.context.clock.monotonicMs();
    const lifetime = lifetimeMs(0, upstream.tls, this.context.clock.now());
    if (lifetime > 0 && nowMs + lifetime < this.#age.deadlineMs) {
      this.context.wheel.arm(this.#age, nowMs, lifetime);
    }
    this.endpoint.tcpConnections?.add(this);
    upstream.relaysTo = this.#transport;
    this.#transport.relaysTo = upstream;
    this.#upstreamTls = upstream.tls;
    this.#upstreamLocalAddress = upstream.localAddress;
    upstream.bufferLimitBytes = this.cluster.config.bufferLimitBytes;
    upstream.handler = {
      onData: (bytes, start, end) => {
        this.#touch();
        counted.tcpBytes += end - start;
        this.#transport.relay(upstream, bytes, start, end);
      },
      onEnd: () => {
        this.#upstreamEnded = true;
        this.#transport.end();
      },
      onClose: (error) => this.#onUpstreamClose(error),
      onWritable: (writable) => {
        this.#touch();
        if (writable) {
          this.#transport.resume();
        } else {
          this.#transport.pause();
        }
      },
    };
    for (const piece of this.#early) {
      upstream.output.copy(piece, 0, piece.length);
    }
    const wasPaused = this.#earlyBytes >= maxEarlyBytes;
    this.#early.length = 0;
    this.#earlyBytes = 0;
    if (this.#downstreamEnded) {
      upstream.end();
    } else if (wasPaused) {
      this.#transport.resume();
    }
    if (!this.#transport.writable) {
      upstream.pause();
    }
  }

  onConnectFailed(attempt: ConnectAttempt, reason: string, timedOut: boolean): void {
    this.#attempt = undefined;
    attempt.breaker.connections -= 1;
    const { counters } = this.cluster;
    counters.connectFailures += 1;
    this.endpoint.counters.connectFailures += 1;
    this.endpoint.reportOutcome(timedOut ? Outcome.timeout : Outcome.connectFailure, 0, -1);
    this.endpoint.active -= 1;
    if (timedOut) {
      counters.connectTimeouts += 1;
    }
    this.upstreamTransportFailureReason = reason;
    if (this.attemptCount < this.#config.maxConnectAttempts) {
      this.#connect();
      return;
    }
    this.#fail(ResponseFlag.UF | (this.#config.maxConnectAttempts > 1 ? ResponseFlag.URX : 0));
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#touch();
    const upstream = this.#upstream;
    if (upstream !== undefined) {
      this.endpoint.counters.tcpBytes += end - start;
      upstream.relay(this.#transport, bytes, start, end);
      return;
    }
    if (this.#attempt === undefined) {
      // The upstream is gone, and so will this connection be.
      return;
    }
    this.#early.push(Buffer.from(bytes.subarray(start, end)));
    this.#earlyBytes += end - start;
    if (this.#earlyBytes >= maxEarlyBytes) {
      this.#transport.pause();
    }
  }

  onEnd(): void {
    this.#downstreamEnded = true;
    this.#upstream?.end();
  }

  onClose(error: Error | undefined): void {
    this.#downstreamClosed = true;
    if (error !== undefined && !this.#upstreamEnded) {
      this.connectionTerminationDetails = 'downstream_reset';
    }
    if (this.#attempt !== undefined) {
      this.#attempt.abandon();
      this.#attempt = undefined;
      this.endpoint.active -= 1;
    }
    const upstream = this.#upstream;
    if (upstream === undefined) {
      this.#finish();
    } else if (error !== undefined && !this.#downstreamEnded) {
      upstream.reset();
    } else if (this.#downstreamEnded) {
      // What the client sent before its end is the upstream's, whatever became of the client since.
      upstream.closeAfterFlush(false);
    } else {
      upstream.destroy();
    }
  }

  onWritable(writable: boolean): void {
    this.#touch();
    if (writable) {
      this.#upstream?.resume();
    } else {
      this.#upstream?.pause();
    }
  }

  onTimer(kind: number): void {
    if (kind === ageTimer) {
      this.responseFlags |= ResponseFlag.DT;
      this.connectionTerminationDetails = 'max_connection_duration';
    } else {
      this.connectionTerminationDetails = 'idle_timeout';
    }
    this.destroy();
  }

  /** Bytes that this connection keeps in memory. */
  get heldBytes(): number {
    return this.#transport.queuedBytes + this.#earlyBytes + (this.#upstream?.queuedBytes ?? 0);
  }

  /** Nobody can tell whether a silent TCP connection is still wanted. */
  get idleSinceMs(): undefined {
    return undefined;
  }

  /** Ends the connection when nothing has moved for `share` of its idle timeout. @returns whether it did. */
  endIfIdle(share: number, nowMs: number): boolean {
    const { idleTimeoutMs } = this.#config;
    if (!this.#idle.armed || nowMs - (this.#idle.deadlineMs - idleTimeoutMs) < idleTimeoutMs * share) {
      return false;
    }
    this.onTimer(idleTimer);
    return true;
  }

  /** Gives the connection up to free the memory that it holds. */
  resetForOverload(): void {
    this.responseFlags |= ResponseFlag.OM;
    this.connectionTerminationDetails = 'overload';
    this.destroy();
  }

  /** Drops both sides. */
  destroy(): void {
    this.#transport.destroy();
    this.#upstream?.destroy();
  }

  #onUpstreamClose(error: Error | undefined): void {
    const { counters } = this.cluster;
    counters.connectionsActive -= 1;
    this.endpoint.counters.connectionsActive -= 1;
    this.endpoint.active -= 1;
    if (this.#breaker !== undefined) {
      this.#breaker.connections -= 1;
    }
    this.#upstream = undefined;
    if (this.#downstreamClosed) {
      this.#finish();
      return;
    }
    if (error !== undefined && !this.#upstreamEnded) {
      this.responseFlags |= ResponseFlag.UC;
    }
    // Nobody is there any more to whom the client could send. What the upstream sent before is the client's.
    this.#transport.closeAfterFlush(error !== undefined && !this.#upstreamEnded);
  }

  #touch(): void {
    const { idleTimeoutMs } = this.#config;
    if (idleTimeoutMs > 0) {
      const { wheel, clock } = this.context;
      wheel.arm(this.#idle, clock.monotonicMs(), idleTimeoutMs);
    }
  }

  #fail(flags: number): void {
    this.responseFlags |= flags;
    this.#transport.destroy();
  }

  #finish(): void {
    if (this.#finished) {
      return;
    }
    this.#finished = true;
    this.#endpoint?.tcpConnections?.delete(this);
    const { wheel, clock } = this.context;
    wheel.remove(this.#idle);
    wheel.remove(this.#age);
    this.endMs = clock.monotonicMs();
    this.#context.onTcpEnd(this.record(), this.#listener, this.#config);
    this.#onClosed(this);
  }
}

function sessionsOf(endpoint: Endpoint): SessionCache {
  let sessions = sessionsByEndpoint.get(endpoint);
  if (sessions === undefined) {
    sessions = new SessionCache();
    sessionsByEndpoint.set(endpoint, sessions);
  }
  return sessions;
}

/** One of the clusters, in proportion to the weights; `random` is uniform in [0, 1). */
function chooseWeighted(clusters: readonly WeightedCluster[], random: number): WeightedCluster | undefined {
  const [only] = clusters;
  if (clusters.length <= 1) {
    return only;
  }
  let point = random * clusters.reduce((sum, { weight }) => sum + weight, 0);
  for (const cluster of clusters) {
    point -= cluster.weight;
    if (point < 0) {
      return cluster;
    }
  }
  return clusters.at(-1);
}
