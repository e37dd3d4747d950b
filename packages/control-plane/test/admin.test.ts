import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type TestContext, test } from 'node:test';
import {
  adminPaths,
  type CheckList,
  type ConfigDump,
  type EffectiveExplanation,
  type Overview,
  type ProxyDetail,
} from '@weft/admin-api';
import { MeshError, systemClock } from '@weft/base';
import type { Condition, KubeObject } from '@weft/resources';
import { eventually } from '@weft/testkit';
import { typeUrls } from '@weft/xds-types';
import { sendError } from '../src/admin/api-error.ts';
import { createMeshQueries } from '../src/admin/mesh-queries.ts';
import { maxStreams, ReadRoutes } from '../src/admin/read-routes.ts';
import { type Fixture, smallShop, startFixture } from './fixture.ts';

/** The reading part of the admin API over a fixture, without what stands in front of it. */
async function serveAdmin(t: TestContext, fixture: Fixture): Promise<string> {
  const { mesh, ca, api } = fixture;
  const routes = new ReadRoutes(
    createMeshQueries({
      state: mesh.state,
      xds: mesh.xds,
      publisher: mesh.publisher,
      sessions: mesh.sessions,
      observed: mesh.observed,
      revisions: mesh.revisions,
      history: mesh.history,
      seenProtocols: mesh.seenProtocols,
      errors: mesh.errors,
      metrics: mesh.metrics,
      trustDomain: ca.trustDomain,
      client: api.client,
      ca,
      clock: systemClock,
      version: () => {
        throw new Error('not asked for here');
      },
      translationFailures: () => mesh.translationFailures,
    }),
    systemClock,
  );
  const server: Server = createServer((incoming, response) => {
    routes
      .handle(new URL(incoming.url ?? '/', 'http://localhost'), response)
      .then((found) => found || sendError(response, new MeshError('NOT_FOUND', 'no such path')))
      .catch((error: unknown) => sendError(response, MeshError.from(error)));
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  t.after(() => {
    routes.close();
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${port}`;
}

async function read<T>(url: string): Promise<T> {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return (await response.json()) as T;
}

test('a dump shows everything that a proxy was given, opened to the last message', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const base = await serveAdmin(t, fixture);
  const web = await fixture.connect('shop/web-1');
  await web.has(typeUrls.listener, 'http-proxy');
  web.subscribe(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  await web.has(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  const dump = await read<ConfigDump>(base + adminPaths.configDump('shop', 'web-1'));
  assert.deepEqual(
    dump.types.map(({ type, resources }) => [type, resources.length > 0]),
    ['LDS', 'RDS', 'VHDS', 'CDS', 'EDS', 'SDS'].map((type) => [type, true]),
  );
  const text = JSON.stringify(dump);
  assert.doesNotMatch(text, /"@type":"[^"]+","bytes":/, 'a message that the dump cannot open');
  assert.doesNotMatch(text, /PRIVATE KEY/);
  assert.match(text, /spiffe:\/\/cluster\.local\/ns\/shop\/sa\/reviews/);
  const one = await read<ConfigDump>(
    `${base}${adminPaths.configDump('shop', 'web-1')}?type=cds&name=inbound%7C8001%7C%7C`,
  );
  assert.deepEqual(
    one.types.map(({ type, resources }) => [type, resources.map(({ name }) => name)]),
    [['CDS', ['inbound|8001||']]],
  );
});

test('a proxy is shown with its state, its identity and what it has called', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const base = await serveAdmin(t, fixture);
  const web = await fixture.connect('shop/web-1');
  await web.has(typeUrls.listener, 'http-proxy');
  web.subscribe(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  const detail = await eventually(
    async () => {
      const found = await read<ProxyDetail>(base + adminPaths.proxy('shop', 'web-1'));
      return found.state === 'SYNCED' && found.observedHosts.length > 0 ? found : undefined;
    },
    { what: 'the proxy is in sync' },
  );
  assert.equal(detail.identity, 'spiffe://cluster.local/ns/shop/sa/web');
  assert.deepEqual(detail.observedHosts, ['reviews:9080']);
  const away = await read<ProxyDetail>(base + adminPaths.proxy('shop', 'reviews-1'));
  assert.equal(away.connected, false);
  assert.equal((await fetch(base + adminPaths.proxy('shop', 'nobody'))).status, 404);
});

test('the overview tells services with instances, mutual TLS and rates', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const base = await serveAdmin(t, fixture);
  await fixture.connect('shop/web-1');
  const overview = await read<Overview>(base + adminPaths.overview);
  const reviews = overview.services.find(({ name }) => name === 'reviews');
  assert.ok(reviews !== undefined);
  assert.deepEqual(reviews.mtls, { mode: 'strict', secured: 2, instances: 2 });
  assert.deepEqual(
    reviews.instances.map(({ name, version, engine, address }) => [name, version, engine, address]),
    [
      ['reviews-1', 'v1', 'weft', '127.0.0.1:15002'],
      ['reviews-2', 'v2', 'weft', '127.0.0.1:15003'],
    ],
  );
  await fixture.api.put({
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'reviews', namespace: 'shop' },
    spec: { selector: { matchLabels: { version: 'v2' } }, mtls: { mode: 'PERMISSIVE' } },
  });
  const mixed = (await read<Overview>(base + adminPaths.overview)).services.find(({ name }) => name === 'reviews');
  assert.equal(mixed?.mtls.mode, 'mixed');
});

test('streams of the overview begin at once, and there are only so many', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const base = await serveAdmin(t, fixture);
  const open = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const outgoing = request(base + adminPaths.overviewStream, { agent: false }, resolve);
      outgoing.on('error', reject);
      outgoing.end();
    });
  const streams = await Promise.all(Array.from({ length: maxStreams }, open));
  const [first] = streams;
  assert.ok(first !== undefined);
  const chunk = await new Promise<string>((resolve) =>
    first.once('data', (bytes: Buffer) => resolve(bytes.toString())),
  );
  assert.match(chunk, /^event: overview\ndata: \{/);
  assert.equal((await open()).statusCode, 503);
  first.destroy();
  await eventually(async () => (await open()).statusCode === 200, { what: 'a stream that ended makes room' });
});

test('checks and metrics answer', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const base = await serveAdmin(t, fixture);
  const { checks } = await read<{ checks: { id: string; outcome: string; fix?: string }[] }>(base + adminPaths.checks);
  const away = checks.find(({ id }) => id === 'proxies-connected');
  assert.equal(away?.outcome, 'warning');
  assert.ok(checks.every(({ outcome, fix }) => outcome === 'ok' || (fix ?? '') !== ''));
  const text = await (await fetch(base + adminPaths.metrics)).text();
  assert.match(text, /^weft_proxies\{connected="false"\} 3$/m);
  assert.match(text, /^weft_process_resident_memory_bytes \d+$/m);
  // A series that is missing until the first event would hide that event from `increase()`.
  assert.match(text, /^weft_translation_failures_total 0$/m);
  assert.match(text, /^weft_xds_nacks_total\{type="LDS"\} 0$/m);
});

test('what clients were seen to speak is told with the port, by a check and by a condition, and what should be declared', async (t) => {
  const ports = [
    { name: 'data', port: 7000 },
    { name: 'http', port: 80 },
    { name: 'tcp', port: 81 },
  ];
  const cache = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'cache', namespace: 'shop' },
    spec: { selector: { app: 'cache' }, ports },
  };
  const fixture = await startFixture(t, { objects: [...smallShop(), cache] });
  const base = await serveAdmin(t, fixture);
  const conditions = async (): Promise<readonly Condition[]> => {
    const object = await fixture.api.client.get<KubeObject & { status?: { conditions?: Condition[] } }>(
      { group: '', version: 'v1', kind: 'Service' },
      'cache',
      'shop',
    );
    return object.status?.conditions ?? [];
  };
  const { seenProtocols } = fixture.mesh;
  const host = 'cache.shop.svc.cluster.local';
  const said = {
    [`upstream|7000||${host}`]: { 'server-first': [3, 0], tcp: [1, 60] },
    [`upstream|80||${host}`]: { http1: [1, 0], tls: [1, 0] },
    [`upstream|81||${host}`]: { tcp: [1, 0] },
  };
  const now = Date.parse('2026-01-01T00:01:00Z');
  seenProtocols.told('shop/web-1', said, now, () => true);
  seenProtocols.told('shop/reviews-1', { [`upstream|7000||${host}`]: { tcp: [2, 0] } }, now, () => true);
  const overview = await read<Overview>(base + adminPaths.overview);
  const [data, http, tcp] = overview.services.find(({ name }) => name === 'cache')?.ports ?? [];
  assert.deepEqual(data?.seen, [
    { protocol: 'server-first', count: 3, lastSeen: '2026-01-01T00:01:00.000Z' },
    { protocol: 'tcp', count: 3, lastSeen: '2026-01-01T00:01:00.000Z' },
  ]);
  assert.deepEqual(data?.advice, {
    kind: 'undeclared',
    message: 'port 7000 declares no protocol; tcp in which the server speaks first was seen',
    fix: 'declare `appProtocol: tcp`',
  });
  assert.equal(http?.advice?.kind, 'mismatch');
  assert.equal(tcp?.advice, undefined);
  const { checks } = await read<CheckList>(base + adminPaths.checks);
  assert.deepEqual(
    checks.filter(({ id }) => id === 'protocols-declared').map(({ title, outcome }) => [title, outcome]),
    [
      ['service shop/cache', 'warning'],
      ['service shop/cache', 'warning'],
    ],
  );
  const isThere = (list: readonly Condition[], type: string): boolean => list.some((one) => one.type === type);
  await eventually(
    async () => {
      const list = await conditions();
      return isThere(list, 'ProtocolMismatch') && isThere(list, 'ProtocolUndeclared');
    },
    { what: 'the conditions' },
  );
  await fixture.api.put({
    ...cache,
    spec: { ...cache.spec, ports: ports.map((port) => ({ ...port, appProtocol: 'tcp' })) },
  });
  await eventually(async () => !(await conditions()).some(({ type }) => type.startsWith('Protocol')), {
    what: 'the conditions are gone with their reason',
  });
});

test('the effective values of a service and of a proxy are told by name; what is not there is not found', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const base = `${await serveAdmin(t, fixture)}${adminPaths.explainName}`;
  const service = await read<EffectiveExplanation>(`${base}?name=reviews&namespace=shop&from=shop/web-1`);
  assert.deepEqual([service.subject, service.from], ['Service shop/reviews', 'shop/web-1']);
  assert.ok(service.sections.some(({ title }) => title === 'calls to port 9080'));
  const proxy = await read<EffectiveExplanation>(`${base}?name=web-1&namespace=shop`);
  assert.equal(proxy.subject, 'Proxy shop/web-1');
  for (const [query, status] of [
    ['name=nobody&namespace=shop', 404],
    ['name=reviews&namespace=shop&from=shop/nobody', 404],
    ['namespace=shop', 422],
  ] as const) {
    assert.equal((await fetch(`${base}?${query}`)).status, status, query);
  }
});
