import { parseWorkloadId } from '@weft/identity';
import type { Counts, TcpReport, TrafficHistory } from '@weft/telemetry';
import type { LoadReport } from '@weft/xds-server';
import type { Address } from '@weft/xds-types/envoy/config/core/v3/address.ts';
import type {
  ClusterStats,
  EndpointLoadMetricStats,
  UpstreamLocalityStats,
} from '@weft/xds-types/envoy/config/endpoint/v3/load_report.ts';

/** A cluster name as translation writes it: `outbound|<port>|<subset>|<host>`; undefined for others. */
function parseOutboundCluster(
  name: string,
): { readonly host: string; readonly port: number; readonly subset: string } | undefined {
  const match = /^outbound\|(\d{1,5})\|([^|]*)\|([^|]+)$/.exec(name);
  if (match === null) {
    return undefined;
  }
  return { port: Number(match[1]), subset: match[2] ?? '', host: match[3] ?? '' };
}

/** Under this name our proxy tells the bytes of TCP connections; an endpoint that has it is used by the TCP proxy. */
const tcpBytesMetric = 'weft.tcp_bytes';

/** Endpoints of one cluster that are taken over from a report; what a proxy says beyond that counts for the cluster only. */
export const maxReportedEndpoints = 1_000;

/**
 * Writes a proxy's load report into the history; what it counts for its own inbound clusters is the callers' to tell.
 * @param isGiven whether the proxy has been given this cluster: what it says of others is left out, so that it cannot fill the
 * history or speak for services that it does not use.
 * @param isTcp whether the port is carried as TCP: Envoy counts its connections as requests.
 */
export function recordLoadReport(
  history: TrafficHistory,
  proxyKey: string,
  identity: string,
  report: Pick<LoadReport, 'clusters' | 'receivedAtMs'>,
  isGiven: (clusterName: string) => boolean,
  isTcp: (host: string, port: number) => boolean,
): void {
  const workload = parseWorkloadId(identity);
  if (workload === undefined) {
    return;
  }
  const caller = { namespace: workload.namespace, name: workload.serviceAccount };
  for (const cluster of report.clusters) {
    const destination = parseOutboundCluster(cluster.clusterName);
    if (destination !== undefined && isGiven(cluster.clusterName)) {
      const tcp = tcpOfCluster(cluster, isTcp(destination.host, destination.port));
      history.record({
        proxyKey,
        caller,
        destination,
        ...(tcp === undefined ? clusterCounts(cluster) : noRequests),
        ...(tcp === undefined ? {} : { tcp }),
        endpoints: endpointCounts(cluster, tcp !== undefined),
      });
    }
  }
}

const noRequests: Counts = { issued: 0, succeeded: 0, failed: 0 };

/** undefined: it is not carried as TCP, or (a port that declares nothing) not as TCP alone. */
function tcpOfCluster({ upstreamLocalityStats }: ClusterStats, isDeclared: boolean): TcpReport | undefined {
  const isTold = upstreamLocalityStats.some(({ loadMetricStats }) => tcpMetric(loadMetricStats) !== undefined);
  const hasRequests = upstreamLocalityStats.some(
    (stats) => stats.totalSuccessfulRequests + stats.totalErrorRequests > 0n,
  );
  if (!isDeclared && (!isTold || hasRequests)) {
    return undefined;
  }
  const sum = { connections: 0, failed: 0, bytes: 0, open: 0 };
  for (const stats of upstreamLocalityStats) {
    sum.connections += connectionsOf(stats);
    sum.failed += Number(stats.totalFailConnections);
    sum.open += Math.max(Number(stats.totalActiveConnections), Number(stats.totalRequestsInProgress));
    sum.bytes += tcpMetric(stats.loadMetricStats)?.totalMetricValue ?? 0;
  }
  return sum;
}

/** Each connection of a TCP proxy counts as one request of Envoy's (and is in progress while it is open), whether or not it tells connections. */
function connectionsOf(stats: UpstreamLocalityStats): number {
  return Math.max(Number(stats.totalNewConnections), Number(stats.totalIssuedRequests));
}

function tcpMetric(metrics: readonly EndpointLoadMetricStats[]): EndpointLoadMetricStats | undefined {
  const metric = metrics.find(({ metricName }) => metricName === tcpBytesMetric);
  return metric !== undefined && metric.totalMetricValue >= 0 && Number.isFinite(metric.totalMetricValue)
    ? metric
    : undefined;
}

function clusterCounts(cluster: ClusterStats): Counts {
  const sum = { issued: 0, succeeded: 0, failed: 0 };
  for (const locality of cluster.upstreamLocalityStats) {
    sum.issued += Number(locality.totalIssuedRequests);
    sum.succeeded += Number(locality.totalSuccessfulRequests);
    sum.failed += Number(locality.totalErrorRequests);
  }
  return sum;
}

function endpointCounts(
  cluster: ClusterStats,
  isTcp: boolean,
): (Counts & { readonly address: string; readonly tcp?: TcpReport })[] {
  const all = cluster.upstreamLocalityStats.flatMap(({ upstreamEndpointStats }) => upstreamEndpointStats);
  return all.slice(0, maxReportedEndpoints).flatMap((stats) => {
    const address = addressText(stats.address);
    if (address === undefined) {
      return [];
    }
    const issued = Number(stats.totalIssuedRequests);
    if (isTcp) {
      const metric = tcpMetric(stats.loadMetricStats);
      const connections = Math.max(Number(metric?.numRequestsFinishedWithMetric ?? 0n), issued);
      // What is open and what failed is told of localities only.
      return [
        { address, ...noRequests, tcp: { connections, failed: 0, bytes: metric?.totalMetricValue ?? 0, open: 0 } },
      ];
    }
    const succeeded = Number(stats.totalSuccessfulRequests);
    return [{ address, issued, succeeded, failed: Number(stats.totalErrorRequests) }];
  });
}

/** `10.0.0.1:80`, or `unix://` and the path of a socket; undefined for what no endpoint has. */
function addressText(address: Address | undefined): string | undefined {
  switch (address?.address?.$case) {
    case 'pipe':
      return `unix://${address.address.value.path}`;
    case 'socketAddress': {
      const { address: ip, portSpecifier } = address.address.value;
      return portSpecifier?.$case === 'portValue' ? `${ip}:${portSpecifier.value}` : undefined;
    }
    default:
      return undefined;
  }
}
