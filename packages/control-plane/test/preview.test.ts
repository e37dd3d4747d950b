import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PreviewedChange } from '@weft/admin-api';
import { eventually } from '@weft/testkit';
import { typeUrls } from '@weft/xds-types';
import { parsePreview, previewChange } from '../src/admin/preview.ts';
import { type Fixture, type Manifest, smallShop, startFixture, workload } from './fixture.ts';

/** The small shop, in which `web` has called `reviews`. */
async function shop(t: TestContext, more: readonly Manifest[] = []): Promise<Fixture> {
  const fixture = await startFixture(t, { objects: [...smallShop(), ...more] });
  const web = await fixture.connect('shop/web-1');
  await web.has(typeUrls.listener, 'http-proxy');
  web.subscribe(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  await web.has(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  return fixture;
}

function preview({ mesh, ca }: Fixture, ...objects: readonly Manifest[]): readonly PreviewedChange[] {
  const { state, xds, publisher, sessions, observed, revisions } = mesh;
  const sources = { state, xds, publisher, sessions, observed, revisions, trustDomain: ca.trustDomain };
  return previewChange(sources, parsePreview(Buffer.from(JSON.stringify({ objects }))));
}

function virtualService(name: string, timeout: string, createdAt?: string): Manifest {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace: 'shop', ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }) },
    spec: { hosts: ['reviews'], http: [{ timeout, route: [{ destination: { host: 'reviews' } }] }] },
  };
}

function summary(changes: readonly PreviewedChange[]): readonly string[] {
  return changes.map(({ type, name, before, after, proxies }) => {
    const what = before === undefined ? 'new' : after === undefined ? 'gone' : 'changed';
    return `${type} ${name} ${what} in ${proxies.join(', ')}`;
  });
}

test('a route changes the virtual host of those who call the service, and nothing is stored', async (t) => {
  const fixture = await shop(t);
  const changes = preview(fixture, virtualService('reviews', '7s'));
  assert.deepEqual(summary(changes), ['VHDS http-proxy/reviews:9080 changed in shop/web-1']);
  assert.match(JSON.stringify(changes[0]?.before), /"timeout":"0s"/);
  assert.match(JSON.stringify(changes[0]?.after), /"timeout":"7s"/);
  assert.deepEqual(summary(preview(fixture, virtualService('reviews', '7s'))), summary(changes));
  assert.deepEqual([...fixture.mesh.state.objects('networking.istio.io/VirtualService')], []);
});

test('what changes nothing in the proxies is no change', async (t) => {
  const fixture = await shop(t);
  assert.deepEqual(preview(fixture, ...smallShop()), []);
  assert.deepEqual(preview(fixture), []);
  const unused = virtualService('other', '7s');
  assert.deepEqual(preview(fixture, { ...unused, spec: { ...(unused['spec'] as object), hosts: ['nobody'] } }), []);
});

test('an object that is not stored yet is the youngest, so it takes nothing from those that are', async (t) => {
  const fixture = await shop(t, [virtualService('reviews', '3s', '2026-01-01T00:00:00Z')]);
  await eventually(() => [...fixture.mesh.state.objects('networking.istio.io/VirtualService')].length === 1, {
    what: 'the route is there',
  });
  assert.deepEqual(preview(fixture, virtualService('again', '9s')), []);
  assert.equal(preview(fixture, virtualService('reviews', '9s', '2026-01-01T00:00:00Z')).length, 1);
});

test('one policy for several proxies is one change; a new workload has only new resources', async (t) => {
  const fixture = await shop(t);
  const open: Manifest = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'open', namespace: 'shop' },
    spec: { mtls: { mode: 'DISABLE' } },
  };
  const changed = preview(fixture, open);
  const listeners = changed.filter(({ type }) => type === 'LDS').flatMap(({ proxies }) => proxies);
  assert.deepEqual([...new Set(listeners)].sort(), ['shop/reviews-1', 'shop/reviews-2', 'shop/web-1']);
  assert.ok(
    changed.some(({ type }) => type === 'EDS'),
    'callers learn that the endpoints take no mutual TLS',
  );
  const added = preview(fixture, ...workload('reviews', 3, { inbound: 15_004, app: 8_004 }));
  const own = added.filter(({ proxies }) => proxies.includes('shop/reviews-3'));
  assert.ok(own.length > 0 && own.every(({ before }) => before === undefined));
  assert.ok(added.some(({ type, proxies }) => type === 'EDS' && proxies.includes('shop/web-1')));
});

test('private keys are in no preview', async (t) => {
  const text = JSON.stringify(preview(await shop(t), ...workload('new', 1, { inbound: 15_009, app: 8_009 })));
  assert.doesNotMatch(text, /PRIVATE KEY/);
});

test('a body that is no preview is refused, and says which object is wrong', () => {
  for (const [body, message] of [
    ['{', /not JSON/],
    ['{}', /objects, a list/],
    ['null', /objects, a list/],
    [JSON.stringify({ objects: new Array(1_001).fill({}) }), /at most 1000/],
    [JSON.stringify({ objects: [smallShop()[0], { kind: 'Servise', apiVersion: 'v1' }] }), /objects\[1\]/],
  ] as const) {
    assert.throws(() => parsePreview(Buffer.from(body)), { code: 'INVALID', message });
  }
});
