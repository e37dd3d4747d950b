import assert from 'node:assert/strict';
import type { ResourceType } from '@weft/xds-client';
import type { EncodedResource } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import { ClientFixture } from '../support/client-fixture.ts';
import { resourceTypes } from '../support/proxy-resource-types.ts';
import { cluster, edsCluster, endpoints, listener, route } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import type { ServedStream } from '../support/scripted-server.ts';
import { serve } from './answers.ts';

const { cluster: cds, endpoint: eds, listener: lds, routeConfiguration: rds } = typeUrls;

/** What a scripted server says when a resource is deleted. */
function withoutListener(stream: ServedStream, name: string): Promise<unknown> {
  return stream.exchange(lds, [], { removed: [name] });
}

/** The proxy's types, but listeners are asked for by name, as a proxyless gRPC client does. */
const byName: readonly ResourceType[] = resourceTypes.map((type) =>
  type.typeUrl === lds || type.typeUrl === cds ? { ...type, subscription: 'by-reference' } : type,
);

function endpointStatus(fixture: ClientFixture, name: string): string | undefined {
  return fixture.client
    .state()
    .types.find(({ typeUrl }) => typeUrl === eds)
    ?.resources.find((resource) => resource.name === name)?.status;
}

/** Areas subscription, removal, proxyless. */
export const statePlays: Plays = {
  'sotw-unrequested-ignored': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await stream.exchange(cds, [edsCluster('a')]);
    const ack = await stream.exchange(eds, [endpoints('a'), endpoints('b')]);
    assert.equal(ack.error, undefined);
    assert.deepEqual([...fixture.config.endpoints.keys()], ['a']);
  },

  'sotw-missing-timeout': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await stream.exchange(cds, [edsCluster('a')]);
    await stream.asked(eds, 'a');
    fixture.clock.advance(14_999);
    assert.equal(fixture.config.clusters.size, 0, 'it is waited for');
    fixture.clock.advance(1);
    assert.deepEqual([...fixture.config.clusters.keys()], ['a'], 'taken as not existing: the cluster has no endpoints');
    assert.equal(fixture.config.endpoints.size, 0);
  },

  'sotw-missing-then-arrives': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await stream.exchange(cds, [edsCluster('a')]);
    fixture.clock.advance(15_000);
    await stream.exchange(eds, [endpoints('a')]);
    assert.deepEqual([...fixture.config.endpoints.keys()], ['a']);
    assert.equal(endpointStatus(fixture, 'a'), 'active');
  },

  'sotw-partial-not-removal': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await stream.exchange(cds, [edsCluster('a'), edsCluster('b')]);
    await stream.exchange(eds, [endpoints('a'), endpoints('b')]);
    await stream.exchange(eds, [endpoints('a', 2)]);
    assert.deepEqual([...fixture.config.endpoints.keys()].sort(), ['a', 'b']);
  },

  'sotw-cluster-removed': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await stream.exchange(cds, [edsCluster('a'), edsCluster('b')]);
    await stream.exchange(eds, [endpoints('a'), endpoints('b')]);
    stream.send(cds, [edsCluster('a')]);
    const names = (
      await stream.take('EDS without b', ({ typeUrl, names: left }) => typeUrl === eds && !left.includes('b'))
    ).names;
    assert.deepEqual(names, ['a']);
    assert.deepEqual([...fixture.config.clusters.keys()], ['a']);
    assert.deepEqual([...fixture.config.endpoints.keys()], ['a']);
    const removed = fixture.batches.at(-1)?.changes.map(({ kind, typeUrl, name }) => [kind, typeUrl, name]);
    assert.deepEqual(removed, [
      ['remove', eds, 'b'],
      ['remove', cds, 'b'],
    ]);
  },

  'sotw-empty-cds': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await serve(stream);
    const ack = await stream.exchange(cds, [], { version: 'empty' });
    assert.deepEqual([ack.error, ack.version], [undefined, 'empty']);
    assert.equal(fixture.config.clusters.size, 0);
    await stream.exchange(lds, []);
    assert.equal(fixture.config.listeners.size, 0);
  },

  'sotw-empty-eds': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await serve(stream);
    const ack = await stream.exchange(eds, [], { version: 'empty' });
    assert.deepEqual([ack.error, ack.version], [undefined, 'empty']);
    assert.deepEqual([...fixture.config.endpoints.keys()], ['c']);
  },

  'sotw-child-removed-implicitly': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await serve(stream);
    stream.send(lds, []);
    const left = await stream.take('RDS without r', ({ typeUrl, names }) => typeUrl === rds && names.length === 0);
    assert.deepEqual(left.names, []);
    assert.equal(fixture.config.routes.size, 0);
  },

  'grpc-extra-resources': async () => {
    await using started = await ClientFixture.start('sotw', { types: byName });
    const { fixture, stream } = started;
    void fixture.client.demand(lds, 'svc', 60_000);
    await stream.asked(lds, 'svc');
    const extra: readonly [EncodedResource, EncodedResource] = [listener('svc', 1, 'r'), listener('other', 1, 'x')];
    assert.equal((await stream.exchange(lds, extra)).error, undefined);
    await stream.asked(rds, 'r');
    assert.equal((await stream.exchange(rds, [route('r', 1, 'c'), route('x', 1, 'c')])).error, undefined);
    void fixture.client.demand(cds, 'c', 60_000);
    await stream.asked(cds, 'c');
    assert.equal((await stream.exchange(cds, [cluster('c'), cluster('extra')])).error, undefined);
    assert.deepEqual([...fixture.config.listeners.keys()], ['svc']);
    assert.deepEqual([...fixture.config.routes.keys()], ['r']);
    assert.deepEqual([...fixture.config.clusters.keys()], ['c']);
  },

  'grpc-server-not-found': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await serve(stream);
    await withoutListener(stream, 'l');
    assert.equal(fixture.config.listeners.size, 0);
    stream.send(lds, [listener('l', 1, 'r')]);
    await stream.asked(rds, 'r');
    await stream.exchange(rds, [route('r', 1, 'c')]);
    assert.deepEqual([...fixture.config.listeners.keys()], ['l']);
  },

  'grpc-priority-gap': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await serve(stream);
    const nack = await stream.exchange(eds, [endpoints('c', 2, [0, 2])]);
    assert.match(nack.error ?? '', /priorit/);
    assert.equal(fixture.config.endpoints.get('c')?.localities.length, 1);
  },
};
