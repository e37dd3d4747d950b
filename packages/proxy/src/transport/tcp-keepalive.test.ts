import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { findPeer, peerSkip } from '@weft/testkit';
import { keepSocketAlive, setsIntervals } from './tcp-keepalive.ts';

/** Reads the options of the socket that it is given as its standard input: Node cannot. */
const readOptions = `
import socket
s = socket.socket(fileno=0)
names = ['TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT']
print(s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *[s.getsockopt(socket.IPPROTO_TCP, getattr(socket, n)) for n in names])
`;

const skip = setsIntervals ? peerSkip('python3') : 'this Node sets no intervals';

test('the time, the interval and the number of probes arrive at the kernel', { skip }, async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  keepSocketAlive(socket, { timeSec: 40, intervalSec: 7, probes: 3 });
  const child = spawn(findPeer('python3') ?? '', ['-c', readOptions], { stdio: [socket, 'pipe', 'inherit'] });
  assert.ok(child.stdout !== null);
  assert.equal((await text(child.stdout)).trim(), '1 40 7 3');
});
