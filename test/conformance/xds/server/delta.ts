import assert from 'node:assert/strict';
import { typeUrls } from '@weft/xds-types';
import { cluster, endpoints, virtualHost } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { ServerFixture } from '../support/server-fixture.ts';
import type { DeltaSession } from '../support/session.ts';

const { cluster: cds, endpoint: eds, virtualHost: vhds } = typeUrls;

async function subscribed(server: ServerFixture, names: readonly string[]): Promise<DeltaSession> {
  const client = server.delta();
  client.subscribe(eds, names);
  await client.takeAndAck(eds);
  return client;
}

/** Area delta. */
export const deltaPlays: Plays = {
  'delta-first-response': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = server.delta();
    client.subscribe(eds, ['a', 'b']);
    const answer = await client.take(eds);
    assert.deepEqual([...answer.names].sort(), ['a', 'b']);
    assert.equal(new Set(answer.resources.map(({ version }) => version)).size, 2);
    assert.notEqual(answer.nonce, '');
  },

  'delta-one-changed': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = await subscribed(server, ['a', 'b']);
    server.set([endpoints('a', 2), endpoints('b')]);
    assert.deepEqual((await client.take(eds)).names, ['a']);
  },

  'delta-multi-changed': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b'), endpoints('c')]);
    const client = await subscribed(server, ['a', 'b', 'c']);
    server.set([endpoints('a', 2), endpoints('c')]);
    const first = await client.takeAndAck(eds);
    const rest = first.removed.length > 0 ? [] : [await client.takeAndAck(eds)];
    const answers = [first, ...rest];
    assert.deepEqual(
      answers.flatMap(({ names }) => names),
      ['a'],
    );
    assert.deepEqual(
      answers.flatMap(({ removed }) => removed),
      ['b'],
    );
  },

  'delta-removed': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = await subscribed(server, ['a']);
    server.set([]);
    assert.deepEqual((await client.take(eds)).removed, ['a']);
  },

  'delta-not-existing': async () => {
    await using server = await ServerFixture.start();
    server.set([]);
    const client = server.delta();
    client.subscribe(eds, ['ghost']);
    assert.deepEqual((await client.take(eds)).removed, ['ghost']);
  },

  'delta-created-later': async () => {
    await using server = await ServerFixture.start();
    server.set([]);
    const client = await subscribed(server, ['ghost']);
    server.set([endpoints('ghost')]);
    assert.deepEqual((await client.take(eds)).names, ['ghost']);
  },

  'delta-resubscribe-known': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = await subscribed(server, ['a']);
    client.subscribe(eds, ['a']);
    assert.deepEqual((await client.take(eds)).names, ['a']);
  },

  'delta-unsubscribe-quiet': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = await subscribed(server, ['a']);
    client.unsubscribe(eds, ['a']);
    await client.settled();
    server.set([endpoints('a', 2)]);
    assert.deepEqual(await client.settled(), []);
  },

  'delta-unsubscribe-unknown': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = await subscribed(server, ['b']);
    client.unsubscribe(eds, ['a']);
    assert.deepEqual(await client.settled(), []);
    server.set([endpoints('a'), endpoints('b', 2)]);
    assert.deepEqual((await client.take(eds)).names, ['b']);
  },

  'delta-sub-and-unsub-same': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const client = server.delta();
      client.request(eds, { resourceNamesSubscribe: ['a'], resourceNamesUnsubscribe: ['a'] });
      assert.deepEqual(await client.settled(), [], 'it ends unsubscribed');
    }
  },

  'delta-nack-server': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = server.delta();
    client.subscribe(eds, ['a']);
    const refused = await client.take(eds);
    client.nack(refused, 'a: bad port');
    assert.deepEqual(await client.settled(), []);
    assert.equal(server.xds.client('n')?.types.get(eds)?.status, 'NACKED');
    server.set([endpoints('a', 2)]);
    const next = await client.takeAndAck(eds);
    assert.deepEqual(next.names, ['a']);
    assert.notEqual(next.nonce, refused.nonce);
    await client.settled();
    assert.equal(server.xds.client('n')?.types.get(eds)?.status, 'SYNCED');
  },

  'delta-stale-nonce-honoured': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('c')]);
    const client = server.delta();
    client.subscribe(eds, ['a']);
    const first = await client.takeAndAck(eds);
    server.set([endpoints('a', 2), endpoints('c')]);
    const second = await client.take(eds);
    client.request(eds, { resourceNamesSubscribe: ['c'], responseNonce: first.nonce });
    client.ack(second);
    assert.deepEqual((await client.take(eds)).names, ['c']);
  },

  'delta-changed-between-response-and-ack': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = server.delta();
    client.subscribe(eds, ['a']);
    const first = await client.take(eds);
    server.set([endpoints('a', 2)]);
    await client.settled();
    client.ack(first);
    const second = await client.take(eds);
    assert.notEqual(second.resources[0]?.version, first.resources[0]?.version);
  },

  'delta-versions-per-resource': async () => {
    await using one = await ServerFixture.start();
    await using two = await ServerFixture.start();
    one.set([cluster('a'), cluster('b')]);
    two.set([]);
    two.set([cluster('b'), cluster('a')]); // Another history, the same content.
    const before = one.delta();
    before.subscribe(cds);
    const { resources } = await before.takeAndAck(cds);
    const client = two.delta();
    client.resume(cds, [], Object.fromEntries(resources.map(({ name, version }) => [name, version])));
    const answer = await client.take(cds);
    assert.deepEqual([answer.names, answer.removed], [[], []]);
  },

  'delta-alias': async () => {
    await using server = await ServerFixture.start();
    const host = (revision: number): ReturnType<typeof virtualHost> =>
      virtualHost('http-proxy/reviews.shop', revision, 'x', ['http-proxy/reviews']);
    server.set([host(1)]);
    const client = server.delta();
    client.subscribe(vhds, ['http-proxy/reviews']);
    const [resource] = (await client.takeAndAck(vhds)).resources;
    assert.equal(resource?.name, 'http-proxy/reviews.shop');
    assert.deepEqual(resource?.aliases, ['http-proxy/reviews']);
    client.unsubscribe(vhds, ['http-proxy/reviews']);
    await client.settled();
    server.set([host(2)]);
    assert.deepEqual(await client.settled(), []);
  },
};
