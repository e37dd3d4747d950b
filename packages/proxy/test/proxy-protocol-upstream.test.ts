import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { writeHeaderV1 } from '../src/proxy-protocol/header-v1.ts';
import type { ProxyHeaderReading } from '../src/proxy-protocol/proxy-header.ts';
import { readProxyHeader } from '../src/proxy-protocol/read-header.ts';
import type { UpstreamTransportSocket } from '../src/runtime-config/config.ts';
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
import { okResponse, RawClient, RawOrigin } from './support/raw-peer.ts';
import { getOnce } from './support/simple-proxy.ts';
import { tcpTo } from './support/tcp-configs.ts';
import { clientTls, exactly, meshRoots, ownKeyPair, spiffe, TestCa } from './support/test-ca.ts';

async function start(
  t: TestContext,
  port: number,
  transportSocket: UpstreamTransportSocket,
  prepare: (harness: ProxyHarness) => Promise<void> | void = () => {},
): Promise<ProxyHarness> {
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  await prepare(harness);
  await harness.apply(
    runtimeConfig({
      listeners: [
        listener([tcpTo('origin')], { proxyProtocol: { allowWithoutHeader: true, refusedVersions: [] } }),
        listener([chain(httpManager())], { name: 'http' }),
      ],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('origin'))])])],
      clusters: [cluster('origin', [endpoint(port)], { transportSocket })],
    }),
  );
  return harness;
}

for (const version of [1, 2] as const) {
  test(`version ${version}: the upstream is told who the client is, before anything else`, async (t) => {
    const origin = await RawOrigin.start(() => {});
    t.after(() => origin.close());
    const harness = await start(t, origin.port, { kind: 'raw', proxyProtocol: version });
    const client = await RawClient.connect(harness.port());
    t.after(() => client.close());
    const { localPort = 0 } = client.socket;
    client.send('GET');
    await origin.until(() => origin.received.endsWith('GET'));
    const received = origin.connections[0]?.received ?? Buffer.alloc(0);
    assert.deepEqual(readProxyHeader(received), {
      kind: 'header',
      version,
      length: received.length - 3,
      proxied: {
        source: { ip: '127.0.0.1', port: localPort },
        destination: { ip: '127.0.0.1', port: harness.port() },
      },
    } satisfies ProxyHeaderReading);
  });

  test(`version ${version}: what a header said of the client goes on to the upstream`, async (t) => {
    const origin = await RawOrigin.start(() => {});
    t.after(() => origin.close());
    const harness = await start(t, origin.port, { kind: 'raw', proxyProtocol: version });
    const proxied = { source: { ip: '2001:db8::7', port: 4711 }, destination: { ip: '2001:db8::1', port: 443 } };
    const client = await RawClient.connect(harness.port());
    t.after(() => client.close());
    client.send(Buffer.concat([writeHeaderV1(proxied), Buffer.from('*x')]));
    await origin.until(() => origin.received.endsWith('*x'));
    const reading = readProxyHeader(origin.connections[0]?.received ?? Buffer.alloc(0));
    assert.deepEqual(reading.kind === 'header' && reading.proxied, proxied);
  });

  test(`version ${version}: a connection of a pool is nobody's in particular`, async (t) => {
    const origin = await RawOrigin.start((connection) => {
      if (connection.received.includes('\r\n\r\n', 20)) {
        connection.socket.write(okResponse);
      }
    });
    t.after(() => origin.close());
    const harness = await start(t, origin.port, { kind: 'raw', proxyProtocol: version });
    const client = await RawClient.connect(harness.port('http'));
    client.send(getOnce());
    await client.untilEnd();
    assert.match(client.text, /^HTTP\/1\.1 200/);
    const reading = readProxyHeader(origin.connections[0]?.received ?? Buffer.alloc(0));
    assert.ok(reading.kind === 'header');
    assert.equal(reading.version, version);
    assert.equal(reading.proxied, undefined);
  });

  test(`version ${version}: the header stands before TLS`, async (t) => {
    const ca = await TestCa.create();
    t.after(() => ca.close());
    const pair = await ca.keyPair('catalog');
    assert.ok(pair.kind === 'key-pair');
    const secure = createTlsServer({ cert: pair.certificateChainPem, key: pair.privateKeyPem() }, (socket) => {
      socket.on('data', (bytes) => socket.write(`secret ${bytes}`));
    });
    t.after(() => secure.close());
    let header: ProxyHeaderReading | undefined;
    const origin = await RawOrigin.start((connection) => {
      if (header === undefined) {
        header = readProxyHeader(connection.received);
        assert.ok(header.kind === 'header');
        connection.socket.removeAllListeners('data');
        connection.socket.pause();
        connection.socket.unshift(connection.received.subarray(header.length));
        secure.emit('connection', connection.socket);
      }
    });
    t.after(() => origin.close());
    const tls = clientTls(exactly(spiffe('catalog')));
    const harness = await start(t, origin.port, { kind: 'tls', tls, proxyProtocol: version }, async (made) => {
      made.secrets.set(ownKeyPair, await ca.keyPair('web'));
      made.secrets.set(meshRoots, ca.roots);
    });
    const client = await RawClient.connect(harness.port());
    t.after(() => client.close());
    client.send('word');
    await client.untilText('secret word');
    assert.ok(header?.kind === 'header' && header.version === version);
    assert.equal(header.proxied?.source.port, client.socket.localPort);
  });
}

test('an upstream that wants a header and cannot be reached fails like any other', async (t) => {
  const closed = await RawOrigin.start(() => {});
  await closed.close();
  const ca = await TestCa.create();
  t.after(() => ca.close());
  for (const kind of ['raw', 'tls'] as const) {
    const socket: UpstreamTransportSocket =
      kind === 'raw' ? { kind, proxyProtocol: 2 } : { kind, tls: clientTls([]), proxyProtocol: 2 };
    const harness = await start(t, closed.port, socket, async (made) => {
      made.secrets.set(ownKeyPair, await ca.keyPair('web'));
      made.secrets.set(meshRoots, ca.roots);
    });
    const client = await RawClient.connect(harness.port());
    client.send('*');
    await client.untilEnd();
    client.close();
    await harness.until(() => harness.tcpEnds.length === 1);
    assert.match(harness.tcpEnds[0]?.upstreamTransportFailureReason ?? '', /Connection refused/);
  }
});
