import assert from 'node:assert/strict';
import http from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '@weft/testkit';
import { describeHealth } from '../src/endpoint/endpoint-health.ts';
import { maxAnswerBytes } from '../src/health-check/tcp-probe.ts';
import type { ClusterConfig, RuntimeConfig } from '../src/runtime-config/config.ts';
import type { HealthCheckConfig } from '../src/runtime-config/health-check.ts';
import {
  assignment,
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';

/** What follows from active health checks. */

const check: HealthCheckConfig = {
  timeoutMs: 1000,
  intervalMs: 20,
  initialJitterMs: 0,
  intervalJitterMs: 0,
  intervalJitterPercent: 0,
  unhealthyThreshold: 2,
  healthyThreshold: 2,
  reuseConnection: true,
  noTrafficIntervalMs: 20,
  noTrafficHealthyIntervalMs: 20,
  unhealthyIntervalMs: 20,
  unhealthyEdgeIntervalMs: 20,
  healthyEdgeIntervalMs: 20,
  logsAllFailures: false,
  logsAllSuccesses: false,
  alpn: undefined,
  transportSocketMatch: undefined,
  check: {
    kind: 'http',
    http2: false,
    method: 'GET',
    path: '/healthz',
    host: '',
    headersToAdd: [],
    headersToRemove: [],
    expectedStatuses: [{ start: 200, end: 201 }],
    retriableStatuses: [],
    serviceName: undefined,
    receive: [],
    searchedBytes: 1024,
  },
};

/** An origin whose health and answers a test sets. */
async function startOrigin(t: TestContext) {
  const state = { healthy: true, headers: {} as Record<string, string>, checks: 0, port: 0, answersChecks: true };
  const server = http.createServer((request, response) => {
    if (request.url !== '/healthz') {
      response.writeHead(200, state.headers).end('ok');
      return;
    }
    state.checks += 1;
    if (state.answersChecks) {
      response.writeHead(state.healthy ? 200 : 503).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  state.port = (server.address() as AddressInfo).port;
  return state;
}

async function startProxy(t: TestContext, more: Partial<ClusterConfig>) {
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  const entry = listener([chain(httpManager())]);
  const table = routeTable('routes', [virtualHost([route(forwardTo('origin'))])]);
  const upstream = cluster('origin', [], {
    discovery: { kind: 'eds', serviceName: 'origin' },
    healthCheck: check,
    panicThresholdPercent: 0,
    ...more,
  });
  const config = (ports: readonly number[]): RuntimeConfig =>
    runtimeConfig({
      listeners: [entry],
      routes: [table],
      clusters: [upstream],
      endpoints: [
        assignment(
          'origin',
          ports.map((port) => endpoint(port)),
        ),
      ],
    });
  const flags = (): Record<number, string> =>
    Object.fromEntries(
      (harness.dataPlane.clusters()[0]?.endpoints ?? []).map(({ info, healthFlags }) => [
        Number(info.address.split(':')[1]),
        describeHealth(healthFlags),
      ]),
    );
  const get = async (): Promise<number> => (await fetch(`http://127.0.0.1:${harness.port()}/`)).status;
  return { harness, config, flags, get };
}

test('a listener waits for the first checks of its cluster; wait_for_warm_on_init off: it does not', async (t) => {
  for (const waitForWarm of [true, false]) {
    const origin = await startOrigin(t);
    origin.answersChecks = false;
    const timeoutMs = waitForWarm ? 100 : 60_000;
    const { harness, config } = await startProxy(t, { waitForWarm, healthCheck: { ...check, timeoutMs } });
    const applied = harness.apply(config([origin.port]));
    if (waitForWarm) {
      await eventually(() => origin.checks > 0, { what: 'the first check' });
      assert.equal(harness.dataPlane.listeners()[0]?.state, 'warming');
    }
    await applied;
    assert.equal(harness.dataPlane.listeners()[0]?.state, 'active');
  }
});

test('a cluster that is asked for before its first checks are done sends to what nobody looked at yet, and not to what failed', async (t) => {
  const [silent, ill] = [await startOrigin(t), await startOrigin(t)];
  silent.answersChecks = false;
  ill.healthy = false;
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  const entry = listener([chain(httpManager())]);
  const other = cluster('other', []);
  const upstream = cluster('origin', [endpoint(silent.port), endpoint(ill.port)], {
    healthCheck: { ...check, timeoutMs: 60_000 },
    panicThresholdPercent: 0,
  });
  const config = (name: string, clusters: readonly ClusterConfig[]): RuntimeConfig =>
    runtimeConfig({
      listeners: [entry],
      routes: [routeTable('routes', [virtualHost([route(forwardTo(name))])])],
      clusters,
    });
  await harness.apply(config('other', [other]));
  void harness.apply(config('origin', [other, upstream]));
  await eventually(() => ill.checks > 0 && silent.checks > 0, { what: 'the first checks' });
  await eventually(
    () => harness.dataPlane.clusters().find(({ name }) => name === 'origin')?.healthChecks.failure === 1,
    { what: 'one has failed' },
  );
  for (let index = 0; index < 10; index += 1) {
    assert.equal((await fetch(`http://127.0.0.1:${harness.port()}/`)).status, 200);
  }
  assert.deepEqual([...new Set(harness.requests.map((request) => request.endpoint))], [`127.0.0.1:${silent.port}`]);
});

test('an endpoint that leaves the list while its checks pass serves until they fail', async (t) => {
  const [stays, leaves] = [await startOrigin(t), await startOrigin(t)];
  const { harness, config, flags, get } = await startProxy(t, {});
  void harness.apply(config([stays.port, leaves.port]));
  await eventually(() => Object.values(flags()).join() === 'healthy,healthy', { what: 'both pass' });
  await harness.apply(config([stays.port]));
  assert.equal(Object.keys(flags()).length, 2);
  leaves.healthy = false;
  await eventually(() => Object.keys(flags()).length === 1, { what: 'it left' });
  const { checks } = leaves;
  const before = stays.checks;
  await eventually(() => stays.checks > before + 3, { what: 'further checks' });
  assert.ok(leaves.checks <= checks + 1, 'nobody checks what has left');
  assert.equal(await get(), 200);
  assert.equal(harness.dataPlane.clusters()[0]?.healthChecks.healthy, 1);
});

test('with ignore_health_on_host_removal it leaves at once', async (t) => {
  const [stays, leaves] = [await startOrigin(t), await startOrigin(t)];
  const { harness, config, flags } = await startProxy(t, { ignoreHealthOnHostRemoval: true });
  void harness.apply(config([stays.port, leaves.port]));
  await eventually(() => Object.values(flags()).join() === 'healthy,healthy', { what: 'both pass' });
  await harness.apply(config([stays.port]));
  assert.deepEqual(Object.keys(flags()), [String(stays.port)]);
});

test('an answer that says so fails its endpoint at once; checks that pass bring it back', async (t) => {
  const origin = await startOrigin(t);
  const slow = { ...check, intervalMs: 200, healthyEdgeIntervalMs: 20, noTrafficIntervalMs: 20 };
  const { harness, config, flags, get } = await startProxy(t, { healthCheck: slow });
  void harness.apply(config([origin.port]));
  await eventually(() => flags()[origin.port] === 'healthy', { what: 'it passes' });
  await eventually(() => harness.dataPlane.listeners()[0]?.state === 'active', { what: 'listening' });
  origin.headers = { 'x-envoy-immediate-health-check-fail': 'true' };
  assert.equal(await get(), 200);
  assert.equal(flags()[origin.port], '/failed_active_hc/excluded_via_immediate_hc_fail');
  assert.equal(harness.dataPlane.clusters()[0]?.healthChecks.passiveFailure, 1);
  await eventually(() => flags()[origin.port] === 'healthy', { what: 'it is back' });
  assert.equal(harness.dataPlane.clusters()[0]?.healthChecks.healthy, 1);
});

test('an endpoint that says more than is searched, without what is waited for, has failed', async (t) => {
  let sent = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const piece = Buffer.alloc(8192, 'x');
    for (let bytes = 0; bytes <= maxAnswerBytes; bytes += piece.length) {
      sent += piece.length;
      socket.write(piece);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const tcp = {
    ...check,
    timeoutMs: 60_000,
    check: { kind: 'tcp', send: Buffer.alloc(0), receive: [Buffer.from('y')] },
  } as const;
  const { harness, config, flags } = await startProxy(t, { healthCheck: tcp });
  void harness.apply(config([port]));
  await eventually(() => (harness.dataPlane.clusters()[0]?.healthChecks.networkFailure ?? 0) > 0, {
    what: 'a failure',
  });
  assert.equal(flags()[port], '/failed_active_hc');
  assert.ok(sent > maxAnswerBytes);
});

test('a logical name with addresses of both families is reached by the one that answers', async (t) => {
  const origin = await startOrigin(t);
  const resolveDns = (name: string, family: 4 | 6) => {
    assert.equal(name, 'books.example');
    return Promise.resolve({ addresses: [family === 6 ? '::1' : '127.0.0.1'], ttlSec: undefined });
  };
  const harness = new ProxyHarness({ resolveDns });
  t.after(() => harness.close());
  const named = endpoint(origin.port, { address: { kind: 'ip', address: 'books.example', port: origin.port } });
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager())])],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('origin'))])])],
      clusters: [
        cluster('origin', [], {
          discovery: {
            kind: 'dns',
            endpoints: assignment('origin', [named]),
            dns: { kind: 'logical', families: 'all', refreshMs: 60_000, respectTtl: false, failureRefresh: undefined },
          },
        }),
      ],
    }),
  );
  // Nobody listens on the address of IPv6.
  assert.equal((await fetch(`http://127.0.0.1:${harness.port()}/`)).status, 200);
  assert.equal((await harness.ended()).endpoint, `books.example:${origin.port}`);
});
