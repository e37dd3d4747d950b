import type { Cluster } from './cluster/cluster.ts';
import { ClusterManager } from './cluster/cluster-manager.ts';
import { systemDnsResolver } from './cluster/dns-resolver.ts';
import { localityName } from './cluster/place.ts';
import type {
  ApplyResult,
  ClusterStatus,
  DataPlane,
  DataPlaneOptions,
  EndpointStatus,
  VirtualHostAnswer,
} from './data-plane.ts';
import { DownstreamCounters, type HttpContext } from './filter/http/http-context.ts';
import type { TcpContext } from './filter/network/tcp-proxy.ts';
import type { AcceptorContext } from './listener/connection-acceptor.ts';
import { ListenerManager } from './listener/listener-manager.ts';
import { BackgroundWork } from './load-balancer/background-work.ts';
import { ProtocolsSeen } from './load-report/protocols-seen.ts';
import { OverloadBit, OverloadState } from './overload/overload-state.ts';
import type { UpstreamContext } from './pool/upstream-context.ts';
import { type CompiledRouteTable, compileRouteTable } from './route/route-table.ts';
import { findNativeTls } from './tls/native-tls.ts';
import { TlsContexts } from './tls/tls-context.ts';
import type { Connection, TransportContext } from './transport/connection.ts';
import { EventClock } from './transport/event-clock.ts';
import { FlushQueue } from './transport/flush-queue.ts';
import { TimerWheel } from './transport/timer-wheel.ts';

/** Envoy's `initial_fetch_timeout`. */
const defaultWarmingTimeoutMs = 15_000;
/** How long connections of a removed filter chain may finish what they do (Istio's drain duration). */
const defaultDrainTimeMs = 45_000;
const defaultMaxConnections = 50_000;
/** Different faults that are logged; more of the same kind of defect are only counted. */
const maxLoggedFaults = 100;

/** Builds the part of the proxy that carries traffic. It listens on nothing until a configuration is applied. */
export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { logger, random, localCluster } = options;
  const clock = new EventClock(options.clock);
  const faults = new FaultLog(options);
  const transport: TransportContext = {
    flushQueue: new FlushQueue(clock),
    reportFault: (error, at) => faults.report(error, at),
    portable: options.portable === true,
  };
  const wheel = new TimerWheel(clock, (error) => faults.report(error, undefined));
  const tls = new TlsContexts(options.secrets, options.clock, options.portable === true ? undefined : findNativeTls());
  const upstream: UpstreamContext = {
    clock,
    logger,
    random,
    wheel,
    transport,
    tls,
    work: new BackgroundWork(),
    place: {
      locality: localityName(options.locality ?? { region: '', zone: '', subZone: '' }),
      localCluster: localCluster === undefined ? undefined : () => clusters.get(localCluster),
    },
  };
  let tables = new Map<string, CompiledRouteTable>();
  const clusters = new ClusterManager(upstream, options.resolveDns ?? systemDnsResolver, () => listeners.check());
  const asked = new Map<string, Promise<VirtualHostAnswer>>();
  const overload = options.overload ?? new OverloadState();
  const counters = new DownstreamCounters();
  const protocols = new ProtocolsSeen(clock);
  let draining = false;
  const http: HttpContext = {
    clock,
    overload,
    counters,
    protocols,
    nodeCluster: options.nodeCluster ?? '',
    localHealthFailed: () => draining,
    random,
    wheel,
    clusters,
    routeTable: (name) => tables.get(name),
    requestVirtualHost: (routeConfigName, authority) => {
      const key = `${routeConfigName}/${authority}`;
      let answer = asked.get(key);
      if (answer === undefined) {
        answer = options
          .requestVirtualHost(routeConfigName, authority)
          .catch((error: unknown): VirtualHostAnswer => {
            faults.report(error, undefined);
            return 'unavailable';
          })
          .finally(() => asked.delete(key));
        asked.set(key, answer);
      }
      return answer;
    },
    onStreamEnd: (info, listener, manager) => {
      // The record is somebody else's work: a defect there must not keep this request from ending in good order.
      try {
        if (info.isGrpc) {
          protocols.of(listener.name).note('grpc', clock.now());
        }
        options.onStreamEnd(info, listener, manager);
      } catch (error) {
        faults.report(error, undefined);
      }
    },
  };
  const tcp: TcpContext = { upstream, clusters, onTcpStart: options.onTcpStart, onTcpEnd: options.onTcpEnd };
  let lastConnectionId = 0;
  const acceptor: AcceptorContext = {
    clock,
    wheel,
    transport,
    nextConnectionId: () => ++lastConnectionId,
    onRefused: (record, listener) => options.onTcpEnd(record, listener, undefined),
  };
  const maxConnections = options.maxConnections ?? defaultMaxConnections;
  /** Below the limit of connections, if need be after closing some that nobody uses: a hundredth at once, as finding them is work. */
  const hasRoom = (): boolean => {
    if (listeners.connections < maxConnections) {
      return true;
    }
    const closed = listeners.closeIdlest(Math.ceil(maxConnections / 100));
    overload.count('envoy.overload_actions.reduce_timeouts', closed);
    return closed > 0;
  };
  const listeners: ListenerManager = new ListenerManager({
    clock,
    logger,
    clusters,
    tls,
    http,
    tcp,
    acceptor,
    warmingTimeoutMs: options.warmingTimeoutMs ?? defaultWarmingTimeoutMs,
    drainTimeMs: options.drainTimeMs ?? defaultDrainTimeMs,
    mayAccept: () => {
      const mayAccept = (overload.active & OverloadBit.refuseConnections) === 0 && hasRoom();
      if (!mayAccept) {
        overload.count('envoy.overload_actions.stop_accepting_connections');
      }
      return mayAccept;
    },
  });
  const stopWatching = options.secrets.subscribe(() => listeners.check());

  return {
    apply: (config): Promise<ApplyResult> => {
      tables = new Map([...config.routes].map(([name, table]) => [name, compileRouteTable(table, tables.get(name))]));
      clusters.apply(config);
      return listeners.apply(config);
    },
    drain: (timeoutMs) => {
      draining = true;
      return listeners.drain(timeoutMs);
    },
    close: () => {
      stopWatching();
      listeners.close();
      clusters.close();
      wheel.close();
      return Promise.resolve();
    },
    clusters: () => [...clusters.all()].map(clusterStatus),
    listeners: () => listeners.statuses(),
    faults: () => faults.count,
    downstreamHttp: () => counters,
    protocolsSeen: () => protocols,
    connections: () => listeners.connections + listeners.pendingConnections,
    relief: {
      closeIdle: (share) => listeners.endIdle(share),
      resetLargest: (most) => listeners.resetLargest(most),
    },
  };
}

/** Defects of ours that a connection met: counted all, logged once each. */
class FaultLog {
  readonly #options: DataPlaneOptions;
  readonly #seen = new Set<string>();
  count = 0;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
  }

  report(error: unknown, connection: Connection | undefined): void {
    this.count += 1;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (this.#seen.has(text) || this.#seen.size >= maxLoggedFaults) {
      return;
    }
    this.#seen.add(text);
    this.#options.logger.error('a connection met a defect of the proxy and was closed', {
      error,
      remoteAddress: connection?.remoteAddress ?? '',
    });
  }
}

function clusterStatus(cluster: Cluster): ClusterStatus {
  const { counters, config } = cluster;
  const endpoints: EndpointStatus[] = [];
  for (const endpoint of cluster.endpoints()) {
    const seen = endpoint.counters;
    endpoints.push({
      info: endpoint,
      priority: endpoint.priority,
      health: endpoint.health,
      healthFlags: endpoint.healthFlags,
      edsStatus: endpoint.config.status ?? endpoint.config.health,
      requestsTotal: seen.requestsTotal,
      requestsSuccess: seen.requestsSuccess,
      requestsError: seen.requestsError,
      requestsActive: seen.requestsActive,
      connectionsTotal: seen.connectionsTotal,
      connectionsActive: seen.connectionsActive,
      connectFailures: seen.connectFailures,
      tcpBytes: seen.tcpBytes,
    });
  }
  return {
    name: config.name,
    config,
    state: cluster.warm ? 'active' : 'warming',
    endpoints,
    requestsTotal: counters.requestsTotal,
    requestsActive: counters.requestsActive,
    requestsPending: counters.requestsPending,
    requestsPendingOverflow: counters.requestsPendingOverflow,
    requestTimeouts: counters.requestTimeouts,
    perTryTimeouts: counters.perTryTimeouts,
    perTryIdleTimeouts: counters.perTryIdleTimeouts,
    retries: counters.retries,
    retriesBackOffExponential: counters.retriesBackOffExponential,
    retriesBackOffRateLimited: counters.retriesBackOffRateLimited,
    retrySuccess: counters.retrySuccess,
    retryOverflow: counters.retryOverflow,
    retryLimitExceeded: counters.retryLimitExceeded,
    connectionsTotal: counters.connectionsTotal,
    connectionsActive: counters.connectionsActive,
    connectFailures: counters.connectFailures,
    connectTimeouts: counters.connectTimeouts,
    connectionOverflow: counters.connectionOverflow,
    balancer: counters.balancer,
    breakers: { default: cluster.defaultBreaker, high: cluster.highBreaker },
    outliers: counters.outliers,
    healthChecks: counters.healthChecks,
    httpConnectionsTotal: counters.httpConnectionsTotal,
    http2ConnectionsTotal: counters.http2ConnectionsTotal,
    http2: counters.http2,
  };
}
