import assert from 'node:assert/strict';
import { typeUrls } from '@weft/xds-types';
import { cluster, endpoints, withTtl } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { ServerFixture } from '../support/server-fixture.ts';
import { wrapperTypeUrl } from '../support/session.ts';

const { cluster: cds, endpoint: eds } = typeUrls;
const wrappedResources = 'xds.config.supports-resource-in-sotw';

/** Areas reconnect, ttl. */
export const reconnectPlays: Plays = {
  'delta-reconnect-versions': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b', 3)]);
    const client = server.delta();
    client.resume(eds, ['a', 'b'], { a: endpoints('a').version, b: endpoints('b', 2).version });
    assert.deepEqual((await client.takeAndAck(eds)).names, ['b']);
    assert.deepEqual(await client.settled(), []);
    assert.equal(server.xds.client('n')?.types.get(eds)?.status, 'SYNCED');
  },

  'delta-reconnect-removed': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = server.delta();
    client.resume(eds, ['a', 'b'], { a: endpoints('a').version, b: endpoints('b').version });
    const answer = await client.take(eds);
    assert.deepEqual([answer.names, answer.removed], [[], ['b']]);
  },

  'delta-reconnect-wildcard': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a', 2), cluster('b'), cluster('d')]);
    const client = server.delta();
    const known = { a: cluster('a').version, b: cluster('b').version, c: cluster('c').version };
    client.resume(cds, [], known);
    const first = await client.takeAndAck(cds);
    assert.deepEqual([...first.names].sort(), ['a', 'd']);
    const removed = first.removed.length > 0 ? first.removed : (await client.takeAndAck(cds)).removed;
    assert.deepEqual(removed, ['c']);
    assert.deepEqual(await client.settled(), []);
  },

  'delta-reconnect-not-subscribed': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('z', 2)]);
    const client = server.delta();
    client.resume(eds, ['a'], { z: endpoints('z').version });
    assert.deepEqual((await client.takeAndAck(eds)).names, ['a']);
    assert.deepEqual(await client.settled(), []);
  },

  'sotw-reconnect-unchanged': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const old = server.sotw();
    old.subscribe(cds);
    const before = await old.takeAndAck(cds);
    old.cancel();
    const client = server.sotw();
    client.request(cds, { versionInfo: before.version });
    const again = await client.take(cds); // We send all again, under the same version.
    assert.deepEqual([again.names, again.version], [before.names, before.version]);
  },

  'sotw-reconnect-new-name': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const old = server.sotw();
    old.subscribe(eds, ['a']);
    const before = await old.takeAndAck(eds);
    old.cancel();
    const client = server.sotw();
    client.request(eds, { resourceNames: ['a', 'b'], versionInfo: before.version });
    assert.ok((await client.take(eds)).names.includes('b'));
  },

  'reconnect-max-age': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.open(variant);
    client.subscribe(cds);
    const { resources } = await client.takeAndAck(cds);
    // What the maximum age does to a stream: it ends with UNAVAILABLE and the client comes back.
    server.xds.close();
    assert.equal((await client.end()).code, 14);
    if (variant === 'delta') {
      const back = server.delta();
      back.resume(cds, [], Object.fromEntries(resources.map(({ name, version }) => [name, version])));
      const answer = await back.take(cds);
      assert.deepEqual([answer.names, answer.removed], [[], []]);
    } else {
      const back = server.sotw();
      back.request(cds);
      const answer = await back.take(cds);
      assert.deepEqual(answer.resources[0]?.body, resources[0]?.body);
    }
  },

  'reconnect-thundering': async (variant) => {
    await using server = await ServerFixture.start();
    const all = Array.from({ length: 20 }, (_, index) => cluster(`c${index}`));
    const connection = Array.from({ length: 10 }, () => server.connect());
    const { SotwSession, DeltaSession } = await import('../support/session.ts');
    const clients = Array.from({ length: 500 }, (_, index) => {
      server.set(all, `n${index}`);
      const shared = connection[index % connection.length] ?? server.connect();
      const session = variant === 'sotw' ? new SotwSession(shared, `n${index}`) : new DeltaSession(shared, `n${index}`);
      session.subscribe(cds);
      return session;
    });
    const answers = await Promise.all(clients.map((client) => client.takeAndAck(cds)));
    assert.ok(answers.every(({ names }) => names.length === 20));
    assert.equal(server.xds.clients().length, 500);
  },

  'ttl-heartbeat': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([withTtl(endpoints('a'), 5_000)]);
    const client = server.open(variant, { clientFeatures: [wrappedResources] });
    client.subscribe(eds, ['a']);
    const first = await client.takeAndAck(eds);
    assert.equal(first.resources[0]?.ttlSeconds, 5);
    await client.settled();
    for (let beat = 0; beat < 3; beat += 1) {
      server.clock.advance(2_500);
      const [heartbeat] = (await client.takeAndAck(eds)).resources;
      await client.settled();
      assert.equal(heartbeat?.name, 'a');
      assert.equal(heartbeat?.version, first.resources[0]?.version);
      assert.equal(heartbeat?.ttlSeconds, 5);
      assert.equal(heartbeat?.body, undefined);
    }
  },

  'ttl-only-that-type': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a'), withTtl(endpoints('a'), 5_000)]);
    const client = server.sotw({ clientFeatures: [wrappedResources] });
    client.subscribe(cds);
    await client.takeAndAck(cds);
    client.subscribe(eds, ['a']);
    await client.takeAndAck(eds);
    await client.settled();
    server.clock.advance(3_000);
    await client.takeAndAck(eds);
    assert.deepEqual(await client.settled(), []);
  },

  'ttl-sotw-feature': async () => {
    await using server = await ServerFixture.start();
    server.set([withTtl(endpoints('a'), 5_000)]);
    const client = server.sotw();
    client.subscribe(eds, ['a']);
    const [resource] = (await client.takeAndAck(eds)).resources;
    assert.equal(resource?.wrapped, false);
    assert.notEqual(resource?.body?.typeUrl, wrapperTypeUrl);
    assert.equal(resource?.name, 'a');
    await client.settled();
    server.clock.advance(10_000);
    assert.deepEqual(await client.settled(), []);
  },
};
