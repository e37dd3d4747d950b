import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { responseFlagsText } from '../src/response-flag.ts';
import type { TcpProxyConfig } from '../src/runtime-config/config.ts';
import { chain, cluster, endpoint, listener, runtimeConfig } from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { type OriginConnection, RawClient, RawOrigin } from './support/raw-peer.ts';
import { tcpProxy } from './support/tcp-configs.ts';

/** How connections of the TCP proxy end, in every order of ends, resets and late bytes. */

interface Relay {
  readonly harness: ProxyHarness;
  readonly origin: RawOrigin;
  readonly client: RawClient;
  readonly server: OriginConnection;
}

async function relay(t: TestContext, overrides: Partial<TcpProxyConfig> = {}): Promise<Relay> {
  const origin = await RawOrigin.start(() => {});
  const harness = new ProxyHarness();
  t.after(async () => {
    await harness.close();
    await origin.close();
  });
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(tcpProxy('origin', overrides))])],
      clusters: [cluster('origin', [endpoint(origin.port)])],
    }),
  );
  const client = await RawClient.connect(harness.port());
  t.after(() => client.close());
  await origin.until(() => origin.connections.length === 1);
  const server = origin.connections[0] as OriginConnection;
  server.socket.on('error', () => {});
  return { harness, origin, client, server };
}

async function ended(harness: ProxyHarness): Promise<{ readonly flags: string; readonly details: string }> {
  await harness.until(() => harness.tcpEnds.length === 1);
  const record = harness.tcpEnds[0];
  assert.equal(harness.dataPlane.clusters()[0]?.connectionsActive, 0);
  assert.equal(harness.dataPlane.listeners()[0]?.connectionsActive, 0);
  return {
    flags: responseFlagsText(record?.responseFlags ?? 0),
    details: record?.connectionTerminationDetails ?? '',
  };
}

const closedBy = (socket: OriginConnection['socket']): Promise<string> =>
  new Promise((resolve) => {
    let reason = 'end';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? 'error';
    });
    socket.on('close', () => resolve(reason));
  });

test('the client ends first, the server later', async (t) => {
  const { harness, origin, client, server } = await relay(t);
  client.send('a');
  client.socket.end();
  await origin.until(() => server.ended);
  server.socket.write('b');
  await client.untilText('b');
  assert.equal(client.ended, false);
  server.socket.end('c');
  await client.untilEnd();
  assert.equal(client.text, 'bc');
  assert.deepEqual(await ended(harness), { flags: '-', details: '' });
});

test('the server ends first, the client later', async (t) => {
  const { harness, origin, client, server } = await relay(t);
  server.socket.end('bye');
  await client.untilEnd();
  client.send('still ');
  await origin.until(() => origin.received === 'still ');
  client.socket.end('here');
  await origin.until(() => server.ended);
  assert.equal(origin.received, 'still here');
  assert.deepEqual(await ended(harness), { flags: '-', details: '' });
});

test('both end at once', async (t) => {
  const { harness, client, server } = await relay(t);
  client.socket.end('a');
  server.socket.end('b');
  await client.untilEnd();
  assert.equal(client.text, 'b');
  assert.deepEqual(await ended(harness), { flags: '-', details: '' });
});

test('a reset by the client reaches the server as a reset', async (t) => {
  const { harness, client, server } = await relay(t);
  client.send('a');
  const closed = closedBy(server.socket);
  client.socket.resetAndDestroy();
  assert.equal(await closed, 'ECONNRESET');
  assert.deepEqual(await ended(harness), { flags: '-', details: 'downstream_reset' });
});

test('a reset by the server reaches the client as a reset', async (t) => {
  const { harness, client, server } = await relay(t);
  server.socket.write('hello');
  await client.untilText('hello');
  const closed = closedBy(client.socket);
  server.socket.resetAndDestroy();
  assert.equal(await closed, 'ECONNRESET');
  assert.deepEqual(await ended(harness), { flags: 'UC', details: '' });
});

test('a server that ended and is gone: what the client sends then ends the connection, after it has read all', async (t) => {
  const { harness, client, server } = await relay(t);
  server.socket.end('last words');
  await client.untilEnd();
  server.socket.resetAndDestroy();
  client.send('anybody there?');
  await harness.until(() => harness.tcpEnds.length === 1);
  assert.equal(client.text, 'last words');
  assert.equal((await ended(harness)).flags, '-');
});

test('a client that ended and then went away: the server gets everything that was sent', async (t) => {
  const { harness, origin, client, server } = await relay(t);
  server.socket.pause();
  const total = 4 * 1024 * 1024;
  client.socket.end(Buffer.alloc(total, 'u'));
  await new Promise<void>((resolve) => client.socket.once('finish', () => resolve()));
  client.socket.resetAndDestroy();
  server.socket.write('nobody will read this');
  server.socket.resume();
  await origin.until(() => server.received.length === total || server.socket.destroyed, 20_000);
  server.socket.end();
  await ended(harness);
  // A reset may overtake what the kernel still had; what had reached the proxy is never less than a read.
  assert.ok(server.received.length > 0);
});

test('a client that ends before its upstream is connected is served', async (t) => {
  const origin = await RawOrigin.start(() => {});
  const harness = new ProxyHarness();
  t.after(async () => {
    await harness.close();
    await origin.close();
  });
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(tcpProxy('origin'))])],
      clusters: [cluster('origin', [endpoint(origin.port)])],
    }),
  );
  for (let round = 0; round < 20; round += 1) {
    const client = await RawClient.connect(harness.port());
    client.socket.end('quick');
    await origin.until(() => origin.connections[round]?.ended === true);
    assert.equal(origin.connections[round]?.received.toString(), 'quick');
    origin.connections[round]?.socket.end(`answer ${round}`);
    await client.untilEnd();
    assert.equal(client.text, `answer ${round}`);
  }
});

test('a connection ends at its maximum age, busy or not', async (t) => {
  const { harness, client } = await relay(t, { maxConnectionDurationMs: 60 });
  const busy = setInterval(() => client.send('x'), 5);
  t.after(() => clearInterval(busy));
  await client.untilEnd();
  assert.deepEqual(await ended(harness), { flags: 'DT', details: 'max_connection_duration' });
});

test('bytes that move push the idle timeout on', async (t) => {
  const { harness, client, server } = await relay(t, { idleTimeoutMs: 150 });
  for (let round = 0; round < 8; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    (round % 2 === 0 ? client.socket : server.socket).write('x');
  }
  assert.equal(harness.tcpEnds.length, 0);
  await client.untilEnd();
  assert.equal((await ended(harness)).details, 'idle_timeout');
});

test('what a client sends before its upstream is there is bounded, and arrives in order', async (t) => {
  const { origin, client, server } = await relay(t);
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
  client.socket.end(bytes);
  await origin.until(() => server.ended, 20_000);
  assert.deepEqual(server.received, bytes);
});

test('bulk data goes both ways at once unharmed, in reads of every size', async (t) => {
  const { origin, client, server } = await relay(t);
  const sizes = [1, 100, 8 * 1024, 32 * 1024, 64 * 1024, 128 * 1024, 300 * 1024, 1_000_000];
  let next = 0;
  const piece = (size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; at += 1) {
      bytes[at] = (next + at * 31) & 0xff;
    }
    next += 1;
    return bytes;
  };
  const up: Buffer[] = [];
  const down: Buffer[] = [];
  for (let round = 0; round < 4; round += 1) {
    for (const size of sizes) {
      const one = piece(size);
      const other = piece(size);
      up.push(one);
      down.push(other);
      client.socket.write(one);
      server.socket.write(other);
      if (round % 2 === 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
  client.socket.end();
  server.socket.end();
  await origin.until(() => server.ended, 20_000);
  await client.untilEnd(20_000);
  assert.ok(server.received.equals(Buffer.concat(up)));
  assert.ok(client.received.equals(Buffer.concat(down)));
});
