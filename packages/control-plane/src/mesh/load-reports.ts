import { parseWorkloadId } from '@weft/identity';
import type { Counts, TrafficHistory } from '@weft/telemetry';
import type { LoadReport } from '@weft/xds-server';
import type { Address } from '@weft/xds-types/envoy/config/core/v3/address.ts';
import type { ClusterStats } from '@weft/xds-types/envoy/config/endpoint/v3/load_report.ts';

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

/** Endpoints of one cluster that are taken over from a report; what a proxy says beyond that counts for the cluster only. */
export const maxReportedEndpoints = 1_000;

/**
 * Writes a proxy's load report into the history; what it counts for its own inbound clusters is the callers' to tell.
 * @param isGiven whether the proxy has been given this cluster: what it says of others is left out, so that it cannot fill the
 * history or speak for services that it does not use.
 */
export function recordLoadReport(
  history: TrafficHistory,
  proxyKey: string,
  identity: string,
  report: Pick<LoadReport, 'clusters' | 'receivedAtMs'>,
  isGiven: (clusterName: string) => boolean,
): void {
  const workload = parseWorkloadId(identity);
  if (workload === undefined) {
    return;
  }
  const caller = { namespace: workload.namespace, name: workload.serviceAccount };
  for (const cluster of report.clusters) {
    const destination = parseOutboundCluster(cluster.clusterName);
    if (destination !== undefined && isGiven(cluster.clusterName)) {
      history.record({ proxyKey, caller, destination, ...clusterCounts(cluster), endpoints: endpointCounts(cluster) });
    }
  }
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

function endpointCounts(cluster: ClusterStats): (Counts & { readonly address: string })[] {
  const all = cluster.upstreamLocalityStats.flatMap(({ upstreamEndpointStats }) => upstreamEndpointStats);
  return all.slice(0, maxReportedEndpoints).flatMap((stats) => {
    const address = addressText(stats.address);
    if (address === undefined) {
      return [];
    }
    return [
      {
        address,
        issued: Number(stats.totalIssuedRequests),
        succeeded: Number(stats.totalSuccessfulRequests),
        failed: Number(stats.totalErrorRequests),
      },
    ];
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
