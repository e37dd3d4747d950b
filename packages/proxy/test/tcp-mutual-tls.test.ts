import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { chain, cluster, endpoint, listener, runtimeConfig } from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { type OriginConnection, RawClient, RawOrigin } from './support/raw-peer.ts';
import { tcpProxy } from './support/tcp-configs.ts';
import { clientTls, exactly, meshRoots, ownKeyPair, serverTls, spiffe, TestCa } from './support/test-ca.ts';

/** Bytes between two sidecars: encrypted by the first, decrypted by the second, and back. */

interface Path {
  readonly origin: RawOrigin;
  readonly client: RawClient;
  readonly server: OriginConnection;
  readonly sidecars: readonly ProxyHarness[];
}

async function path(t: TestContext): Promise<Path> {
  const ca = await TestCa.create();
  const origin = await RawOrigin.start(() => {});
  const near = new ProxyHarness();
  const far = new ProxyHarness();
  t.after(async () => {
    await near.close();
    await far.close();
    await origin.close();
    await ca.close();
  });
  far.secrets.set(ownKeyPair, await ca.keyPair('catalog'));
  far.secrets.set(meshRoots, ca.roots);
  near.secrets.set(ownKeyPair, await ca.keyPair('storefront'));
  near.secrets.set(meshRoots, ca.roots);
  await far.apply(
    runtimeConfig({
      listeners: [listener([chain(tcpProxy('app'), { downstreamTls: serverTls() })], { direction: 'inbound' })],
      clusters: [cluster('app', [endpoint(origin.port)])],
    }),
  );
  const tls = clientTls(exactly(spiffe('catalog')));
  await near.apply(
    runtimeConfig({
      listeners: [listener([chain(tcpProxy('catalog'))])],
      clusters: [
        cluster('catalog', [endpoint(far.port(), { transportSocketMatch: { tlsMode: 'istio' } })], {
          transportSocketMatches: [
            { name: 'tlsMode-istio', match: { tlsMode: 'istio' }, transportSocket: { kind: 'tls', tls } },
          ],
        }),
      ],
    }),
  );
  const client = await RawClient.connect(near.port());
  t.after(() => client.close());
  await origin.until(() => origin.connections.length === 1);
  const server = origin.connections[0] as OriginConnection;
  server.socket.on('error', () => {});
  return { origin, client, server, sidecars: [near, far] };
}

function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) {
    bytes[at] = (seed + at * 31 + (at >> 13)) & 0xff;
  }
  return bytes;
}

test('bulk data goes both ways at once unharmed, and small messages behind it do not wait', async (t) => {
  const { origin, client, server } = await path(t);
  // Whole records, parts of them, more than one read, more than is gathered.
  const sizes = [1, 16_384, 16_385, 32_768, 100, 131_072, 300_000, 65_536, 2_000_000, 7];
  const up = sizes.map((size, index) => pattern(size, index));
  const down = sizes.map((size, index) => pattern(size, index + 100));
  for (const [index, piece] of up.entries()) {
    client.socket.write(piece);
    server.socket.write(down[index] ?? '');
    if (index % 3 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const sent = Buffer.concat(up);
  const answered = Buffer.concat(down);
  await origin.until(() => server.received.length === sent.length, 20_000);
  await client.until(() => client.received.length === answered.length, 20_000);
  assert.ok(server.received.equals(sent));
  assert.ok(client.received.equals(answered));
});

test('the last record is not kept back when the sender says nothing more', async (t) => {
  const { origin, client, server } = await path(t);
  for (const size of [16_384, 65_536, 16_384]) {
    const before = server.received.length;
    const piece = pattern(size, size & 0xff);
    client.socket.write(piece);
    await origin.until(() => server.received.length === before + size);
    assert.ok(server.received.subarray(before).equals(piece));
  }
});

test('what was gathered arrives before the end of the sender', async (t) => {
  const { origin, client, server } = await path(t);
  const bytes = pattern(10 * 16_384, 3);
  client.socket.end(bytes);
  await origin.until(() => server.ended, 20_000);
  assert.ok(server.received.equals(bytes));
  server.socket.end('thanks');
  await client.untilEnd();
  assert.equal(client.text, 'thanks');
});

test('a receiver that reads nothing holds the sender up through both sidecars', async (t) => {
  const { origin, client, server, sidecars } = await path(t);
  server.socket.pause();
  const piece = pattern(1_000_000, 9);
  let pieces = 0;
  while (client.socket.write(piece) || client.socket.writableLength < 8_000_000) {
    pieces += 1;
    assert.ok(pieces < 200, 'nobody holds it back');
    await new Promise((resolve) => setImmediate(resolve));
  }
  pieces += 1;
  for (const sidecar of sidecars) {
    assert.deepEqual(sidecar.tcpEnds, []);
  }
  server.socket.resume();
  client.socket.end();
  await origin.until(() => server.ended, 30_000);
  assert.equal(server.received.length, pieces * piece.length);
  for (let at = 0; at < server.received.length; at += piece.length) {
    assert.ok(server.received.subarray(at, at + piece.length).equals(piece), `at ${at}`);
  }
});
