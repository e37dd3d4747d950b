import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@weft/base';
import { TrafficHistory, type TrafficReport } from '@weft/telemetry';
import { ClusterStats } from '@weft/xds-types/envoy/config/endpoint/v3/load_report.ts';
import { maxReportedEndpoints, recordLoadReport } from './load-reports.ts';

const proxy = 'shop/web';
const identity = 'spiffe://cluster.local/ns/shop/sa/web';

function statsOf(clusterName: string, endpoints: number): ClusterStats {
  const blank = ClusterStats.decode(new Uint8Array());
  const counts = { totalIssuedRequests: 1n, totalSuccessfulRequests: 1n, totalErrorRequests: 0n };
  const upstreamEndpointStats = Array.from({ length: endpoints }, (_, index) => ({
    ...counts,
    address: {
      address: {
        $case: 'socketAddress' as const,
        value: { address: '127.0.0.1', portSpecifier: { $case: 'portValue' as const, value: index + 1 } },
      },
    },
  }));
  const locality = { ...counts, upstreamEndpointStats, loadMetricStats: [] };
  return { ...blank, clusterName, upstreamLocalityStats: [locality] } as unknown as ClusterStats;
}

test('a proxy reports about the clusters that it was given, and no others', () => {
  const history = new TrafficHistory({ clock: systemClock });
  const given = 'outbound|80||reviews.shop.svc.cluster.local';
  const clusters = [statsOf(given, 2), statsOf('outbound|80||bank.other.svc.cluster.local', 2)];
  recordLoadReport(
    history,
    proxy,
    identity,
    { clusters, receivedAtMs: 0 },
    (name) => name === given,
    () => false,
  );
  assert.deepEqual([...history.services(60_000).keys()], ['reviews.shop.svc.cluster.local']);
});

test('endpoints above the limit are left out', () => {
  const recorded: number[] = [];
  const history = {
    record: ({ endpoints }: { endpoints: readonly unknown[] }) => void recorded.push(endpoints.length),
  };
  const clusters = [statsOf('outbound|80||reviews', maxReportedEndpoints + 1)];
  recordLoadReport(
    history as unknown as TrafficHistory,
    proxy,
    identity,
    { clusters, receivedAtMs: 0 },
    () => true,
    () => false,
  );
  assert.deepEqual(recorded, [maxReportedEndpoints]);
});

test('TCP is told from HTTP: by what is declared, where Envoy counts connections as requests, or by the bytes that our proxy tells', () => {
  const tcpOf = (isDeclared: boolean, bytes: number, succeeded: bigint) => {
    const recorded: unknown[] = [];
    const history = { record: ({ issued, tcp }: TrafficReport) => void recorded.push({ issued, tcp }) };
    const stats = statsOf('outbound|7000||cache', 0);
    const loadMetricStats =
      bytes === 0 ? [] : [{ metricName: 'weft.tcp_bytes', numRequestsFinishedWithMetric: 2n, totalMetricValue: bytes }];
    const locality = {
      ...stats.upstreamLocalityStats[0],
      totalIssuedRequests: 3n,
      totalSuccessfulRequests: succeeded,
      totalNewConnections: 0n,
      totalFailConnections: 1n,
      totalActiveConnections: 0n,
      totalRequestsInProgress: 5n,
      loadMetricStats,
    };
    const clusters = [{ ...stats, upstreamLocalityStats: [locality] } as unknown as ClusterStats];
    recordLoadReport(
      history as unknown as TrafficHistory,
      proxy,
      identity,
      { clusters, receivedAtMs: 0 },
      () => true,
      () => isDeclared,
    );
    return recorded[0];
  };
  const tcp = { connections: 3, failed: 1, bytes: 0, open: 5 };
  assert.deepEqual(tcpOf(true, 0, 0n), { issued: 0, tcp });
  assert.deepEqual(tcpOf(false, 700, 0n), { issued: 0, tcp: { ...tcp, bytes: 700 } });
  assert.deepEqual(tcpOf(false, 700, 3n), { issued: 3, tcp: undefined }, 'a port that carries both');
  assert.deepEqual(tcpOf(false, 0, 0n), { issued: 3, tcp: undefined });
});
