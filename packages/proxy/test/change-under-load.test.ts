import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RuntimeConfig } from '../src/runtime-config/config.ts';
import {
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { type OriginConnection, okResponse, RawClient, RawOrigin } from './support/raw-peer.ts';
import { clientTls, exactly, meshRoots, ownKeyPair, serverTls, spiffe, TestCa } from './support/test-ca.ts';

const total = 10_000;
const workers = 16;
const changes = 20;

test('10,000 requests during 20 configuration changes and two certificate rotations: none fails', async (t) => {
  const ca = await TestCa.create();
  const origin = await RawOrigin.start((connection: OriginConnection) => {
    const text = connection.received.toString('latin1');
    if (text.endsWith(text.startsWith('POST') ? '\r\n\r\nbody' : '\r\n\r\n')) {
      connection.received = Buffer.alloc(0);
      connection.socket.write(okResponse);
    }
  });
  const client = new ProxyHarness();
  const server = new ProxyHarness();
  t.after(async () => {
    await client.close();
    await server.close();
    await origin.close();
    await ca.close();
  });

  let version = 0;
  const serverConfig = (): RuntimeConfig =>
    runtimeConfig({
      // Another server name is another filter chain: the old one drains.
      listeners: [
        listener([chain(httpManager({ serverName: `server-${version}` }), { downstreamTls: serverTls() })], {
          direction: 'inbound',
        }),
      ],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('app'))])])],
      clusters: [cluster('app', [endpoint(origin.port)])],
    });
  const clientConfig = (port: number): RuntimeConfig =>
    runtimeConfig({
      listeners: [listener([chain(httpManager({ serverName: `client-${version}` }))])],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('catalog'), { name: `route-${version}` })])])],
      clusters: [
        cluster('catalog', [endpoint(port)], {
          transportSocket: { kind: 'tls', tls: clientTls(exactly(spiffe('catalog'))) },
        }),
      ],
    });
  const rotate = async (): Promise<void> => {
    for (const [harness, account] of [
      [server, 'catalog'],
      [client, 'storefront'],
    ] as const) {
      harness.secrets.set(ownKeyPair, await ca.keyPair(account));
      harness.secrets.set(meshRoots, ca.roots);
    }
  };
  await rotate();
  await server.apply(serverConfig());
  await client.apply(clientConfig(server.port()));

  let started = 0;
  let done = 0;
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    let connection = await RawClient.connect(client.port());
    while (started < total) {
      started += 1;
      const post = started % 3 === 0;
      connection.received = Buffer.alloc(0);
      connection.send(
        post
          ? 'POST /order HTTP/1.1\r\nHost: catalog\r\nContent-Length: 4\r\n\r\nbody'
          : 'GET /books HTTP/1.1\r\nHost: catalog\r\n\r\n',
      );
      await connection.until((peer) => peer.ended || peer.received.includes('\r\n\r\nok'));
      if (!connection.text.startsWith('HTTP/1.1 200 ') || !connection.text.endsWith('ok')) {
        failures.push(`${post ? 'POST' : 'GET'}: ${connection.text === '' ? 'no answer' : connection.text}`);
      }
      done += 1;
      if (connection.ended || connection.text.includes('connection: close')) {
        connection.close();
        connection = await RawClient.connect(client.port());
      }
    }
    connection.close();
  };
  const change = async (): Promise<void> => {
    for (let round = 1; round <= changes; round += 1) {
      const due = (round * total) / (changes + 1);
      await client.until(() => done >= due || client.requests.length >= due, 60_000);
      version = round;
      if (round === 7 || round === 14) {
        await rotate();
      }
      await server.apply(serverConfig());
      await client.apply(clientConfig(server.port()));
    }
  };
  await Promise.all([change(), ...Array.from({ length: workers }, work)]);
  assert.equal(done, total);
  assert.deepEqual(failures, []);
  assert.equal(client.requests.filter(({ code }) => code === 200).length, total);
  assert.equal(client.dataPlane.faults() + server.dataPlane.faults(), 0);
});
