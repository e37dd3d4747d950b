import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, KubeObject } from '@weft/resources';
import { eventually } from '@weft/testkit';
import { typeUrls } from '@weft/xds-types';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import { VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import type { DeltaClient } from './delta-client.ts';
import {
  type Fixture,
  type Manifest,
  openCa,
  smallShop,
  startFixture,
  toReviews,
  virtualService,
  workload,
} from './fixture.ts';
import { MemoryApi } from './memory-api.ts';

const virtualServiceKind = { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' };
const proxyKind = { group: 'weft.dev', version: 'v1alpha1', kind: 'Proxy' };
const reviewsCluster = 'outbound|9080||reviews.shop.svc.cluster.local';

const routeOf = (prefix: string): Manifest => virtualService({ ...toReviews, match: [{ uri: { prefix } }] });

async function conditionOf(fixture: Fixture, type: string): Promise<Condition | undefined> {
  const object = await fixture.api.client.get<KubeObject & { status?: { conditions?: Condition[] } }>(
    virtualServiceKind,
    'reviews',
    'shop',
  );
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/** The client calls `reviews:9080` for the first time. */
async function callReviews(client: DeltaClient): Promise<void> {
  await client.has(typeUrls.listener, 'http-proxy');
  client.subscribe(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  await client.has(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  await client.has(typeUrls.endpoint, reviewsCluster);
}

test('a proxy gets its own listeners and the trust bundle, and no service that it has not called', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const web = await fixture.connect('shop/web-1');
  await web.has(typeUrls.listener, 'inbound|15001');
  await web.has(typeUrls.secret, 'ROOTCA');
  assert.ok(Buffer.from(web.bytes.get(`${typeUrls.secret} ROOTCA`) ?? []).includes('BEGIN CERTIFICATE'));
  assert.equal(
    web.names(typeUrls.cluster).some((name) => name.includes('reviews')),
    false,
  );
});

test('a host asked for on demand comes with its clusters and endpoints, which go first', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const web = await fixture.connect('shop/web-1');
  await callReviews(web);
  const at = (entry: string): number => web.log.indexOf(entry);
  assert.ok(at(`Cluster ${reviewsCluster}`) < at('VirtualHost http-proxy/reviews:9080'));
  assert.ok(at(`ClusterLoadAssignment ${reviewsCluster}`) < at('VirtualHost http-proxy/reviews:9080'));
});

test('what was called is written down, and a sibling starts with it', async (t) => {
  const fixture = await startFixture(t, {
    objects: [...smallShop(), ...workload('web', 2, { inbound: 15_011, app: 8_011 })],
  });
  await callReviews(await fixture.connect('shop/web-1'));
  const sibling = await fixture.connect('shop/web-2');
  await sibling.has(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  const status = await eventually(
    async () => {
      const { status: found } = await fixture.api.client.get<Manifest & { status?: { observedUpstreams?: unknown } }>(
        proxyKind,
        'web-1',
        'shop',
      );
      return found?.observedUpstreams === undefined ? undefined : found;
    },
    { what: 'the status of the proxy is written' },
  );
  const { connected, identity, observedUpstreams } = status as Record<string, unknown>;
  assert.equal(connected, true);
  assert.equal(identity, 'spiffe://cluster.local/ns/shop/sa/web');
  assert.deepEqual(
    (observedUpstreams as { host: string; port: number }[]).map(({ host, port }) => `${host}:${port}`),
    ['reviews:9080'],
  );
});

test('a host that nothing has is answered at once, without routes', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const web = await fixture.connect('shop/web-1');
  await web.has(typeUrls.listener, 'http-proxy');
  web.subscribe(typeUrls.virtualHost, 'http-proxy/nobody');
  await web.has(typeUrls.virtualHost, 'http-proxy/nobody');
  const host = VirtualHost.decode(web.bytes.get(`${typeUrls.virtualHost} http-proxy/nobody`) ?? new Uint8Array());
  assert.equal(host.routes.length, 0);
});

test('a change is reported as programmed when every proxy that it touches has acknowledged it', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const web = await fixture.connect('shop/web-1');
  await callReviews(web);
  await fixture.api.put(routeOf('/a'));
  const first = await eventually(
    async () => {
      const condition = await conditionOf(fixture, 'Programmed');
      return condition?.status === 'True' && condition.message === 'applied by 1 of 1 proxies' ? condition : undefined;
    },
    { what: 'Programmed is True' },
  );
  assert.equal(first.observedGeneration, 1);
  await fixture.api.put(routeOf('/b'));
  const second = await eventually(
    async () => {
      const condition = await conditionOf(fixture, 'Programmed');
      return condition?.status === 'True' && condition.observedGeneration === 2 ? condition : undefined;
    },
    { what: 'Programmed is True for the second generation' },
  );
  assert.equal(second.reason, 'Programmed');
  const host = Buffer.from(web.bytes.get(`${typeUrls.virtualHost} http-proxy/reviews:9080`) ?? []);
  assert.ok(host.includes('/b') && !host.includes('/a'));
});

test('a status that was written is no reason to translate or to write again', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const web = await fixture.connect('shop/web-1');
  await callReviews(web);
  await fixture.api.put(routeOf('/a'));
  await eventually(async () => (await conditionOf(fixture, 'Programmed'))?.status === 'True', { what: 'Programmed' });
  await eventually(
    async () =>
      (
        (await fixture.api.client.get<Manifest>(proxyKind, 'web-1', 'shop'))['status'] as
          | { connected?: boolean }
          | undefined
      )?.connected,
    { what: 'the status of the proxy is written' },
  );
  const { revision } = fixture.mesh.publisher;
  const pushes = web.log.length;
  // Until the writers have nothing more to say.
  let writes = -1;
  await eventually(
    () => {
      const quiet = writes === fixture.api.writes.length;
      writes = fixture.api.writes.length;
      return quiet;
    },
    { what: 'writes come to an end', intervalMs: 2_000, timeoutMs: 20_000 },
  );
  assert.equal(fixture.mesh.publisher.revision, revision);
  assert.equal(web.log.length, pushes);
});

test('a refusal is named in the status of the resource and of the proxy, and in events', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const web = await fixture.connect('shop/web-1', {
    refuse: (response) =>
      response.resources.some(({ resource }) => Buffer.from(resource?.value ?? []).includes('/poison'))
        ? 'http-proxy/reviews:9080: cannot do /poison'
        : undefined,
  });
  await callReviews(web);
  await fixture.api.put(routeOf('/poison'));
  const condition = await eventually(
    async () => {
      const found = await conditionOf(fixture, 'Programmed');
      return found?.reason === 'RefusedByProxy' ? found : undefined;
    },
    { what: 'the refusal is in the status' },
  );
  assert.equal(condition.status, 'False');
  assert.match(condition.message, /proxy shop\/web-1 refuses it: .*cannot do \/poison/);
  const nack = await eventually(
    async () =>
      (
        (await fixture.api.client.get<Manifest>(proxyKind, 'web-1', 'shop'))['status'] as
          | { lastNack?: { message: string; type: string } }
          | undefined
      )?.lastNack,
    { what: 'the refusal is in the status of the proxy' },
  );
  assert.equal(nack.type, 'VHDS');
  assert.match(nack.message, /cannot do \/poison/);
  const { items } = await fixture.api.client.list<Manifest>({ group: '', version: 'v1', kind: 'Event' });
  const about = items.map((event) => (event['involvedObject'] as { kind: string }).kind).sort();
  assert.ok(about.includes('VirtualService') && about.includes('Proxy'), about.join());
  await fixture.api.put(routeOf('/good'));
  await eventually(async () => (await conditionOf(fixture, 'Programmed'))?.status === 'True', { what: 'mended' });
});

test('an endpoint of a proxy that went away is unhealthy for others, and healthy when it is back', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop(), disconnectGraceMs: 50 });
  const web = await fixture.connect('shop/web-1');
  const reviews = await fixture.connect('shop/reviews-1');
  await fixture.connect('shop/reviews-2');
  await callReviews(web);
  const unhealthy = (): number[] =>
    ClusterLoadAssignment.decode(web.bytes.get(`${typeUrls.endpoint} ${reviewsCluster}`) ?? new Uint8Array())
      .endpoints.flatMap(({ lbEndpoints }) => lbEndpoints)
      .flatMap((endpoint) => {
        const address =
          endpoint.hostIdentifier?.$case === 'endpoint' ? endpoint.hostIdentifier.value.address?.address : undefined;
        const port = address?.$case === 'socketAddress' ? address.value.portSpecifier : undefined;
        return endpoint.healthStatus === 2 && port?.$case === 'portValue' ? [port.value] : [];
      });
  assert.deepEqual(unhealthy(), []);
  const before = web.log.length;
  reviews.close();
  await eventually(() => unhealthy().includes(15_002), { what: 'the endpoint is unhealthy' });
  await fixture.connect('shop/reviews-1');
  await eventually(() => unhealthy().length === 0, { what: 'the endpoint is healthy again' });
  assert.ok(
    web.log.slice(before).every((entry) => entry.startsWith('ClusterLoadAssignment')),
    web.log.slice(before).join(),
  );
});

test('a new Proxy takes no traffic before it has connected', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const web = await fixture.connect('shop/web-1');
  await fixture.connect('shop/reviews-1');
  await callReviews(web);
  for (const object of workload('reviews', 3, { inbound: 15_004, app: 8_004 })) {
    await fixture.api.put(object);
  }
  const health = (): readonly number[] =>
    ClusterLoadAssignment.decode(web.bytes.get(`${typeUrls.endpoint} ${reviewsCluster}`) ?? new Uint8Array())
      .endpoints.flatMap(({ lbEndpoints }) => lbEndpoints)
      .map(({ healthStatus }) => healthStatus);
  await eventually(() => health().length === 3, { what: 'the third endpoint is known' });
  assert.equal(health().filter((status) => status === 2).length, 1);
  await fixture.connect('shop/reviews-3');
  await eventually(() => health().every((status) => status !== 2), { what: 'the third endpoint is healthy' });
});

test('after a restart proxies resume by delta: nothing that they have is sent again', async (t) => {
  const ca = await openCa(t);
  const api = new MemoryApi();
  const first = await startFixture(t, { api, ca, objects: smallShop() });
  const web = await first.connect('shop/web-1');
  await callReviews(web);
  await eventually(
    async () =>
      (
        (await api.client.get<Manifest>(proxyKind, 'web-1', 'shop'))['status'] as
          | { observedUpstreams?: unknown[] }
          | undefined
      )?.observedUpstreams,
    { what: 'what was observed is written down' },
  );
  const { mesh } = first;
  await eventually(() => mesh.xds.client('shop/web-1')?.ackedStoreVersion === mesh.publisher.revision, {
    what: 'the proxy is in sync',
  });
  const initial = new Map([...web.resources].map(([type, names]) => [type, new Map(names)]));
  await first.stop();
  const second = await startFixture(t, { api, ca });
  const again = await second.connect('shop/web-1', { initial });
  await eventually(() => second.mesh.xds.client('shop/web-1')?.ackedStoreVersion, {
    what: 'the proxy is in sync again',
  });
  // An empty answer to the subscription of virtual hosts takes this form, for Envoy's sake.
  assert.deepEqual(
    again.log.filter((entry) => entry !== '-VirtualHost http-proxy/*'),
    [],
  );
});

test('after a restart nobody is held to be away before the grace period is over', async (t) => {
  const ca = await openCa(t);
  const api = new MemoryApi();
  await (await startFixture(t, { api, ca, objects: smallShop() })).stop();
  const fixture = await startFixture(t, { api, ca, startGraceMs: 1_500 });
  const web = await fixture.connect('shop/web-1');
  await callReviews(web);
  const unhealthy = (): number =>
    ClusterLoadAssignment.decode(web.bytes.get(`${typeUrls.endpoint} ${reviewsCluster}`) ?? new Uint8Array())
      .endpoints.flatMap(({ lbEndpoints }) => lbEndpoints)
      .filter(({ healthStatus }) => healthStatus === 2).length;
  assert.equal(unhealthy(), 0);
  await fixture.connect('shop/reviews-1');
  // The other one does not come back.
  await eventually(() => unhealthy() === 1, { what: 'the endpoint that did not come back is unhealthy' });
  assert.equal(fixture.mesh.sessions.isConnected('shop/reviews-1'), true);
});

test('a killed workload that does not come back is removed after a while', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop(), disconnectGraceMs: 10, leftoverAfterMs: 1_000 });
  const web = await fixture.connect('shop/web-1');
  await web.has(typeUrls.listener, 'http-proxy');
  for (const name of ['shop/reviews-1', 'shop/reviews-2']) {
    await fixture.connect(name);
  }
  web.close();
  await eventually(() => !fixture.mesh.state.proxyKeys().includes('shop/web-1'), { what: 'the leftovers are removed' });
  assert.deepEqual(fixture.mesh.state.proxyKeys(), ['shop/reviews-1', 'shop/reviews-2']);
});
