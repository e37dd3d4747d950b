import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, type TestContext, test } from 'node:test';
import { SidecarPair, startProxy } from './support/http-route.ts';
import type { ProxyHarness } from './support/proxy-harness.ts';
import { RawClient } from './support/raw-peer.ts';
import { TestCa } from './support/test-ca.ts';

/** WebSocket and CONNECT from each protocol to each: as upgrade in HTTP/1.1, as extended CONNECT (RFC 8441) in HTTP/2. */

interface TunnelOrigin {
  readonly port: number;
  /** Gives the next tunnel and what was asked for it. */
  next(): Promise<{ readonly stream: Duplex; readonly fields: Readonly<Record<string, unknown>> }>;
}

type Asked = Awaited<ReturnType<TunnelOrigin['next']>>;

class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  push(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#items.push(item);
    } else {
      waiting(item);
    }
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
}

const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

async function http1Origin(t: TestContext): Promise<TunnelOrigin> {
  const queue = new Queue<Asked>();
  const server = http.createServer((_request, response) => response.end('no tunnel'));
  server.on('upgrade', (request, stream, head) => {
    stream.on('error', () => {});
    const accept = acceptOf(request.headers['sec-websocket-key'] ?? '');
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    stream.unshift(head);
    queue.push({ stream, fields: request.headers });
  });
  server.on('connect', (request, stream, head) => {
    stream.on('error', () => {});
    stream.write('HTTP/1.1 200 OK\r\n\r\n');
    stream.unshift(head);
    queue.push({ stream, fields: { ...request.headers, target: request.url } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, next: () => queue.next() };
}

async function http2Origin(t: TestContext): Promise<TunnelOrigin> {
  const queue = new Queue<Asked>();
  const server = http2.createServer({ settings: { enableConnectProtocol: true } });
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, fields) => {
    stream.on('error', () => {});
    if (fields[':method'] !== 'CONNECT') {
      stream.respond({ ':status': 200 });
      stream.end('no tunnel');
      return;
    }
    stream.respond({ ':status': 200 });
    queue.push({ stream, fields });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const session of sessions) {
      session.destroy();
    }
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, next: () => queue.next() };
}

const key = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Opens a tunnel as a client of HTTP/1.1 does. */
async function http1Tunnel(t: TestContext, port: number, connect: boolean): Promise<{ stream: Duplex; head: string }> {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(
    connect
      ? 'CONNECT db.test:5432 HTTP/1.1\r\nHost: db.test:5432\r\n\r\n'
      : `GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    head += await new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString('latin1'))));
  }
  const end = head.indexOf('\r\n\r\n') + 4;
  socket.pause();
  if (end < head.length) {
    socket.unshift(Buffer.from(head.slice(end), 'latin1'));
  }
  return { stream: socket, head: head.slice(0, end) };
}

/** Opens a tunnel as a client of HTTP/2 does. */
async function http2Tunnel(t: TestContext, port: number, connect: boolean): Promise<{ stream: Duplex; head: string }> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  if (!connect) {
    await new Promise((resolve) => session.once('remoteSettings', resolve));
  }
  const stream = session.request(
    connect
      ? { ':method': 'CONNECT', ':authority': 'db.test:5432' }
      : {
          ':method': 'CONNECT',
          ':protocol': 'websocket',
          ':scheme': 'http',
          ':path': '/chat',
          ':authority': 'a.test',
          'sec-websocket-version': '13',
        },
    { endStream: false },
  );
  stream.on('error', () => {});
  const head = await new Promise<http2.IncomingHttpHeaders>((resolve) => stream.once('response', resolve));
  return { stream, head: JSON.stringify(head) };
}

/** Reads exactly so many bytes. */
async function take(stream: Duplex, count: number): Promise<string> {
  let text = '';
  while (text.length < count) {
    const bytes = stream.read() as Buffer | null;
    if (bytes === null) {
      await new Promise((resolve) => stream.once('readable', resolve));
    } else {
      text += bytes.toString('latin1');
    }
  }
  return text;
}

/** Reads on to the end; the other direction stays open. */
function rest(stream: Duplex): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stream.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    stream.on('end', () => resolve(text));
    stream.resume();
  });
}

for (const down of ['http1', 'http2'] as const) {
  for (const up of ['http1', 'http2'] as const) {
    for (const alpn of [undefined, 'weft-h2', 'http/1.1']) {
      describe(`${down}${alpn === undefined ? '' : ` by ${alpn}`} to ${up}`, () => {
        let ca: TestCa;
        before(async () => {
          ca = await TestCa.create();
        });
        after(() => ca.close());

        async function open(
          t: TestContext,
          connect: boolean,
        ): Promise<{ client: Duplex; head: string; asked: Asked; proxy: ProxyHarness }> {
          const origin = await (up === 'http1' ? http1Origin(t) : http2Origin(t));
          const options = {
            upstream: up,
            originPorts: [origin.port],
            manager: { upgrades: ['websocket', 'CONNECT'] },
          } as const;
          const proxy =
            alpn === undefined
              ? await startProxy(t, options)
              : (await SidecarPair.start(t, ca, [alpn], options)).client;
          const next = origin.next();
          const opened = await (down === 'http1'
            ? http1Tunnel(t, proxy.port(), connect)
            : http2Tunnel(t, proxy.port(), connect));
          return { client: opened.stream, head: opened.head, asked: await next, proxy };
        }

        test('a WebSocket is opened, echoes, and its client ends first', { timeout: 10_000 }, async (t) => {
          const { client, head, asked, proxy } = await open(t, false);
          if (down === 'http1') {
            assert.match(head, /^HTTP\/1\.1 101 /);
            assert.match(head, /upgrade: websocket\r\n/i);
            assert.ok(head.includes(acceptOf(key)), head);
          } else {
            assert.match(head, /":status":200/);
            assert.doesNotMatch(head, /upgrade|connection|accept/i);
          }
          if (up === 'http1') {
            assert.match(String(asked.fields['sec-websocket-key']), /^[A-Za-z0-9+/]{22}==$/);
            assert.equal(asked.fields['upgrade'], 'websocket');
          } else {
            assert.equal(asked.fields[':protocol'], 'websocket');
            assert.equal(asked.fields[':path'], '/chat');
          }
          client.write('ping');
          assert.equal(await take(asked.stream, 4), 'ping');
          asked.stream.write('pong');
          assert.equal(await take(client, 4), 'pong');
          client.end('bye');
          assert.equal(await rest(asked.stream), 'bye');
          asked.stream.end('last words');
          assert.equal(await rest(client), 'last words');
          const seen = await proxy.ended();
          assert.equal(seen.code, 101);
          assert.equal(seen.upgraded, true);
          assert.equal(seen.flags, '-');
        });

        test('the origin of a CONNECT ends first, and still hears its client', { timeout: 10_000 }, async (t) => {
          const { client, asked, proxy } = await open(t, true);
          // Begun first: Node's HTTP/2 resets a stream that has ended and was never read.
          const heard = rest(asked.stream);
          asked.stream.end('all that I have');
          assert.equal(await rest(client), 'all that I have');
          client.write('but I ');
          client.end('go on');
          assert.equal(await heard, 'but I go on');
          assert.equal((await proxy.ended()).flags, '-');
        });
      });
    }
  }
}

test('an origin that answers an upgrade with a page: no client of HTTP/2 takes it for a tunnel', async (t) => {
  const origin = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage'));
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  t.after(() => origin.close());
  const proxy = await startProxy(t, {
    upstream: 'http1',
    originPorts: [(origin.address() as AddressInfo).port],
    manager: { upgrades: ['websocket'] },
  });
  const { stream, head } = await http2Tunnel(t, proxy.port(), false);
  assert.match(head, /":status":502/);
  stream.destroy();
});

test('an upstream without extended CONNECT refuses the upgrade, once', async (t) => {
  const server = http2.createServer();
  let streams = 0;
  server.on('stream', () => {
    streams += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [(server.address() as AddressInfo).port],
    manager: { upgrades: ['websocket'] },
  });
  const client = await RawClient.connect(proxy.port());
  t.after(() => client.close());
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n');
  await client.untilText('HTTP/1.1 502');
  assert.equal((await proxy.ended()).attempts, 1);
  assert.equal(streams, 0);
  await proxy.close();
});
