import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TcpProxyConfig } from '../src/runtime-config/config.ts';
import { breakers, chain, cluster, endpoint, listener, noEdits, runtimeConfig } from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { type OriginConnection, RawClient, RawOrigin } from './support/raw-peer.ts';
import { tcpProxy, tcpTo } from './support/tcp-configs.ts';
import { clientTls, meshRoots, ownKeyPair, TestCa } from './support/test-ca.ts';

async function startTcp(
  t: TestContext,
  onData: (connection: OriginConnection) => void,
  options: { readonly proxy?: Partial<TcpProxyConfig>; readonly cluster?: Parameters<typeof cluster>[2] } = {},
): Promise<{ readonly harness: ProxyHarness; readonly origin: RawOrigin; readonly client: RawClient }> {
  const origin = await RawOrigin.start(onData);
  t.after(() => origin.close());
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  const filter = tcpProxy('origin', options.proxy);
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(filter)])],
      clusters: [cluster('origin', [endpoint(origin.port)], options.cluster)],
    }),
  );
  const client = await RawClient.connect(harness.port());
  t.after(() => client.close());
  return { harness, origin, client };
}

test('bytes go both ways, and each side may end by itself', async (t) => {
  const { harness, origin, client } = await startTcp(t, () => {});
  client.send('question');
  client.socket.end();
  await origin.until(() => origin.connections[0]?.ended === true);
  assert.equal(origin.received, 'question');
  origin.connections[0]?.socket.end('answer after your end');
  await client.untilEnd();
  assert.equal(client.text, 'answer after your end');
  await harness.until(() => harness.tcpEnds.length === 1);
  const [record] = harness.tcpEnds;
  assert.equal(record?.bytesReceived, 8);
  assert.equal(record?.bytesSent, 21);
  assert.equal(record?.clusterName, 'origin');
  assert.equal(record?.responseFlags, 0);
});

test('a server that speaks first is heard', async (t) => {
  const origin = await RawOrigin.start(() => {});
  t.after(() => origin.close());
  const { origin: greeting, client } = await startTcp(t, () => {});
  await greeting.until(() => greeting.connections.length === 1);
  greeting.connections[0]?.socket.write('220 hello');
  await client.untilText('220 hello');
});

test('a slow receiver holds the sender up, and everything arrives', async (t) => {
  const { origin, client, harness } = await startTcp(t, () => {}, { cluster: { bufferLimitBytes: 64 * 1024 } });
  client.socket.pause();
  await origin.until(() => origin.connections.length === 1);
  const total = 16 * 1024 * 1024;
  const sender = origin.connections[0]?.socket;
  let sent = 0;
  const piece = Buffer.alloc(256 * 1024, 'z');
  while (sent < total) {
    sent += piece.length;
    sender?.write(piece);
  }
  for (let turn = 0; turn < 50; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok((sender?.writableLength ?? 0) > total / 4, 'the sender still has most of it');
  let received = 0;
  client.socket.removeAllListeners('data');
  const all = new Promise<void>((resolve) => {
    client.socket.on('data', (bytes) => {
      received += bytes.length;
      if (received >= total) {
        resolve();
      }
    });
  });
  client.socket.resume();
  await all;
  assert.equal(received, total);
  sender?.end();
  client.socket.end();
  await harness.until(() => harness.tcpEnds.length === 1);
  assert.equal(harness.tcpEnds[0]?.bytesSent, total);
});

test('an endpoint that cannot be reached is tried as often as configured, then UF and URX', async (t) => {
  const closed = await RawOrigin.start(() => {});
  await closed.close();
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(tcpProxy('origin', { idleTimeoutMs: 0, maxConnectAttempts: 3 }))])],
      clusters: [cluster('origin', [endpoint(closed.port)])],
    }),
  );
  const client = await RawClient.connect(harness.port());
  await client.untilEnd();
  await harness.until(() => harness.tcpEnds.length === 1);
  assert.equal(harness.tcpEnds[0]?.attemptCount, 3);
  assert.equal(harness.dataPlane.clusters()[0]?.connectFailures, 3);
  client.close();
});

test('an idle connection ends after the idle timeout', async (t) => {
  const { client, harness } = await startTcp(t, () => {}, { proxy: { idleTimeoutMs: 50 } });
  await client.untilEnd();
  await harness.until(() => harness.tcpEnds.length === 1);
  assert.equal(harness.tcpEnds[0]?.connectionTerminationDetails, 'idle_timeout');
});

test('the connection breaker refuses one more connection', async (t) => {
  const { client, harness, origin } = await startTcp(t, () => {}, {
    cluster: { circuitBreakers: breakers({ maxConnections: 1 }) },
  });
  await origin.until(() => origin.connections.length === 1);
  const second = await RawClient.connect(harness.port());
  await second.untilEnd();
  assert.equal(harness.tcpEnds.length, 1);
  assert.equal(client.ended, false);
  second.close();
});

test('a cluster that does not exist closes the connection', async (t) => {
  const { client, harness } = await startTcp(t, () => {}, {
    proxy: { clusters: [{ cluster: 'nobody', weight: 1, headers: noEdits }] },
  });
  await client.untilEnd();
  await harness.until(() => harness.tcpEnds.length === 1);
  assert.equal(harness.tcpEnds[0]?.clusterName, 'nobody');
});

test('a client whose upstream is not there yet is read no further than the limit', async (t) => {
  const ca = await TestCa.create();
  t.after(() => ca.close());
  // It takes the connection and never answers the ClientHello.
  const silent = await RawOrigin.start(() => {});
  t.after(() => silent.close());
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  harness.secrets.set(ownKeyPair, await ca.keyPair('web'));
  harness.secrets.set(meshRoots, ca.roots);
  await harness.apply(
    runtimeConfig({
      listeners: [listener([tcpTo('origin')])],
      clusters: [
        cluster('origin', [endpoint(silent.port)], {
          transportSocket: { kind: 'tls', tls: clientTls([]) },
          connectTimeoutMs: 600,
        }),
      ],
    }),
  );
  const client = await RawClient.connect(harness.port());
  const total = 32 * 1024 * 1024;
  for (let sent = 0; sent < total; sent += 1024 * 1024) {
    client.send(Buffer.alloc(1024 * 1024, 'e'));
  }
  await silent.until(() => silent.connections.length === 1);
  let last = -1;
  for (let same = 0; same < 10; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    same = client.socket.writableLength === last ? same + 1 : 0;
    last = client.socket.writableLength;
  }
  assert.ok(last > total / 2, `${last} bytes are still the client's`);
  await harness.until(() => harness.tcpEnds.length === 1);
  client.close();
  // Reads are 64 KiB at most, so that the limit can be exceeded by one.
  assert.ok((harness.tcpEnds[0]?.bytesReceived ?? total) <= 2 * 64 * 1024);
  assert.equal(harness.dataPlane.clusters()[0]?.connectionsActive, 0);
});

test('weighted clusters share connections by weight', async (t) => {
  const origins = [await RawOrigin.start(() => {}), await RawOrigin.start(() => {})];
  t.after(() => Promise.all(origins.map((origin) => origin.close())));
  let draw = 0;
  const harness = new ProxyHarness({ random: () => (draw++ % 10) / 10 });
  t.after(() => harness.close());
  const clusters = ['a', 'b'].map((name, index) => ({ cluster: name, weight: index === 0 ? 3 : 7, headers: noEdits }));
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(tcpProxy('', { clusters }))])],
      clusters: origins.map((origin, index) => cluster(index === 0 ? 'a' : 'b', [endpoint(origin.port)])),
    }),
  );
  for (let round = 0; round < 10; round += 1) {
    // One draw for the cluster, none for the endpoint of a round robin.
    const client = await RawClient.connect(harness.port());
    client.send('x');
    await Promise.race(origins.map((origin) => origin.until(() => origin.received.length > 0)));
    client.socket.resetAndDestroy();
  }
  await harness.until(() => harness.tcpEnds.length === 10);
  const count = (name: string): number => harness.tcpEnds.filter(({ clusterName }) => clusterName === name).length;
  assert.deepEqual([count('a'), count('b')], [3, 7]);
});
