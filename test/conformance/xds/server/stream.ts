import assert from 'node:assert/strict';
import { eventually } from '@weft/testkit';
import { typeUrls } from '@weft/xds-types';
import { cluster, edsCluster, endpoints, listener, route } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { ServerFixture } from '../support/server-fixture.ts';

const { cluster: cds, endpoint: eds, listener: lds } = typeUrls;

/** Areas stream, errors. */
export const streamPlays: Plays = {
  'sotw-first-request': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a'), cluster('b')]);
    const client = server.sotw();
    client.subscribe(cds);
    const answer = await client.take(cds);
    assert.deepEqual([...answer.names].sort(), ['a', 'b']);
    assert.notEqual(answer.version, '');
    assert.notEqual(answer.nonce, '');
  },

  'sotw-node-only-once': async () => {
    await using server = await ServerFixture.start();
    server.set([edsCluster('a'), endpoints('a')]);
    const client = server.sotw();
    client.subscribe(cds);
    await client.takeAndAck(cds);
    client.subscribe(eds, ['a']); // The session sends the node in its first request only.
    assert.deepEqual((await client.take(eds)).names, ['a']);
  },

  'sotw-node-missing': async () => {
    await using server = await ServerFixture.start();
    const client = server.sotw({ nodeId: '' });
    client.subscribe(cds);
    assert.equal((await client.end()).code, 3);
    server.set([cluster('a')]);
    const other = server.sotw();
    other.subscribe(cds);
    assert.deepEqual((await other.take(cds)).names, ['a']);
  },

  'sotw-empty-type-url-on-ads': async () => {
    await using server = await ServerFixture.start();
    const client = server.sotw();
    client.request('');
    assert.equal((await client.end()).code, 3);
  },

  'sotw-unknown-type-url': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.sotw();
    client.subscribe(cds);
    await client.takeAndAck(cds);
    client.request('type.googleapis.com/example.Unheard');
    assert.deepEqual(await client.settled(), []);
    server.set([cluster('a', 2)]);
    assert.deepEqual((await client.take(cds)).names, ['a']);
  },

  'sotw-single-type-service': async () => {
    await using server = await ServerFixture.start();
    server.set([edsCluster('a'), endpoints('a')]);
    const services = [
      ['/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters', cds, []],
      ['/envoy.service.endpoint.v3.EndpointDiscoveryService/StreamEndpoints', eds, ['a']],
    ] as const;
    for (const [path, typeUrl, names] of services) {
      const client = server.sotw({ path });
      client.request('', { resourceNames: [...names] });
      const answer = await client.take(typeUrl);
      assert.deepEqual(answer.names, ['a']);
    }
    const wrong = server.sotw({ path: services[0][0] });
    wrong.request(eds, { resourceNames: ['a'] });
    assert.equal((await wrong.end()).code, 3);
  },

  'sotw-types-independent': async () => {
    await using server = await ServerFixture.start();
    server.set([cluster('a'), endpoints('a')]);
    const client = server.sotw();
    client.subscribe(cds);
    const clusters = await client.takeAndAck(cds);
    client.subscribe(eds, ['a']);
    const first = await client.take(eds);
    client.ack(clusters); // A CDS request with a CDS nonce, while EDS is unanswered.
    client.ack(first);
    assert.deepEqual(await client.settled(), []);
    server.set([cluster('a'), endpoints('a', 2)]);
    const second = await client.take(eds);
    assert.notEqual(second.nonce, first.nonce);
    assert.equal(server.xds.client('n')?.types.get(cds)?.status, 'SYNCED');
  },

  'sotw-nonce-unique': async () => {
    await using server = await ServerFixture.start();
    const client = server.sotw();
    const nonces = new Set<string>();
    server.set([cluster('a'), endpoints('a')]);
    client.subscribe(cds);
    client.subscribe(eds, ['a']);
    for (let revision = 2; revision <= 6; revision += 1) {
      nonces.add((await client.takeAndAck(cds)).nonce);
      nonces.add((await client.takeAndAck(eds)).nonce);
      server.set([cluster('a', revision), endpoints('a', revision)]);
    }
    assert.equal(nonces.size, 10);
    assert.equal(nonces.has(''), false);
  },

  'server-shutdown': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.open(variant);
    client.subscribe(cds);
    await client.takeAndAck(cds);
    server.set([cluster('a', 2)]); // Leaves a response in flight, whose timer has to go.
    await client.take(cds);
    assert.notEqual(server.clock.pendingTimers, 0);
    server.xds.close();
    assert.equal((await client.end()).code, 14);
    assert.equal(server.clock.pendingTimers, 0);
    assert.deepEqual(server.xds.clients(), []);
    assert.deepEqual(server.disconnected, ['n']);
  },

  'client-cancel': async (variant) => {
    await using server = await ServerFixture.start();
    server.set([cluster('a')]);
    const client = server.open(variant);
    client.subscribe(cds);
    await client.take(cds);
    client.cancel();
    await eventually(() => server.disconnected.length > 0, {
      what: 'the end of the stream at the server',
      intervalMs: 2,
    });
    assert.deepEqual(server.disconnected, ['n']);
    assert.equal(server.xds.client('n'), undefined);
    server.set([cluster('a', 2)]);
    assert.equal(server.clock.pendingTimers, 0);
  },

  'order-consistent-snapshot': async () => {
    const { findInconsistencies, createSnapshot } = await import('@weft/xds-server');
    const whole = [edsCluster('a'), endpoints('a'), listener('l', 1, 'r'), route('r', 1, 'a')];
    assert.deepEqual(findInconsistencies(createSnapshot(1, whole)), []);
    for (const missing of ['a', 'r']) {
      const broken = whole.filter(({ name, typeUrl }) => name !== missing || typeUrl === cds || typeUrl === lds);
      assert.equal(findInconsistencies(createSnapshot(1, broken)).length, 1, `without ${missing}`);
    }
    const orphans = createSnapshot(1, [endpoints('a'), route('r', 1, 'a')]);
    assert.equal(findInconsistencies(orphans).length, 2);
  },
};
