import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { typeUrls } from '@weft/xds-types';
import { openCa, smallShop, startFixture } from './fixture.ts';

test("a proxy that asks for another one's configuration is refused, and learns nothing", async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const thief = await fixture.connect('shop/reviews-1', { account: 'web' });
  const { code, details } = await thief.end();
  assert.equal(code, status.PERMISSION_DENIED);
  assert.match(details, /sa\/web may not be the proxy shop\/reviews-1/);
  assert.deepEqual([...thief.resources], []);
});

test('a node without a Proxy object is refused with the same words', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const ghost = await fixture.connect('shop/ghost-1', { account: 'web' });
  const { code, details } = await ghost.end();
  assert.equal(code, status.PERMISSION_DENIED);
  assert.match(details, /may not be the proxy shop\/ghost-1/);
});

test('two proxies of one service account may not take each other for themselves, only their own names', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const one = await fixture.connect('shop/reviews-1');
  await one.has(typeUrls.listener, 'inbound|15002');
  assert.equal(one.names(typeUrls.listener).includes('inbound|15003'), false);
});

test('a malformed node id is refused', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  for (const nodeId of ['', 'web-1', 'shop/web-1/x', 'Shop/web-1', '../web-1', `shop/${'x'.repeat(300)}`]) {
    const client = await fixture.connect(nodeId, { svid: await fixture.svid('web') });
    assert.equal((await client.end()).code, status.INVALID_ARGUMENT, nodeId);
  }
});

test('without a client certificate there is no connection', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const client = await fixture.connect('shop/web-1', { svid: undefined });
  assert.equal((await client.end()).code, status.UNAVAILABLE);
});

test('a certificate of another CA is no identity here', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const other = await startFixture(t, { ca: await openCa(t) });
  const client = await fixture.connect('shop/web-1', { svid: await other.svid('web') });
  assert.equal((await client.end()).code, status.UNAVAILABLE);
});

test('a client certificate of a user is no workload', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const user = await fixture.ca.issueClient('ada', ['system:masters']);
  const svid = { ...(await fixture.svid('web')), chainPem: user.chainPem, key: user.key };
  const client = await fixture.connect('shop/web-1', { svid });
  assert.equal((await client.end()).code, status.UNAUTHENTICATED);
});

test('a proxy whose object is deleted, or given to another account, loses its stream', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const kind = { group: 'weft.dev', version: 'v1alpha1', kind: 'Proxy' };
  const web = await fixture.connect('shop/web-1');
  await web.has(typeUrls.listener, 'http-proxy');
  await fixture.api.client.delete(kind, 'web-1', 'shop');
  assert.equal((await web.end()).code, status.UNAVAILABLE);
  const reviews = await fixture.connect('shop/reviews-1');
  await reviews.has(typeUrls.listener, 'http-proxy');
  await fixture.api.client.patch(kind, 'reviews-1', 'shop', { spec: { serviceAccount: 'other' } });
  assert.equal((await reviews.end()).code, status.UNAVAILABLE);
  const again = await fixture.connect('shop/reviews-1');
  assert.equal((await again.end()).code, status.PERMISSION_DENIED);
});
