import assert from 'node:assert/strict';
import { typeUrls } from '@weft/xds-types';
import { cluster, endpoints } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { ServerFixture } from '../support/server-fixture.ts';

const { cluster: cds, endpoint: eds } = typeUrls;

/** Areas ack, nonce. */
export const ackPlays: Plays = {
  'sotw-ack-quiet': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.sotw();
    client.subscribe(cds);
    await client.takeAndAck(cds);
    assert.deepEqual(await client.settled(), []);
    server.set([cluster('a', 2)]);
    assert.deepEqual((await client.take(cds)).names, ['a']);
  },

  'sotw-nack-server-no-loop': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a'), cluster('b')]);
    const client = server.sotw();
    client.subscribe(cds);
    client.nack(await client.take(cds), 'a: connect_timeout is wrong');
    assert.deepEqual(await client.settled(), []);
    const state = server.xds.client('n')?.types.get(cds);
    assert.equal(state?.status, 'NACKED');
    assert.deepEqual(
      state?.refused.map(({ name, reason }) => [name, reason]),
      [['a', 'a: connect_timeout is wrong']],
    );
    assert.deepEqual(
      server.changes.map(({ change }) => change.kind),
      ['nacked'],
    );
    assert.equal(server.xds.client('n')?.ackedStoreVersion, undefined);
  },

  'sotw-nonce-after-nack': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.sotw();
    client.subscribe(cds);
    const refused = await client.take(cds);
    client.nack(refused, 'a: no');
    await client.settled();
    const { storeVersion } = server.set([cluster('a', 2)]);
    const next = await client.take(cds);
    assert.notEqual(next.nonce, refused.nonce);
    assert.notEqual(next.version, refused.version);
    client.ack(next);
    await client.settled();
    assert.equal(server.xds.client('n')?.types.get(cds)?.status, 'SYNCED');
    assert.equal(server.xds.client('n')?.ackedStoreVersion, storeVersion);
  },

  'sotw-nack-detected-by-error': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = server.sotw();
    client.subscribe(eds, ['a']);
    const first = await client.takeAndAck(eds);
    client.subscribe(eds, ['b']);
    const second = await client.take(eds);
    assert.equal(second.version, first.version);
    client.nack(second, 'b: priorities have a gap'); // Carries the version of `first`, which is that of `second` too.
    await client.settled();
    assert.equal(server.xds.client('n')?.types.get(eds)?.status, 'NACKED');
    assert.deepEqual(server.xds.client('n')?.types.get(eds)?.lastNack?.resources, ['b']);
  },

  'sotw-version-without-error-is-not-nack': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.sotw();
    client.subscribe(cds);
    await client.takeAndAck(cds);
    server.set([cluster('a', 2)]);
    const second = await client.take(cds);
    client.request(cds, { versionInfo: 'older', responseNonce: second.nonce });
    assert.deepEqual(await client.settled(), []);
    assert.equal(server.xds.client('n')?.types.get(cds)?.status, 'SYNCED');
    assert.equal(server.xds.client('n')?.types.get(cds)?.lastNack, undefined);
  },

  'sotw-stale-nonce': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = server.sotw();
    client.subscribe(eds, ['a']);
    const first = await client.takeAndAck(eds);
    server.set([endpoints('a', 2), endpoints('b')]);
    const second = await client.take(eds);
    client.request(eds, { resourceNames: ['a', 'b'], versionInfo: first.version, responseNonce: first.nonce });
    assert.deepEqual(await client.settled(), []);
    assert.equal(server.xds.client('n')?.types.get(eds)?.status, 'STALE');
    client.ack(second);
    await client.settled();
    assert.equal(server.xds.client('n')?.types.get(eds)?.status, 'SYNCED');
  },

  'sotw-unknown-nonce': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b')]);
    const client = server.sotw();
    client.subscribe(eds, ['a']);
    const answer = await client.take(eds);
    client.request(eds, { resourceNames: ['a', 'b'], responseNonce: 'never sent' });
    assert.deepEqual(await client.settled(), []);
    client.ack(answer);
    await client.settled();
    assert.equal(server.xds.client('n')?.types.get(eds)?.status, 'SYNCED');
  },

  'sotw-race-names-vs-update': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('foo'), endpoints('bar')]);
    const client = server.sotw();
    client.subscribe(eds, ['foo']);
    const first = await client.takeAndAck(eds);
    await client.settled();
    server.set([endpoints('foo', 2), endpoints('bar')]);
    const second = await client.take(eds);
    // Written before the client saw `second`.
    client.request(eds, { resourceNames: ['foo', 'bar'], versionInfo: first.version, responseNonce: first.nonce });
    assert.deepEqual(await client.settled(), []);
    assert.equal(server.xds.client('n')?.types.get(eds)?.lastNack, undefined);
    client.ack(second, ['foo', 'bar']);
    assert.deepEqual((await client.take(eds)).names, ['bar']);
  },

  'sotw-nonce-not-across-streams': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const old = server.sotw();
    old.subscribe(cds);
    const before = await old.takeAndAck(cds);
    old.cancel();
    const client = server.sotw();
    client.request(cds, { versionInfo: before.version });
    const answer = await client.take(cds);
    assert.deepEqual(answer.names, ['a']);
    assert.notEqual(answer.nonce, before.nonce);
    client.request(cds, { versionInfo: before.version, responseNonce: before.nonce });
    await client.settled();
    assert.equal(server.xds.client('n')?.types.get(cds)?.status, 'STALE');
  },

  'sotw-nonce-first-request-with-nonce': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.sotw();
    client.request(cds, { versionInfo: 'old', responseNonce: 'of an old stream' });
    assert.deepEqual((await client.take(cds)).names, ['a']);
  },

  'sotw-latest-request-wins': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a'), endpoints('b'), endpoints('c')]);
    const client = server.sotw();
    client.names(eds, ['a']);
    client.names(eds, ['a', 'b']);
    client.names(eds, ['c']);
    const answers = [...(await client.settled())];
    for (const answer of answers) {
      await client.take(eds);
      client.ack(answer, ['c']);
    }
    const rest = await client.settled();
    const last = [...answers, ...rest].at(-1);
    assert.deepEqual(last?.names, ['c']);
    // At most one answer for what was overtaken, and nothing twice.
    assert.ok(answers.length + rest.length <= 2);
  },
};
