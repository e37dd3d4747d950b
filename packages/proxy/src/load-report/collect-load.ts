import type { LoadReportRequest } from '@weft/xds-client';
import type { SocketAddress } from '@weft/xds-types/envoy/config/core/v3/address.ts';
import type {
  ClusterStats,
  EndpointLoadMetricStats,
  UpstreamEndpointStats,
  UpstreamLocalityStats,
} from '@weft/xds-types/envoy/config/endpoint/v3/load_report.ts';
import type { ClusterStatus, EndpointStatus } from '../data-plane.ts';
import type { EndpointInfo } from '../stream-info.ts';

/** What was told of an endpoint so far. */
interface Reported {
  readonly success: number;
  readonly error: number;
  readonly issued: number;
  readonly connections: number;
  readonly connectFailures: number;
  readonly tcpBytes: number;
}

const nothing: Reported = { success: 0, error: 0, issued: 0, connections: 0, connectFailures: 0, tcpBytes: 0 };

/**
 * Name of the metric (`EndpointLoadMetricStats`) with the bytes of TCP connections, both directions together, and the number of
 * connections that were opened. It is there for endpoints that are used by the TCP proxy, and says by that that they are.
 */
const tcpBytesMetric = 'weft.tcp_bytes';

/** Turns the counters of the data plane, which only grow, into the differences that load reports are made of. */
export class LoadCollector {
  readonly #clusters: () => readonly ClusterStatus[];
  readonly #endpoints = new WeakMap<EndpointInfo, Reported>();
  readonly #dropped = new Map<string, number>();

  constructor(clusters: () => readonly ClusterStatus[]) {
    this.#clusters = clusters;
  }

  /** Clusters that had traffic since the last call, or have requests in flight. */
  collect(request: LoadReportRequest): ClusterStats[] {
    const stats: ClusterStats[] = [];
    const names = new Set<string>();
    for (const cluster of this.#clusters()) {
      names.add(cluster.name);
      if (request.clusters === undefined || request.clusters.has(cluster.name)) {
        const one = this.#collectCluster(cluster, request.perEndpoint);
        if (one !== undefined) {
          stats.push(one);
        }
      }
    }
    for (const name of this.#dropped.keys()) {
      if (!names.has(name)) {
        this.#dropped.delete(name);
      }
    }
    return stats;
  }

  #collectCluster(cluster: ClusterStatus, perEndpoint: boolean): ClusterStats | undefined {
    const localities = new Map<string, UpstreamLocalityStats>();
    for (const endpoint of cluster.endpoints) {
      this.#addEndpoint(endpoint, perEndpoint, localities);
    }
    const droppedBefore = this.#dropped.get(cluster.name) ?? 0;
    const dropped = Math.max(0, cluster.requestsPendingOverflow - droppedBefore);
    this.#dropped.set(cluster.name, cluster.requestsPendingOverflow);
    if (localities.size === 0 && dropped === 0) {
      return undefined;
    }
    return {
      clusterName: cluster.name,
      clusterServiceName: cluster.config.discovery.kind === 'eds' ? cluster.config.discovery.serviceName : '',
      upstreamLocalityStats: [...localities.values()],
      totalDroppedRequests: BigInt(dropped),
      droppedRequests: dropped === 0 ? [] : [{ category: 'circuit_breaker', droppedCount: BigInt(dropped) }],
      loadReportInterval: undefined,
    };
  }

  #addEndpoint(endpoint: EndpointStatus, perEndpoint: boolean, localities: Map<string, UpstreamLocalityStats>): void {
    const before = this.#endpoints.get(endpoint.info) ?? nothing;
    const now: Reported = {
      success: endpoint.requestsSuccess,
      error: endpoint.requestsError,
      issued: endpoint.requestsTotal,
      connections: endpoint.connectionsTotal,
      connectFailures: endpoint.connectFailures,
      tcpBytes: endpoint.tcpBytes,
    };
    const changed =
      now.success !== before.success ||
      now.error !== before.error ||
      now.issued !== before.issued ||
      now.connections !== before.connections ||
      now.connectFailures !== before.connectFailures ||
      now.tcpBytes !== before.tcpBytes;
    if (!changed && endpoint.requestsActive === 0 && endpoint.connectionsActive === 0) {
      return;
    }
    this.#endpoints.set(endpoint.info, now);
    const { region, zone, subZone } = endpoint.info;
    const key = JSON.stringify([region, zone, subZone, endpoint.priority]);
    let locality = localities.get(key);
    if (locality === undefined) {
      locality = emptyLocality({ region, zone, subZone }, endpoint.priority);
      localities.set(key, locality);
    }
    const success = BigInt(now.success - before.success);
    const error = BigInt(now.error - before.error);
    const issued = BigInt(now.issued - before.issued);
    const active = BigInt(endpoint.requestsActive);
    locality.totalSuccessfulRequests += success;
    locality.totalErrorRequests += error;
    locality.totalIssuedRequests += issued;
    locality.totalRequestsInProgress += active;
    locality.totalActiveConnections += BigInt(endpoint.connectionsActive);
    locality.totalNewConnections += BigInt(now.connections - before.connections);
    locality.totalFailConnections += BigInt(now.connectFailures - before.connectFailures);
    const metrics = now.tcpBytes === 0 ? [] : [tcpBytes(now, before)];
    for (const metric of metrics) {
      addMetric(locality.loadMetricStats, metric);
    }
    if (perEndpoint) {
      locality.upstreamEndpointStats.push(endpointStats(endpoint, success, error, issued, active, metrics));
    }
  }
}

function tcpBytes(now: Reported, before: Reported): EndpointLoadMetricStats {
  return {
    metricName: tcpBytesMetric,
    numRequestsFinishedWithMetric: BigInt(now.connections - before.connections),
    totalMetricValue: now.tcpBytes - before.tcpBytes,
  };
}

function addMetric(sums: EndpointLoadMetricStats[], metric: EndpointLoadMetricStats): void {
  const sum = sums.find(({ metricName }) => metricName === metric.metricName);
  if (sum === undefined) {
    sums.push({ ...metric });
  } else {
    sum.numRequestsFinishedWithMetric += metric.numRequestsFinishedWithMetric;
    sum.totalMetricValue += metric.totalMetricValue;
  }
}

function emptyLocality(
  locality: NonNullable<UpstreamLocalityStats['locality']>,
  priority: number,
): UpstreamLocalityStats {
  return {
    locality,
    totalSuccessfulRequests: 0n,
    totalRequestsInProgress: 0n,
    totalErrorRequests: 0n,
    totalIssuedRequests: 0n,
    totalActiveConnections: 0n,
    totalNewConnections: 0n,
    totalFailConnections: 0n,
    cpuUtilization: undefined,
    memUtilization: undefined,
    applicationUtilization: undefined,
    loadMetricStats: [],
    upstreamEndpointStats: [],
    priority,
  };
}

function endpointStats(
  { info }: EndpointStatus,
  success: bigint,
  error: bigint,
  issued: bigint,
  active: bigint,
  loadMetricStats: EndpointLoadMetricStats[],
): UpstreamEndpointStats {
  const { address } = info.config;
  return {
    address: {
      address:
        address.kind === 'pipe'
          ? { $case: 'pipe', value: { path: address.path, mode: 0 } }
          : { $case: 'socketAddress', value: socketAddress(address.address, address.port) },
    },
    metadata: undefined,
    totalSuccessfulRequests: success,
    totalRequestsInProgress: active,
    totalErrorRequests: error,
    totalIssuedRequests: issued,
    loadMetricStats,
  };
}

function socketAddress(address: string, port: number): SocketAddress {
  return {
    protocol: 0,
    address,
    portSpecifier: { $case: 'portValue', value: port },
    resolverName: '',
    ipv4Compat: false,
  };
}
