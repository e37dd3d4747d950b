import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { typeUrls } from '@weft/xds-types';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import { apiListener, cluster, edsCluster, endpoints, listener, route } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import { ServerFixture } from '../support/server-fixture.ts';

const { cluster: cds, endpoint: eds, listener: lds, routeConfiguration: rds } = typeUrls;

/**
 * Area proxyless, as far as it is about the transport: a gRPC client asks by name, from the listener downwards. With the real
 * clients the same is played in `proxyless.test.ts`.
 */
export const proxylessPlays: Plays = {
  'grpc-lds-by-name': async () => {
    await using server = await ServerFixture.start();
    server.set([apiListener('svc.ns:80', 1, 'r'), apiListener('other.ns:80', 1, 'r')]);
    const client = server.sotw();
    client.names(lds, ['svc.ns:80']);
    const answer = await client.take(lds);
    assert.deepEqual(answer.names, ['svc.ns:80']);
    assert.ok(Listener.decode(answer.resources[0]?.body?.value ?? new Uint8Array(0)).apiListener !== undefined);
  },

  'grpc-eds-service-name': async () => {
    await using server = await ServerFixture.start();
    server.set([edsCluster('outbound|80||svc', 1, 'svc-endpoints'), endpoints('svc-endpoints')]);
    const client = server.sotw();
    client.names(cds, ['outbound|80||svc']);
    await client.takeAndAck(cds);
    client.names(eds, ['svc-endpoints']);
    const [resource] = (await client.take(eds)).resources;
    assert.equal(ClusterLoadAssignment.decode(resource?.body?.value ?? new Uint8Array(0)).clusterName, 'svc-endpoints');
  },

  'grpc-ads-only': async () => {
    // The translator's golden files: whatever it makes, endpoints and routes are taken from ADS.
    const folder = resolve(import.meta.dirname, '../../../../packages/translate/testdata');
    const texts = readdirSync(folder)
      .filter((file) => file.endsWith('.xds.yaml'))
      .map((file) => readFileSync(join(folder, file), 'utf8'));
    const sources = texts.flatMap((text) => [...text.matchAll(/\b(?:edsConfig|configSource):\n\s+(\w+):/g)]);
    assert.ok(sources.length > 50, `only ${sources.length} config sources were looked at`);
    assert.deepEqual([...new Set(sources.map(([, source]) => source))], ['ads']);
  },

  'grpc-cluster-switch': async () => {
    await using server = await ServerFixture.start();
    const one = [edsCluster('one'), endpoints('one')];
    const two = [edsCluster('two'), endpoints('two')];
    server.set([...one, apiListener('svc', 1, 'r'), route('r', 1, 'one')]);
    const client = server.sotw();
    client.names(lds, ['svc']);
    await client.takeAndAck(lds);
    client.names(rds, ['r']);
    await client.takeAndAck(rds);
    client.names(cds, ['one']);
    await client.takeAndAck(cds);
    client.names(eds, ['one']);
    await client.takeAndAck(eds);
    server.set([...one, ...two, apiListener('svc', 1, 'r'), route('r', 2, 'two')]);
    await client.takeAndAck(rds); // A gRPC client hears of the new cluster from the route.
    client.names(cds, ['one', 'two']);
    const clusters = await client.takeAndAck(cds);
    assert.deepEqual([...clusters.names].sort(), ['one', 'two']);
    client.names(eds, ['one', 'two']);
    assert.ok((await client.takeAndAck(eds)).names.includes('two'));
  },

  'grpc-cluster-config-change': async () => {
    await using server = await ServerFixture.start();
    server.set([edsCluster('one'), endpoints('one')]);
    const client = server.sotw();
    client.names(cds, ['one']);
    await client.takeAndAck(cds);
    client.names(eds, ['one']);
    const before = await client.takeAndAck(eds);
    server.set([edsCluster('one', 2), endpoints('one')]);
    assert.deepEqual((await client.takeAndAck(cds)).names, ['one']);
    const after = await client.takeAndAck(eds);
    assert.deepEqual(after.resources, before.resources);
  },

  'grpc-server-listener': async () => {
    await using server = await ServerFixture.start();
    const name = 'grpc/server?xds.resource.listening_address=0.0.0.0:8080';
    server.set([listener(name, 1, 'r'), route('r', 1, 'x')]);
    const client = server.sotw();
    client.names(lds, [name]);
    const answer = await client.take(lds);
    assert.deepEqual(answer.names, [name]);
  },

  'grpc-aggregate-cluster': async () => {
    await using server = await ServerFixture.start();
    // What the aggregate refers to is asked for by name, each name once or several times: each comes once.
    server.set([cluster('aggregate'), edsCluster('eds'), cluster('dns'), endpoints('eds')]);
    const client = server.sotw();
    client.names(cds, ['aggregate']);
    await client.takeAndAck(cds);
    client.request(cds, { resourceNames: ['aggregate', 'eds', 'dns', 'eds'] });
    const answer = await client.take(cds);
    assert.deepEqual([...answer.names].sort(), ['aggregate', 'dns', 'eds']);
  },
};
