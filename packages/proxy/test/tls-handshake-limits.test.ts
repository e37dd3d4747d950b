import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectSecure } from 'node:tls';
import { ManualClock } from '@weft/testkit';
import { findNativeTls } from '../src/tls/native-tls.ts';
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
import { answering, okResponse, RawClient, RawOrigin } from './support/raw-peer.ts';
import { clientTls, exactly, meshRoots, ownKeyPair, serverTls, spiffe, TestCa } from './support/test-ca.ts';
import { send, TlsPair } from './support/tls-pair.ts';

test('a handshake that takes 15 s is given up, and one that was finished is not', async (t) => {
  const ca = await TestCa.create();
  t.after(() => ca.close());
  const clock = new ManualClock(Date.now());
  const pair = await TlsPair.start(ca, findNativeTls(), serverTls(), clock);
  t.after(() => pair.close());
  const { client, server } = await pair.both();
  const next = pair.next();
  const slow = connect(pair.port, '127.0.0.1');
  slow.on('error', () => {});
  slow.write('\x16\x03\x01\x02\x00\x01', 'latin1');
  await once(slow, 'connect');
  while (pair.sockets.length < 2) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  clock.advance(14_900);
  assert.equal(pair.sockets[1]?.destroyed, false);
  clock.advance(200);
  assert.deepEqual(await next, { failed: 'TLS_error: handshake timeout' });
  send(client, 'still there');
  await server.seen.until(() => server.seen.byteLength === 11);
});

test('without native handles requests go between two sidecars all the same', async (t) => {
  const ca = await TestCa.create();
  const origin = await RawOrigin.start(answering(okResponse));
  const client = new ProxyHarness({ portable: true });
  const server = new ProxyHarness({ portable: true });
  t.after(async () => {
    await client.close();
    await server.close();
    await origin.close();
    await ca.close();
  });
  server.secrets.set(ownKeyPair, await ca.keyPair('catalog'));
  server.secrets.set(meshRoots, ca.roots);
  client.secrets.set(ownKeyPair, await ca.keyPair('storefront'));
  client.secrets.set(meshRoots, ca.roots);
  await server.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager(), { downstreamTls: serverTls() })], { direction: 'inbound' })],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('app'))])])],
      clusters: [cluster('app', [endpoint(origin.port)])],
    }),
  );
  await client.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager())])],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('catalog'))])])],
      clusters: [
        cluster('catalog', [endpoint(server.port(), { transportSocketMatch: { tlsMode: 'istio' } })], {
          transportSocketMatches: [
            {
              name: 'tlsMode-istio',
              match: { tlsMode: 'istio' },
              transportSocket: { kind: 'tls', tls: clientTls(exactly(spiffe('catalog'))) },
            },
          ],
        }),
      ],
    }),
  );
  const downstream = await RawClient.connect(client.port());
  downstream.send('GET /books HTTP/1.1\r\nHost: catalog\r\nConnection: close\r\n\r\n');
  await downstream.untilEnd();
  assert.match(downstream.text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal((await server.ended()).peerUri, spiffe('storefront'));
  downstream.close();
});

test('a connection ends with the certificate that it began with', async (t) => {
  const ca = await TestCa.create();
  const clock = new ManualClock(Date.now());
  const origin = await RawOrigin.start(answering(okResponse));
  const server = new ProxyHarness({ clock });
  t.after(async () => {
    await server.close();
    await origin.close();
    await ca.close();
  });
  server.secrets.set(ownKeyPair, await ca.keyPair('catalog'));
  server.secrets.set(meshRoots, ca.roots);
  await server.apply(
    runtimeConfig({
      listeners: [
        listener([chain(httpManager({ idleTimeoutMs: 0 }), { downstreamTls: serverTls() })], { direction: 'inbound' }),
      ],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('app'))])])],
      clusters: [cluster('app', [endpoint(origin.port)])],
    }),
  );
  const own = await ca.keyPair('storefront');
  assert.ok(own.kind === 'key-pair');
  const socket = connectSecure({
    host: '127.0.0.1',
    port: server.port(),
    cert: own.certificateChainPem,
    key: own.privateKeyPem(),
    rejectUnauthorized: false,
  });
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: catalog\r\n\r\n');
  await once(socket, 'data');
  let closed = false;
  socket.once('close', () => {
    closed = true;
  });
  clock.advance(3_600_000);
  assert.equal(server.dataPlane.connections(), 1);
  socket.resume();
  clock.advance(2 * 86_400_000);
  if (!closed) {
    await once(socket, 'close');
  }
});
