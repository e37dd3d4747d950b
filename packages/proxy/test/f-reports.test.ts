import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@weft/base';
import { ManualClock } from '@weft/testkit';
import type { DemandResult } from '@weft/xds-client';
import { MAX_DEMANDED_HOSTS, OnDemandHosts } from '../src/bootstrap/on-demand-hosts.ts';
import type { ClusterStatus, EndpointStatus } from '../src/data-plane.ts';
import { LoadCollector } from '../src/load-report/collect-load.ts';
import type { ClusterConfig } from '../src/runtime-config/config.ts';
import type { EndpointInfo } from '../src/stream-info.ts';

const info = {
  address: '127.0.0.1:80',
  config: { address: { kind: 'ip', address: '127.0.0.1', port: 80 } },
  region: 'eu',
  zone: 'a',
  subZone: '',
} as EndpointInfo;

function cluster(
  requestsTotal: number,
  requestsError: number,
  requestsActive = 0,
  overflow = 0,
  tcpBytes = 0,
): ClusterStatus {
  return {
    name: 'c',
    config: { discovery: { kind: 'eds', serviceName: 's' } } as ClusterConfig,
    endpoints: [
      {
        info,
        priority: 0,
        requestsTotal,
        requestsSuccess: requestsTotal - requestsError,
        requestsError,
        requestsActive,
        connectionsTotal: 1,
        connectionsActive: 0,
        connectFailures: 0,
        tcpBytes,
      } as EndpointStatus,
    ],
    requestsPendingOverflow: overflow,
  } as unknown as ClusterStatus;
}

test('load reports tell what changed since the last one, by locality and endpoint', () => {
  let now = cluster(10, 2, 1, 3);
  const collector = new LoadCollector(() => [now]);
  const all = { clusters: undefined, perEndpoint: true };
  const [first] = collector.collect(all);
  assert.equal(first?.clusterServiceName, 's');
  assert.equal(first?.totalDroppedRequests, 3n);
  const locality = first?.upstreamLocalityStats[0];
  assert.equal(locality?.totalSuccessfulRequests, 8n);
  assert.equal(locality?.totalErrorRequests, 2n);
  assert.equal(locality?.totalIssuedRequests, 10n);
  assert.equal(locality?.totalRequestsInProgress, 1n);
  assert.equal(locality?.locality?.zone, 'a');
  assert.equal(locality?.upstreamEndpointStats.length, 1);
  now = cluster(15, 2, 0, 3);
  assert.equal(collector.collect(all)[0]?.upstreamLocalityStats[0]?.totalSuccessfulRequests, 5n);
  assert.deepEqual(collector.collect(all), [], 'nothing happened');
  now = cluster(16, 2);
  assert.deepEqual(collector.collect({ clusters: new Set(['other']), perEndpoint: false }), []);
  assert.equal(collector.collect({ clusters: new Set(['c']), perEndpoint: false })[0]?.upstreamLocalityStats.length, 1);
});

test('load reports tell the bytes of TCP connections while they are open', () => {
  let now = cluster(0, 0, 0, 0, 1_000);
  const collector = new LoadCollector(() => [now]);
  const all = { clusters: undefined, perEndpoint: true };
  const metrics = () => collector.collect(all)[0]?.upstreamLocalityStats[0];
  const first = [{ metricName: 'weft.tcp_bytes', numRequestsFinishedWithMetric: 1n, totalMetricValue: 1_000 }];
  const locality = metrics();
  assert.deepEqual(locality?.loadMetricStats, first);
  assert.deepEqual(locality?.upstreamEndpointStats[0]?.loadMetricStats, first);
  now = cluster(0, 0, 0, 0, 1_500);
  assert.deepEqual(metrics()?.loadMetricStats, [
    { metricName: 'weft.tcp_bytes', numRequestsFinishedWithMetric: 0n, totalMetricValue: 500 },
  ]);
  assert.equal(metrics(), undefined, 'nothing happened');
});

test('hosts are asked for on demand: once, in lower case, and not again at once when they do not exist', async () => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const released: string[] = [];
  let answer: DemandResult = 'missing';
  const hosts = new OnDemandHosts(
    {
      demand: (_type, name) => {
        asked.push(name);
        return Promise.resolve(answer);
      },
      release: (_type, name) => void released.push(name),
    },
    clock,
    silentLogger,
  );
  await hosts.request('http-proxy', 'Nobody');
  await hosts.request('http-proxy', 'nobody');
  assert.deepEqual(asked, ['http-proxy/nobody']);
  assert.deepEqual(released, ['http-proxy/nobody']);
  clock.advance(6000);
  answer = 'active';
  await hosts.request('http-proxy', 'nobody');
  assert.equal(asked.length, 2);
  assert.equal(hosts.size, 1);
  for (const wrong of ['a/b', 'a b', '', 'x'.repeat(300), '../etc', 'a:b', 'a\r\nb']) {
    await hosts.request('http-proxy', wrong);
  }
  assert.equal(asked.length, 2);
});

test('the number of hosts that clients can have us ask for is bounded', async () => {
  let asked = 0;
  const hosts = new OnDemandHosts(
    {
      demand: () => {
        asked += 1;
        return Promise.resolve('active' as const);
      },
      release: () => {},
    },
    new ManualClock(),
    silentLogger,
  );
  for (let index = 0; index < MAX_DEMANDED_HOSTS + 50; index += 1) {
    await hosts.request('r', `h${index}`);
  }
  assert.equal(asked, MAX_DEMANDED_HOSTS);
});
