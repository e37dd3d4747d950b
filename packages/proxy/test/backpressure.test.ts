import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasHead } from './support/raw-peer.ts';
import { getOnce, SimpleProxy } from './support/simple-proxy.ts';

const total = 24 * 1024 * 1024;
const piece = Buffer.alloc(256 * 1024, 'z');

test('a client that does not read holds the upstream up, and gets everything later', async (t) => {
  let written = 0;
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (!hasHead(connection.received) || written > 0) {
        return;
      }
      connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      while (written < total) {
        written += piece.length;
        connection.socket.write(piece);
      }
    },
    cluster: { bufferLimitBytes: 128 * 1024 },
    forward: { timeoutMs: 0 },
  });
  const client = await proxy.client();
  client.socket.pause();
  client.send(getOnce());
  await proxy.origin.until(() => written === total);
  const sender = proxy.origin.connections[0]?.socket;
  await settled(() => sender?.writableLength ?? 0);
  assert.ok((sender?.writableLength ?? 0) > total / 4, 'the upstream still has most of it');
  let received = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (bytes) => {
    received += bytes.length;
  });
  client.socket.resume();
  await client.untilEnd(20_000);
  assert.ok(received > total);
  assert.equal((await proxy.harness.ended()).bytesSent, total);
});

test('an upstream that does not read holds the client up', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      connection.socket.pause();
    },
    cluster: { bufferLimitBytes: 128 * 1024 },
    forward: { timeoutMs: 0 },
  });
  const client = await proxy.client();
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
  for (let sent = 0; sent < total; sent += piece.length) {
    client.send(piece);
  }
  await settled(() => client.socket.writableLength);
  assert.ok(client.socket.writableLength > total / 4, 'the client still has most of it');
  const origin = proxy.origin.connections[0];
  assert.ok(origin !== undefined);
  let received = 0;
  origin.socket.removeAllListeners('data');
  origin.socket.on('data', (bytes) => {
    received += bytes.length;
    if (received >= total - 100_000 && origin.socket.writable) {
      origin.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    }
  });
  origin.socket.resume();
  await client.untilText('HTTP/1.1 200 OK', 20_000);
});

/** Waits until a number stays the same for a while. */
async function settled(read: () => number): Promise<void> {
  let last = -1;
  for (let same = 0; same < 10; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
}
