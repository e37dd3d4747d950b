import assert from 'node:assert/strict';
import { typeUrls } from '@weft/xds-types';
import { cluster, endpoints } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { ServerFixture } from '../support/server-fixture.ts';

const { cluster: cds, endpoint: eds, listener: lds, routeConfiguration: rds } = typeUrls;

/** Area wildcard. */
export const wildcardPlays: Plays = {
  'wild-sotw-legacy': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a'), cluster('b')]);
    const client = server.sotw();
    client.request(cds);
    assert.deepEqual([...(await client.takeAndAck(cds)).names].sort(), ['a', 'b']);
    client.request(lds);
    client.ack(await client.take(lds)); // Answered although there is none: clients wait for it.
  },

  'wild-sotw-explicit': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a'), cluster('b')]);
    const client = server.sotw();
    client.names(cds, ['*']);
    assert.deepEqual([...(await client.take(cds)).names].sort(), ['a', 'b']);
  },

  'wild-sotw-add-name': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a'), cluster('b')]);
    const client = server.sotw();
    client.names(cds, ['*']);
    await client.takeAndAck(cds);
    client.names(cds, ['*', 'late']);
    for (const answer of await client.settled()) {
      await client.take(cds);
      client.ack(answer);
    }
    server.set([cluster('a'), cluster('b', 2), cluster('late')]);
    assert.deepEqual([...(await client.take(cds)).names].sort(), ['a', 'b', 'late']);
  },

  'wild-sotw-drop-star': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('A'), cluster('b')]);
    const client = server.sotw();
    client.names(cds, ['*', 'A']);
    await client.takeAndAck(cds);
    client.names(cds, ['A']);
    await client.settled();
    server.set([cluster('A'), cluster('b', 2)]);
    assert.deepEqual(await client.settled(), []);
    server.set([cluster('A', 2), cluster('b', 2)]);
    assert.deepEqual((await client.take(cds)).names, ['A']);
  },

  'wild-sotw-legacy-ends': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('A'), cluster('b')]);
    const client = server.sotw();
    client.names(cds, []);
    await client.takeAndAck(cds);
    client.names(cds, ['A']);
    for (const answer of await client.settled()) {
      await client.take(cds);
      client.ack(answer);
    }
    client.names(cds, []);
    await client.settled();
    server.set([cluster('A', 2), cluster('b', 2)]);
    assert.deepEqual(await client.settled(), []);
  },

  'wild-sotw-again': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('A'), cluster('b')]);
    const client = server.sotw();
    client.names(cds, []);
    await client.takeAndAck(cds);
    client.names(cds, ['A']);
    for (const answer of await client.settled()) {
      await client.take(cds);
      client.ack(answer);
    }
    client.names(cds, []);
    client.names(cds, ['*']);
    assert.deepEqual([...(await client.take(cds)).names].sort(), ['A', 'b']);
  },

  'wild-sotw-legacy-repeated': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.sotw();
    client.names(cds, []);
    for (let revision = 2; revision <= 4; revision += 1) {
      await client.takeAndAck(cds);
      client.names(cds, []);
      server.set([cluster('a', revision), cluster('b')]);
    }
    assert.deepEqual([...(await client.take(cds)).names].sort(), ['a', 'b']);
  },

  'wild-eds-empty': async () => {
    await using server = await ServerFixture.start();
    server.set([endpoints('a')]);
    const client = server.sotw();
    client.request(eds);
    client.request(rds);
    assert.deepEqual(await client.settled(), []);
    client.names(eds, ['a']);
    assert.deepEqual((await client.take(eds)).names, ['a']);
  },

  'wild-delta-legacy': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a'), cluster('b')]);
    const client = server.delta();
    client.subscribe(cds);
    assert.deepEqual([...(await client.takeAndAck(cds)).names].sort(), ['a', 'b']);
    client.subscribe(lds);
    assert.deepEqual((await client.take(lds)).names, []);
  },

  'wild-delta-add-name': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('A'), cluster('b')]);
    const client = server.delta();
    client.subscribe(cds);
    await client.takeAndAck(cds);
    client.subscribe(cds, ['A']);
    assert.deepEqual((await client.takeAndAck(cds)).names, ['A']);
    server.set([cluster('A'), cluster('b', 2)]);
    assert.deepEqual((await client.take(cds)).names, ['b']);
  },

  'wild-delta-unsub-star': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('A'), cluster('b')]);
    const client = server.delta();
    client.subscribe(cds, ['*', 'A']);
    await client.takeAndAck(cds);
    client.unsubscribe(cds, ['*']);
    await client.settled();
    server.set([cluster('A'), cluster('b', 2)]);
    assert.deepEqual(await client.settled(), []);
    server.set([cluster('A', 2), cluster('b', 2)]);
    assert.deepEqual((await client.take(cds)).names, ['A']);
  },

  'wild-delta-unsub-last': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('A'), cluster('b')]);
    const client = server.delta();
    client.subscribe(cds, ['A']);
    await client.takeAndAck(cds);
    client.unsubscribe(cds, ['A']);
    await client.settled();
    server.set([cluster('A', 2), cluster('b', 2)]);
    assert.deepEqual(await client.settled(), []);
  },

  'wild-delta-late-star': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('A'), cluster('b')]);
    const client = server.delta();
    client.subscribe(cds, ['A']);
    await client.takeAndAck(cds);
    client.subscribe(cds, ['*']);
    assert.ok((await client.take(cds)).names.includes('b'));
  },

  'wild-delta-unsub-name-inside': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('A'), cluster('b')]);
    const client = server.delta();
    client.subscribe(cds, ['*', 'A']);
    await client.takeAndAck(cds);
    client.unsubscribe(cds, ['A']);
    const answer = await client.take(cds);
    assert.deepEqual(answer.names, ['A']);
    assert.deepEqual(answer.removed, []);
  },

  'wild-delta-unsub-name-outside': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.delta();
    client.subscribe(cds, ['*', 'B']);
    assert.deepEqual((await client.takeAndAck(cds)).removed, ['B']);
    client.unsubscribe(cds, ['B']);
    const answer = await client.take(cds);
    assert.deepEqual(answer.names, []);
    assert.deepEqual(answer.removed, ['B']);
  },

  'wild-delta-unsub-star-not-subscribed': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('A'), cluster('b')]);
    const client = server.delta();
    client.subscribe(cds, ['A']);
    await client.takeAndAck(cds);
    client.unsubscribe(cds, ['*']);
    assert.deepEqual(await client.settled(), []);
    server.set([cluster('A', 2), cluster('b')]);
    assert.deepEqual((await client.take(cds)).names, ['A']);
  },
};
