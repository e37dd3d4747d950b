import assert from 'node:assert/strict';
import { typeUrls } from '@weft/xds-types';
import { certificates } from '../support/certificates.ts';
import { ClientFixture } from '../support/client-fixture.ts';
import { edsCluster, endpoints, listener, route } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { serve } from './answers.ts';

const { cluster: cds, endpoint: eds, listener: lds, routeConfiguration: rds, secret: sds } = typeUrls;

/** Area warming. */
export const warmingPlays: Plays = {
  'warm-cluster-needs-eds': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await stream.exchange(cds, [edsCluster('c')]);
    assert.equal(fixture.config.clusters.size, 0, 'a half configuration is not used');
    await stream.exchange(eds, [endpoints('c')]);
    assert.deepEqual([...fixture.config.clusters.keys()], ['c']);
    assert.deepEqual([...fixture.config.endpoints.keys()], ['c']);
    // Changed so that it needs other endpoints: the old one stays in use until they are there.
    await stream.exchange(cds, [edsCluster('c', 2, 'other')]);
    assert.equal(fixture.config.clusters.get('c')?.connectTimeoutMs, 1_000);
    assert.deepEqual([...fixture.config.endpoints.keys()], ['c']);
    await stream.exchange(eds, [endpoints('other')]);
    assert.equal(fixture.config.clusters.get('c')?.connectTimeoutMs, 2_000);
    assert.deepEqual([...fixture.config.endpoints.keys()], ['other']);
  },

  'warm-listener-needs-rds': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await serve(stream);
    const before = fixture.config.listeners.get('l');
    await stream.exchange(lds, [listener('l', 2, 'r2')]);
    assert.equal(fixture.config.listeners.get('l'), before);
    assert.deepEqual([...fixture.config.routes.keys()], ['r'], 'the old listener keeps its routes');
    await stream.exchange(rds, [route('r2', 1, 'c')]);
    assert.notEqual(fixture.config.listeners.get('l'), before);
    assert.deepEqual([...fixture.config.routes.keys()], ['r2']);
  },

  'warm-listener-known-rds': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await serve(stream);
    const before = fixture.config.listeners.get('l');
    await stream.exchange(lds, [listener('l', 2, 'r')]);
    assert.notEqual(fixture.config.listeners.get('l'), before, 'no wait');
  },

  'warm-empty-eds-ends-warming': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await stream.exchange(cds, [edsCluster('c')]);
    await stream.exchange(eds, [endpoints('c', 1, [])]);
    assert.deepEqual([...fixture.config.clusters.keys()], ['c']);
    assert.deepEqual(fixture.config.endpoints.get('c')?.localities, []);
  },

  'warm-eds-timeout': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await stream.exchange(cds, [edsCluster('c')]);
    fixture.clock.advance(15_000);
    assert.deepEqual([...fixture.config.clusters.keys()], ['c']);
    assert.equal(fixture.config.endpoints.get('c'), undefined);
  },

  'warm-sds': async (variant) => {
    const { keyPairSecret } = await certificates();
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    stream.send(lds, [listener('l', 1, 'r', 'server-cert')]);
    await stream.asked(sds, 'server-cert');
    await stream.exchange(rds, [route('r', 1, 'c')]);
    fixture.clock.advance(19_000);
    assert.equal(fixture.config.listeners.size, 0, 'no TLS without its secret, also after the fetch timeout');
    await stream.exchange(sds, [keyPairSecret('server-cert')]);
    assert.deepEqual([...fixture.config.listeners.keys()], ['l']);
    assert.deepEqual([...fixture.config.secrets.keys()], ['server-cert']);
  },

  'routes-not-warmed': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await stream.exchange(lds, [listener('l', 1, 'r')]);
    const ack = await stream.exchange(rds, [route('r', 1, 'unknown')]);
    assert.equal(ack.error, undefined);
    assert.deepEqual([...fixture.config.routes.keys()], ['r'], 'requests to it get 503, others work');
  },
};
