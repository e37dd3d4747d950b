import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Preview, PreviewedChange } from '@weft/admin-api';
import { eventually } from '@weft/testkit';
import { typeUrls } from '@weft/xds-types';
import { parsePreview } from '../src/admin/preview.ts';
import { maxPreviews, Previews } from '../src/admin/previews.ts';
import {
  type Fixture,
  type Manifest,
  smallShop,
  startFixture,
  toReviews,
  virtualService,
  workload,
} from './fixture.ts';

/** The small shop, in which `web` has called `reviews`. */
async function shop(t: TestContext, more: readonly Manifest[] = []): Promise<Fixture> {
  const fixture = await startFixture(t, { objects: [...smallShop(), ...more] });
  const web = await fixture.connect('shop/web-1');
  await web.has(typeUrls.listener, 'http-proxy');
  web.subscribe(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  await web.has(typeUrls.virtualHost, 'http-proxy/reviews:9080');
  return fixture;
}

function bodyOf(...objects: readonly Manifest[]): Buffer {
  return Buffer.from(JSON.stringify({ objects }));
}

const nobodyLeaves = new AbortController().signal;

async function preview({ mesh }: Fixture, ...objects: readonly Manifest[]): Promise<readonly PreviewedChange[]> {
  const answer = await new Previews(mesh.state, mesh.observed).run(bodyOf(...objects), nobodyLeaves);
  return (JSON.parse(Buffer.from(answer).toString('utf8')) as Preview).changes;
}

function routeOf(name: string, timeout: string, createdAt?: string): Manifest {
  return virtualService(
    { ...toReviews, timeout },
    { name, ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }) },
  );
}

function summary(changes: readonly PreviewedChange[]): readonly string[] {
  return changes.map(({ type, name, before, after, proxies }) => {
    const what = before === undefined ? 'new' : after === undefined ? 'gone' : 'changed';
    return `${type} ${name} ${what} in ${proxies.join(', ')}`;
  });
}

test('a route changes the virtual host of those who call the service, and nothing is stored', async (t) => {
  const fixture = await shop(t);
  const changes = await preview(fixture, routeOf('reviews', '7s'));
  assert.deepEqual(summary(changes), ['VHDS http-proxy/reviews:9080 changed in shop/web-1']);
  assert.match(JSON.stringify(changes[0]?.before), /"timeout":"0s"/);
  assert.match(JSON.stringify(changes[0]?.after), /"timeout":"7s"/);
  assert.deepEqual(summary(await preview(fixture, routeOf('reviews', '7s'))), summary(changes));
  assert.deepEqual([...fixture.mesh.state.objects('networking.istio.io/VirtualService')], []);
});

test('what changes nothing in the proxies is no change', async (t) => {
  const fixture = await shop(t);
  assert.deepEqual(await preview(fixture, ...smallShop()), []);
  assert.deepEqual(await preview(fixture), []);
  const unused = routeOf('other', '7s');
  assert.deepEqual(
    await preview(fixture, { ...unused, spec: { ...(unused['spec'] as object), hosts: ['nobody'] } }),
    [],
  );
});

test('an object that is not stored yet is the youngest, so it takes nothing from those that are', async (t) => {
  const fixture = await shop(t, [routeOf('reviews', '3s', '2026-01-01T00:00:00Z')]);
  await eventually(() => [...fixture.mesh.state.objects('networking.istio.io/VirtualService')].length === 1, {
    what: 'the route is there',
  });
  assert.deepEqual(await preview(fixture, routeOf('again', '9s')), []);
  assert.equal((await preview(fixture, routeOf('reviews', '9s', '2026-01-01T00:00:00Z'))).length, 1);
});

test('one policy for several proxies is one change; a new workload has only new resources', async (t) => {
  const fixture = await shop(t);
  const open: Manifest = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'open', namespace: 'shop' },
    spec: { mtls: { mode: 'DISABLE' } },
  };
  const changed = await preview(fixture, open);
  const listeners = changed.filter(({ type }) => type === 'LDS').flatMap(({ proxies }) => proxies);
  assert.deepEqual([...new Set(listeners)].sort(), ['shop/reviews-1', 'shop/reviews-2', 'shop/web-1']);
  assert.ok(
    changed.some(({ type }) => type === 'EDS'),
    'callers learn that the endpoints take no mutual TLS',
  );
  const added = await preview(fixture, ...workload('reviews', 3, { inbound: 15_004, app: 8_004 }));
  const own = added.filter(({ proxies }) => proxies.includes('shop/reviews-3'));
  assert.ok(own.length > 0 && own.every(({ before }) => before === undefined));
  assert.ok(added.some(({ type, proxies }) => type === 'EDS' && proxies.includes('shop/web-1')));
});

test('private keys are in no preview', async (t) => {
  const text = JSON.stringify(await preview(await shop(t), ...workload('new', 1, { inbound: 15_009, app: 8_009 })));
  assert.match(text, /shop\/new-1/);
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

/** As many services, each with a route, as make a preview take a while. */
function services(count: number): readonly Manifest[] {
  return Array.from({ length: count }, (_, index): Manifest[] => {
    const name = `svc-${index}`;
    const route = routeOf(name, '1s');
    return [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: 'shop' },
        spec: { selector: { app: name }, ports: [{ name: 'http', port: 80 }] },
      },
      { ...route, spec: { ...(route['spec'] as object), hosts: [name] } },
    ];
  }).flat();
}

test('other work runs all the while, and what it changes is in the next preview only', async (t) => {
  const fixture = await shop(t);
  fixture.mesh.state.apply(services(400).map((value) => ({ value })));
  const previews = new Previews(fixture.mesh.state, fixture.mesh.observed);
  let turns = 0;
  let over = false;
  t.after(() => {
    over = true;
  });
  const count = (): void => {
    turns += 1;
    if (!over) {
      setImmediate(count);
    }
  };
  setImmediate(count);
  const running = previews.run(bodyOf(routeOf('reviews', '7s')), nobodyLeaves);
  await new Promise((resolve) => setImmediate(resolve));
  fixture.mesh.state.apply([{ value: routeOf('reviews', '7s', '2026-01-01T00:00:00Z') }]);
  const { changes } = JSON.parse(Buffer.from(await running).toString('utf8')) as Preview;
  assert.deepEqual(summary(changes), ['VHDS http-proxy/reviews:9080 changed in shop/web-1']);
  assert.ok(turns > 10, `the event loop turned ${turns} times`);
  assert.deepEqual(await preview(fixture, routeOf('reviews', '7s', '2026-01-01T00:00:00Z')), []);
});

test('only so many previews at a time; one that nobody waits for any more ends, and the others go on', async (t) => {
  const { mesh } = await shop(t);
  const previews = new Previews(mesh.state, mesh.observed);
  const gone = new AbortController();
  const body = bodyOf(routeOf('reviews', '7s'));
  const left = previews.run(body, gone.signal);
  const others = Array.from({ length: maxPreviews - 1 }, () => previews.run(body, nobodyLeaves));
  await assert.rejects(previews.run(body, nobodyLeaves), { code: 'UNAVAILABLE', message: /4 previews are under way/ });
  gone.abort();
  await assert.rejects(left, { name: 'AbortError' });
  for (const other of others) {
    assert.match(Buffer.from(await other).toString('utf8'), /"timeout":"7s"/);
  }
  assert.ok((await previews.run(body, nobodyLeaves)).length > 0);
  const last = previews.run(body, nobodyLeaves);
  previews.close();
  await assert.rejects(last, { code: 'UNAVAILABLE', message: /stopping/ });
});

test('a request that is no preview is refused by the thread with its own words', async (t) => {
  const { mesh } = await shop(t);
  const previews = new Previews(mesh.state, mesh.observed);
  await assert.rejects(previews.run(Buffer.from('{}'), nobodyLeaves), { code: 'INVALID', message: /objects, a list/ });
});
