import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { type TestContext, test } from 'node:test';
import { frame, parseFrames, preface, Type } from '../../http-codec/test/hand-made-frames.ts';
import { breakers, http2Options } from './support/configs.ts';
import { HttpClient, Origin, received } from './support/http-peers.ts';
import { startProxy } from './support/http-route.ts';
import { RawClient, RawOrigin } from './support/raw-peer.ts';

/** What becomes of HTTP/2 connections: how many there are, and when they end. */

/** Types of the frames that came, in order. */
function frameTypes(bytes: Buffer): number[] {
  return parseFrames(bytes).map(({ type }) => type);
}

/** An origin that answers when it is told, so that requests pile up. */
async function holdingOrigin(t: TestContext): Promise<{ origin: Origin; waiting: () => number; release: () => void }> {
  const held: (() => void)[] = [];
  const origin = await Origin.start(t, 'http2', async (request, response) => {
    await received(request);
    held.push(() => response.end('done'));
  });
  return {
    origin,
    waiting: () => held.length,
    release: () => {
      for (const answer of held.splice(0)) {
        answer();
      }
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    assert.ok(waited < 10_000, 'gave up waiting');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('another connection is opened when the streams of one are used up', async (t) => {
  const { origin, waiting, release } = await holdingOrigin(t);
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [origin.port],
    upstreamHttp: { http2: http2Options({ maxConcurrentStreams: 2 }) },
  });
  const client = new HttpClient(t, 'http2', proxy.port());
  const answers = Array.from({ length: 6 }, () => client.ask());
  await until(() => waiting() === 6);
  assert.equal(origin.connections, 3);
  release();
  for (const answer of await Promise.all(answers)) {
    assert.equal(answer.status, 200);
  }
  // Those that are there are used again.
  const again = Array.from({ length: 6 }, () => client.ask());
  await until(() => waiting() === 6);
  release();
  await Promise.all(again);
  assert.equal(origin.connections, 3);
});

test('the limit that the origin tells is kept', async (t) => {
  const held: (() => void)[] = [];
  const origin = await Origin.start(
    t,
    'http2',
    async (request, response) => {
      await received(request);
      held.push(() => response.end());
    },
    { settings: { maxConcurrentStreams: 3 } },
  );
  const proxy = await startProxy(t, { upstream: 'http2', originPorts: [origin.port] });
  const client = new HttpClient(t, 'http2', proxy.port());
  // The first one learns the limit.
  const first = client.ask();
  await until(() => held.length === 1);
  held.pop()?.();
  await first;
  const answers = Array.from({ length: 9 }, () => client.ask({ method: 'POST' }));
  await until(() => held.length === 9);
  assert.equal(origin.connections, 3);
  for (const answer of held) {
    answer();
  }
  assert.ok((await Promise.all(answers)).every(({ status }) => status === 200));
});

test('breakers: one connection, so requests wait; too many of them overflow; too many at once too', async (t) => {
  const { origin, waiting, release } = await holdingOrigin(t);
  const limited = await startProxy(t, {
    upstream: 'http2',
    originPorts: [origin.port],
    upstreamHttp: { http2: http2Options({ maxConcurrentStreams: 2 }) },
    cluster: { circuitBreakers: breakers({ maxConnections: 1, maxPendingRequests: 3 }) },
  });
  const client = new HttpClient(t, 'http2', limited.port());
  const first = [client.ask(), client.ask()];
  await until(() => waiting() === 2);
  const more = Array.from({ length: 5 }, () => client.ask());
  await until(() => limited.requests.length === 2);
  assert.ok(limited.requests.every(({ flags, code }) => flags === 'UO' && code === 503));
  assert.equal(origin.connections, 1);
  release();
  await Promise.all(first);
  await until(() => waiting() === 2);
  release();
  await until(() => waiting() === 1);
  release();
  const statuses = (await Promise.all(more)).map(({ status }) => status).sort();
  assert.deepEqual(statuses, [200, 200, 200, 503, 503]);

  const few = await startProxy(t, {
    upstream: 'http2',
    originPorts: [origin.port],
    cluster: { circuitBreakers: breakers({ maxRequests: 2 }) },
  });
  const other = new HttpClient(t, 'http2', few.port());
  const two = [other.ask(), other.ask()];
  await until(() => waiting() === 2);
  assert.equal((await other.ask()).status, 503);
  release();
  assert.ok((await Promise.all(two)).every(({ status }) => status === 200));
});

test('a connection that has carried its requests, or has lived its time, is followed by another', async (t) => {
  const origin = await Origin.start(t, 'http2', (_request, response) => response.end());
  const worn = await startProxy(t, {
    upstream: 'http2',
    originPorts: [origin.port],
    upstreamHttp: { maxRequestsPerConnection: 3 },
  });
  const client = new HttpClient(t, 'http2', worn.port());
  for (let count = 0; count < 7; count += 1) {
    assert.equal((await client.ask()).status, 200);
  }
  assert.equal(origin.connections, 3);
  await until(() => origin.sessions.size === 1);
  const aged = await startProxy(t, {
    upstream: 'http2',
    originPorts: [origin.port],
    upstreamHttp: { maxConnectionDurationMs: 50 },
  });
  const other = new HttpClient(t, 'http2', aged.port());
  await other.ask();
  assert.equal(origin.connections, 4);
  await until(() => origin.sessions.size === 1);
  await other.ask();
  assert.equal(origin.connections, 5);
});

test('an idle upstream connection ends', async (t) => {
  const origin = await Origin.start(t, 'http2', (_request, response) => response.end());
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [origin.port],
    upstreamHttp: { idleTimeoutMs: 50 },
  });
  await new HttpClient(t, 'http2', proxy.port()).ask();
  assert.equal(origin.sessions.size, 1);
  await until(() => origin.sessions.size === 0);
});

test('a client is told to go away: by the number of requests, the age, the idle time and a drain', async (t) => {
  const { origin, waiting, release } = await holdingOrigin(t);
  const told = async (
    manager: NonNullable<Parameters<typeof startProxy>[1]['manager']>,
    drain = false,
  ): Promise<void> => {
    const proxy = await startProxy(t, { upstream: 'http2', originPorts: [origin.port], manager });
    const client = new HttpClient(t, 'http2', proxy.port());
    const { session } = client;
    let codes: number[] = [];
    session.on('goaway', (code) => {
      codes = [...codes, code];
    });
    const under = client.ask();
    await until(() => waiting() === 1);
    const draining = drain ? proxy.dataPlane.drain(5000) : Promise.resolve();
    if (manager.idleTimeoutMs === undefined) {
      await until(() => codes.length > 0);
    }
    release();
    assert.equal((await under).status, 200);
    await until(() => session.destroyed);
    await draining;
    assert.ok(codes.length > 0 && codes.every((code) => code === 0), JSON.stringify(codes));
  };
  await told({ maxConnectionDurationMs: 50 });
  await told({ idleTimeoutMs: 50 });
  await told({}, true);
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [origin.port],
    manager: { maxRequestsPerConnection: 2 },
  });
  const client = new HttpClient(t, 'http2', proxy.port());
  const { session } = client;
  const answers = [client.ask(), client.ask()];
  await until(() => waiting() === 2);
  release();
  assert.ok((await Promise.all(answers)).every(({ status }) => status === 200));
  await until(() => session.destroyed);
});

test('peers that do not answer a PING are given up', async (t) => {
  const keepalive = http2Options({ keepaliveIntervalMs: 30, keepaliveTimeoutMs: 30 });
  const origin = await RawOrigin.start((connection) => {
    if (connection.received.length > 0 && connection.socket.bytesWritten === 0) {
      connection.socket.write(frame(4, 0, 0));
    }
  });
  t.after(() => origin.close());
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [origin.port],
    upstreamHttp: { http2: keepalive },
    manager: { http2: keepalive },
  });
  const client = new HttpClient(t, 'http1', proxy.port());
  assert.equal((await client.ask()).status, 503);
  assert.ok(
    frameTypes((origin.connections[0]?.received ?? Buffer.alloc(0)).subarray(preface.length)).includes(Type.ping),
  );
  const mute = await RawClient.connect(proxy.port());
  t.after(() => mute.close());
  mute.send(Buffer.concat([preface, frame(4, 0, 0)]));
  await mute.untilEnd();
  assert.ok(frameTypes(mute.received).includes(Type.ping));
  assert.equal(proxy.dataPlane.downstreamHttp().http2.keepaliveTimeout, 1);
  assert.equal(proxy.dataPlane.clusters()[0]?.http2.keepaliveTimeout, 1);
  // One that answers stays.
  const good = new HttpClient(t, 'http2', proxy.port());
  const { session } = good;
  await new Promise((resolve) => session.once('connect', resolve));
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(session.destroyed, false);
});

test('the upstream speaks what the client speaks, where the cluster says so', async (t) => {
  const seen = await RawOrigin.start(() => {});
  t.after(() => seen.close());
  const proxy = await startProxy(t, {
    upstream: 'use-downstream',
    originPorts: [seen.port],
    forward: { timeoutMs: 200 },
  });
  const client = await RawClient.connect(proxy.port());
  t.after(() => client.close());
  client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
  await seen.until(() => seen.received.includes('GET /first HTTP/1.1\r\n'));
  void new HttpClient(t, 'http2', proxy.port()).ask();
  await seen.until(() => seen.received.includes('PRI * HTTP/2.0\r\n'));
  assert.equal(seen.connections.length, 2);
});

test('a listener of one protocol takes no other', async (t) => {
  const origin = await Origin.start(t, 'http1', (_request, response) => response.end('ok'));
  const one = await startProxy(t, { upstream: 'http1', originPorts: [origin.port], manager: { codec: 'http1' } });
  const first = await RawClient.connect(one.port());
  t.after(() => first.close());
  first.send(Buffer.concat([preface, frame(4, 0, 0)]));
  await first.untilEnd();
  assert.match(first.text, /^HTTP\/1\.1 (400|505)/);
  const two = await startProxy(t, { upstream: 'http1', originPorts: [origin.port], manager: { codec: 'http2' } });
  const second = await RawClient.connect(two.port());
  t.after(() => second.close());
  second.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await second.untilEnd();
  assert.ok(frameTypes(second.received).includes(Type.goaway));
  assert.equal((await two.ended()).details, 'http2.protocol_error');
});

test('a preface that comes in pieces is HTTP/2, what only begins like one is HTTP/1.1', async (t) => {
  const origin = await Origin.start(t, 'http1', (request, response) => response.end(request.method));
  const proxy = await startProxy(t, {
    upstream: 'http1',
    originPorts: [origin.port],
    manager: { requestHeadersTimeoutMs: 100 },
  });
  const slow = await RawClient.connect(proxy.port());
  t.after(() => slow.close());
  for (const byte of preface) {
    slow.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  slow.send(frame(4, 0, 0));
  await slow.until(() => frameTypes(slow.received).includes(4));
  const other = await RawClient.connect(proxy.port());
  t.after(() => other.close());
  other.send('PR');
  await new Promise((resolve) => setTimeout(resolve, 20));
  other.send('OPFIND / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await other.untilEnd();
  assert.match(other.text, /^HTTP\/1\.1 200 OK[\s\S]*PROPFIND$/);
  const stalled = await RawClient.connect(proxy.port());
  t.after(() => stalled.close());
  stalled.send('PRI ');
  await stalled.untilEnd();
  assert.match(stalled.text, /^HTTP\/1\.1 408 /);
});

test('a client of HTTP/1.1 upgrades to HTTP/2 with its first request', async (t) => {
  const origin = await Origin.start(t, 'http1', (request, response) =>
    response.end(`${request.method} ${request.url} ${JSON.stringify(Object.keys(request.headers).sort())}`),
  );
  const proxy = await startProxy(t, { upstream: 'http1', originPorts: [origin.port] });
  const client = await RawClient.connect(proxy.port());
  t.after(() => client.close());
  const settings = 'AAMAAABkAAQCAAAAAAIAAAAA';
  client.send(
    `GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: ${settings}\r\n\r\n`,
  );
  client.send(Buffer.concat([preface, frame(4, 0, 0)]));
  await client.untilText('GET /up');
  assert.match(client.text, /^HTTP\/1\.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n/);
  assert.doesNotMatch(client.text.slice(client.text.indexOf('GET /up')), /upgrade|http2-settings|connection/);
  const frames = client.received.subarray(client.received.indexOf('\r\n\r\n') + 4);
  assert.equal(frames[3], 4, 'SETTINGS come first');
  assert.equal((await proxy.ended()).path, '/up');
  // An offer that is not made as it should be is ignored.
  const invalid = await RawClient.connect(proxy.port());
  t.after(() => invalid.close());
  invalid.send(
    'GET /no HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\n',
  );
  await invalid.untilEnd();
  assert.match(invalid.text, /^HTTP\/1\.1 200 OK/);
});

test('what a client does wrong on its connection stands in the log', async (t) => {
  const { origin, waiting } = await holdingOrigin(t);
  const proxy = await startProxy(t, { upstream: 'http2', originPorts: [origin.port] });
  const client = new HttpClient(t, 'http2', proxy.port());
  void client.ask().catch(() => {});
  await until(() => waiting() === 1);
  const { session } = client;
  const raw = await RawClient.connect(proxy.port());
  t.after(() => raw.close());
  raw.send(Buffer.concat([preface, frame(4, 0, 0), frame(0, 0, 1, Buffer.from('data for nothing'))]));
  await raw.untilEnd();
  assert.ok(frameTypes(raw.received).includes(Type.goaway));
  const seen = await proxy.ended();
  assert.equal(seen.flags, 'DPE');
  assert.equal(seen.details, 'http2.protocol_error');
  assert.equal(seen.protocol, 'HTTP/2');
  assert.equal(seen.code, 0);
  session.destroy();
  const gone = await proxy.ended(2);
  assert.equal(gone.details, 'downstream_remote_disconnect');
});

test('too large a head is answered, and the connection goes on', async (t) => {
  const origin = await Origin.start(t, 'http1', (_request, response) => response.end('ok'));
  const proxy = await startProxy(t, {
    upstream: 'http1',
    originPorts: [origin.port],
    manager: { maxRequestHeadersKb: 8 },
  });
  const client = new HttpClient(t, 'http2', proxy.port());
  assert.equal((await client.ask({ headers: { 'x-big': 'b'.repeat(12_000) } })).status, 431);
  assert.equal((await client.ask()).status, 200);
  assert.equal((await proxy.ended(2)).code, 200);
  assert.equal(proxy.requests[0]?.details, 'http2.headers_too_large');
});

test('what is kept for clients that keep their windows shut is seen by the overload manager, which can free it', async (t) => {
  const origin = await Origin.start(t, 'http1', (_request, response) => response.end(Buffer.alloc(300_000)));
  const proxy = await startProxy(t, { upstream: 'http1', originPorts: [origin.port] });
  const session = http2.connect(`http://127.0.0.1:${proxy.port()}`, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  t.after(() => session.destroy());
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  const streams = Array.from({ length: 10 }, () => {
    const stream = session.request({ ':path': '/', ':authority': 'a.test' });
    stream.on('error', () => {});
    return stream;
  });
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('response', resolve))));
  const { http2: counters } = proxy.dataPlane.downstreamHttp();
  await until(() => counters.pendingSendBytes > 500_000);
  assert.ok(counters.pendingSendBytes < 10 * 200_000, String(counters.pendingSendBytes));
  assert.equal(proxy.dataPlane.relief.resetLargest(1), 1);
  await until(() => proxy.requests.length === 10);
  assert.ok(proxy.requests.every(({ flags }) => flags === 'OM'));
  assert.equal(counters.pendingSendBytes, 0);
});
