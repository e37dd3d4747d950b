import assert from 'node:assert/strict';
import { typeUrls } from '@weft/xds-types';
import { cluster, endpoints, trustBundle } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { ServerFixture } from '../support/server-fixture.ts';

const { cluster: cds, endpoint: eds, secret: sds } = typeUrls;

/** Areas subscription, sds. */
export const subscriptionPlays: Plays = {
  'sotw-unrequested-not-sent': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = server.sotw();
    client.subscribe(eds, ['a']);
    await client.takeAndAck(eds);
    server.set([endpoints('a'), endpoints('b', 2)]);
    assert.deepEqual(await client.settled(), []);
  },

  'sotw-add-name-resends-it': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = server.sotw();
    client.subscribe(eds, ['a']);
    const first = await client.takeAndAck(eds);
    client.subscribe(eds, ['b']);
    const second = await client.take(eds);
    assert.ok(second.names.includes('b'));
    assert.equal(second.version, first.version);
  },

  'sotw-resubscribe-resends': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = server.sotw();
    client.names(eds, ['a', 'b']);
    await client.takeAndAck(eds);
    client.names(eds, ['a']);
    client.names(eds, ['a', 'b']);
    assert.ok((await client.take(eds)).names.includes('b'));
  },

  'sotw-add-name-in-ack': async () => {
    await using server = await ServerFixture.start();
    const { storeVersion } = server.set([endpoints('a'), endpoints('b')]);
    const client = server.sotw();
    client.names(eds, ['a']);
    client.ack(await client.take(eds), ['a', 'b']);
    const second = await client.take(eds);
    assert.ok(second.names.includes('b'));
    client.ack(second);
    await client.settled();
    assert.equal(server.xds.client('n')?.types.get(eds)?.ackedStoreVersion, storeVersion);
  },

  'sotw-remove-name': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = server.sotw();
    client.names(eds, ['a', 'b']);
    await client.takeAndAck(eds);
    client.names(eds, ['a']);
    assert.deepEqual(await client.settled(), []);
    server.set([endpoints('a'), endpoints('b', 2)]);
    assert.deepEqual(await client.settled(), []);
  },

  'sotw-all-names-gone': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = server.sotw();
    client.names(eds, ['a']);
    await client.takeAndAck(eds);
    client.names(eds, []);
    await client.settled();
    server.set([endpoints('a', 2)]);
    assert.deepEqual(await client.settled(), []);
  },

  'sotw-drop-queued-after-unsubscribe': async () => {
    await using server = await ServerFixture.start();
    server.set([trustBundle('s', 'one')]);
    const client = server.sotw();
    client.names(sds, ['s']);
    const first = await client.take(sds);
    // Queued behind the unanswered first response …
    server.set([trustBundle('s', 'two')]);
    // … and not wanted any more when that is answered.
    client.ack(first, []);
    assert.deepEqual(await client.settled(), []);
  },

  'sotw-missing-then-created': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = server.sotw();
    client.names(eds, ['ghost']);
    assert.deepEqual(await client.settled(), []);
    server.set([endpoints('a'), endpoints('ghost')]);
    assert.deepEqual((await client.take(eds)).names, ['ghost']);
  },

  'sotw-duplicate-names-request': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = server.sotw();
    client.request(eds, { resourceNames: ['a', 'a'] });
    assert.deepEqual((await client.take(eds)).names, ['a']);
  },

  'duplicate-names-response-server': async (variant) => {
    await using server = await ServerFixture.start();
    const client = server.open(variant);
    const seen = async (): Promise<void> => {
      const { names, removed } = await client.takeAndAck(cds);
      assert.equal(new Set([...names, ...removed]).size, names.length + removed.length);
    };
    server.set([cluster('a'), cluster('b')]);
    client.subscribe(cds, ['*', 'a', 'b']);
    await seen();
    server.set([cluster('a', 2), cluster('c')]);
    await seen(); // b is kept until what might use it is known.
    await seen();
    client.unsubscribe(cds, ['a']);
    server.set([cluster('a', 3)]);
    await seen();
    await seen();
  },

  'sotw-many-streams': async () => {
    await using server = await ServerFixture.start();
    const all = Array.from({ length: 100 }, (_, index) => endpoints(`e${index}`));
    const clients = all.map(({ name }, index) => ({ name, client: server.sotw({ nodeId: `n${index}` }) }));
    for (const [index, { name, client }] of clients.entries()) {
      server.set(all, `n${index}`);
      client.subscribe(eds, [name]);
    }
    await Promise.all(clients.map(({ client }) => client.takeAndAck(eds)));
    const changed = all.map((resource, index) => (index === 42 ? endpoints('e42', 2) : resource));
    for (const index of clients.keys()) {
      server.set(changed, `n${index}`);
    }
    const received = await Promise.all(
      clients.map(async ({ name, client }) => [name, await client.settled()] as const),
    );
    assert.deepEqual(
      received.filter(([, answers]) => answers.length > 0).map(([name]) => name),
      ['e42'],
    );
  },

  'sds-basic': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([trustBundle('default', 'chain and key of n'), trustBundle('ROOTCA', 'roots')]);
    const client = server.open(variant);
    client.subscribe(sds, ['default', 'ROOTCA']);
    assert.deepEqual([...(await client.take(sds)).names].sort(), ['ROOTCA', 'default']);
  },

  'sds-foreign-identity': async (variant) => {
    const asked: string[] = [];
    await using server = await ServerFixture.start({
      onSubscribe: (_client, _typeUrl, names) => void asked.push(...names),
    });
    server.set([trustBundle('of-a', 'key of A')], 'a');
    server.set([trustBundle('of-b', 'key of B')], 'b');
    const client = server.open(variant, { nodeId: 'a' });
    client.subscribe(sds, ['of-b']);
    const answers = await client.settled();
    assert.deepEqual(
      answers.flatMap(({ names }) => names),
      [],
    );
    assert.deepEqual(
      answers.flatMap(({ removed }) => removed),
      variant === 'delta' ? ['of-b'] : [],
    );
    assert.deepEqual(asked, ['of-b']);
  },

  'sds-rotation': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([trustBundle('default', 'first')]);
    const client = server.open(variant);
    client.subscribe(sds, ['default']);
    const first = await client.takeAndAck(sds);
    server.set([trustBundle('default', 'second')]);
    const second = await client.takeAndAck(sds);
    assert.deepEqual(second.names, ['default']);
    assert.notDeepEqual(second.resources[0]?.body, first.resources[0]?.body);
  },

  'sds-empty-names': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([trustBundle('s', 'one')]);
    const client = server.open(variant);
    client.subscribe(sds, ['s']);
    await client.takeAndAck(sds);
    client.unsubscribe(sds, ['s']);
    client.subscribe(sds, ['*']); // Not even when it is asked for.
    client.unsubscribe(sds, ['*']);
    await client.settled();
    server.set([trustBundle('s', 'two'), trustBundle('other', 'x')]);
    assert.deepEqual(
      (await client.settled()).flatMap(({ names }) => names),
      [],
    );
  },
};
