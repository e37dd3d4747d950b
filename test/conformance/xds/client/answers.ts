import assert from 'node:assert/strict';
import type { EncodedResource } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import { ClientFixture } from '../support/client-fixture.ts';
import { cluster, edsCluster, endpoints, listener, route } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { garbage, type ServedStream } from '../support/scripted-server.ts';

const { cluster: cds, endpoint: eds, listener: lds, routeConfiguration: rds } = typeUrls;

/** One service, in use: listener l → routes r → cluster c → endpoints c. */
export async function serve(stream: ServedStream): Promise<void> {
  await stream.exchange(cds, [edsCluster('c')], { version: 'cds-1' });
  await stream.exchange(eds, [endpoints('c')], { version: 'eds-1' });
  await stream.exchange(lds, [listener('l', 1, 'r')], { version: 'lds-1' });
  await stream.exchange(rds, [route('r', 1, 'c')], { version: 'rds-1' });
}

/** A bad update of one type, while the good one is in use. */
async function playBadUpdate(good: EncodedResource): Promise<void> {
  await using started = await ClientFixture.start('sotw');
  const { fixture, stream } = started;
  await serve(stream);
  const before = fixture.config;
  const version = { [cds]: 'cds-1', [eds]: 'eds-1', [lds]: 'lds-1', [rds]: 'rds-1' }[good.typeUrl];
  const batches = fixture.batches.length;
  const nack = await stream.exchange(good.typeUrl, [nameless(good)], { version: 'bad' });
  assert.notEqual(nack.error, undefined);
  assert.equal(nack.version, version, 'the version in use');
  assert.equal(fixture.batches.length, batches, 'nothing is applied');
  assert.deepEqual([...fixture.config.clusters.keys()], ['c']);
  assert.equal(fixture.config.endpoints.get('c'), before.endpoints.get('c'));
  assert.equal(fixture.config.routes.get('r'), before.routes.get('r'));
  assert.equal(fixture.config.listeners.get('l'), before.listeners.get('l'));
}

/** SotW resources carry their name inside, so a bad one keeps it and is wrong elsewhere: an unknown field of the message. */
function nameless(resource: EncodedResource): EncodedResource {
  return { ...resource, value: Buffer.concat([resource.value, unknownField]) };
}

/** Field 1000, varint 1: what the proxy does not know it refuses. */
const unknownField = Buffer.from([0xc0, 0x3e, 0x01]);

/** Areas ack, delta, errors. */
export const answerPlays: Plays = {
  'sotw-ack-client': async () => {
    await using started = await ClientFixture.start('sotw');
    const { stream } = started;
    await stream.asked(cds);
    const ack = await stream.exchange(cds, [edsCluster('a'), edsCluster('b')], { version: 'X' });
    assert.deepEqual([ack.version, ack.names, ack.error], ['X', [], undefined]);
    const asked = await stream.asked(eds);
    assert.deepEqual([...asked.names].sort(), ['a', 'b']);
    const endpointsAck = await stream.exchange(eds, [endpoints('a')], { version: 'Y' });
    assert.equal(endpointsAck.version, 'Y');
    assert.deepEqual([...endpointsAck.names].sort(), ['a', 'b']);
  },

  'sotw-nack-client': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await stream.exchange(cds, [cluster('a')], { version: 'X' });
    const nack = await stream.exchange(cds, [nameless(cluster('a', 2))], { version: 'Y' });
    assert.equal(nack.version, 'X');
    assert.match(nack.error ?? '', /\ba\b/);
    assert.equal(fixture.config.clusters.get('a')?.connectTimeoutMs, 1_000);
  },

  'sotw-nack-first-client': async () => {
    await using started = await ClientFixture.start('sotw');
    const nack = await started.stream.exchange(cds, [nameless(cluster('a'))], { version: 'Y' });
    assert.equal(nack.version, '');
    assert.match(nack.error ?? '', /\ba\b/);
  },

  'sotw-partial-nack': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await stream.exchange(cds, [cluster('good'), cluster('bad')], { version: 'X' });
    const nack = await stream.exchange(cds, [cluster('good', 2), nameless(cluster('bad', 2))], { version: 'Y' });
    assert.match(nack.error ?? '', /bad: .*1 other resources of the response were accepted/);
    assert.equal(fixture.config.clusters.get('good')?.connectTimeoutMs, 2_000);
    assert.equal(fixture.config.clusters.get('bad')?.connectTimeoutMs, 1_000);
  },

  'nack-keeps-old-eds': () => playBadUpdate(endpoints('c', 2)),
  'nack-keeps-old-cds': () => playBadUpdate(edsCluster('c', 2)),
  'nack-keeps-old-rds': () => playBadUpdate(route('r', 2, 'c')),
  'nack-keeps-old-lds': () => playBadUpdate(listener('l', 2, 'r')),

  'delta-ack': async () => {
    await using started = await ClientFixture.start('delta');
    const { stream } = started;
    const ack = await stream.exchange(cds, [cluster('a')]);
    assert.deepEqual([ack.error, ack.names, ack.unsubscribed], [undefined, [], []]);
  },

  'delta-nack': async () => {
    await using started = await ClientFixture.start('delta');
    const { fixture, stream } = started;
    await stream.exchange(cds, [cluster('a')]);
    const nack = await stream.exchange(cds, [nameless(cluster('a', 2))]);
    assert.match(nack.error ?? '', /\ba\b/);
    assert.equal(fixture.config.clusters.get('a')?.connectTimeoutMs, 1_000);
  },

  'delta-spontaneous-without-nonce': async () => {
    await using started = await ClientFixture.start('delta');
    const { stream } = started;
    await stream.exchange(cds, [edsCluster('a')]);
    await stream.asked(eds, 'a');
    await stream.exchange(eds, [endpoints('a')]);
    stream.send(cds, [edsCluster('b')]);
    const request = await stream.asked(eds, 'b');
    assert.deepEqual([request.nonce, request.names], ['', ['b']]);
  },

  'garbage-resource': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await serve(stream);
    const nack = await stream.exchange(rds, [garbage(route('r', 2, 'c'))]);
    assert.notEqual(nack.error, undefined);
    assert.equal(stream.ended, false);
    assert.deepEqual([...fixture.config.routes.keys()], ['r']);
    const ack = await stream.exchange(rds, [route('r', 3, 'c')]);
    assert.equal(ack.error, undefined);
  },

  'wrong-type-in-response': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { stream } = started;
    await serve(stream);
    const nack = await stream.exchange(eds, [{ resource: endpoints('c', 2), typeUrl: cds }]);
    assert.match(nack.error ?? '', /Cluster in a response of/);
  },

  'duplicate-names-response-client': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await serve(stream);
    const nack = await stream.exchange(eds, [endpoints('c', 2), endpoints('c', 3)]);
    assert.match(nack.error ?? '', /c: is twice in one response/);
    assert.equal(fixture.config.endpoints.size, 1);
  },
};
