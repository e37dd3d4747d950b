import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { createWriteRequest, handleOf, lastWriteWasAsync } from './raw-handle.ts';

test('a write that went at once is told from one that is still under way', async (t) => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = await once(server, 'connection');
  await once(socket, 'connect');
  t.after(() => {
    socket.destroy();
    accepted.destroy();
    server.close();
  });
  const handle = handleOf(socket);
  assert.ok(handle !== undefined);
  const piece = new Uint8Array(1024 * 1024);
  const reused = createWriteRequest();
  assert.equal(handle.writeBuffer(reused, piece.subarray(0, 10)), 0);
  assert.equal(lastWriteWasAsync(), false);
  assert.equal(handle.writeBuffer(reused, piece.subarray(0, 10)), 0);
  // Nobody reads: the kernel takes some megabytes at most.
  for (let written = 0; lastWriteWasAsync() === false; written += piece.length) {
    assert.ok(written < 64 * piece.length);
    assert.equal(handle.writeBuffer(createWriteRequest(), piece), 0);
  }
  assert.equal(lastWriteWasAsync(), true);
});
