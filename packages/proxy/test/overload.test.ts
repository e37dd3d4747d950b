import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { test } from 'node:test';
import { systemClock } from '@weft/base';
import { OverloadBit, OverloadState } from '../src/overload/overload-state.ts';
import { ResponseFlag } from '../src/response-flag.ts';
import type { TcpProxyConfig } from '../src/runtime-config/config.ts';
import { chain, cluster, endpoint, listener, noEdits, runtimeConfig } from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { answering, okResponse, RawClient, RawOrigin } from './support/raw-peer.ts';
import { get, getOnce, SimpleProxy } from './support/simple-proxy.ts';

test('stop_accepting_requests: 503 with OM, and the upstream sees nothing', async (t) => {
  const overload = new OverloadState();
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), dataPlane: { overload } });
  overload.active = OverloadBit.refuseRequests;
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /^HTTP\/1\.1 503 [\s\S]*x-envoy-overloaded: true[\s\S]*\r\n\r\noverloaded$/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.flags, 'OM');
  assert.equal(seen.details, 'overload');
  assert.equal(proxy.origin.connections.length, 0);
  assert.equal(overload.taken['envoy.overload_actions.stop_accepting_requests'], 1);
  overload.active = 0;
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 200/);
});

test('shedding refuses the share that it should, of default priority only', async (t) => {
  const overload = new OverloadState();
  overload.active = OverloadBit.shedLowPriority;
  overload.shedShare = 0.25;
  let draw = 0;
  const random = (): number => {
    draw += 1;
    return (draw % 4) / 4;
  };
  const dataPlane = { overload, random };
  const low = await SimpleProxy.start(t, { onData: answering(okResponse), dataPlane });
  const statuses: string[] = [];
  for (let count = 0; count < 8; count += 1) {
    draw = count;
    statuses.push((await low.exchange(getOnce())).slice(9, 12));
  }
  assert.equal(statuses.filter((status) => status === '503').length, 2);
  overload.shedShare = 1;
  const high = await SimpleProxy.start(t, { onData: answering(okResponse), dataPlane, forward: { priority: 'high' } });
  assert.match(await high.exchange(getOnce()), /^HTTP\/1\.1 200/);
  assert.match(await low.exchange(getOnce()), /^HTTP\/1\.1 503/);
  assert.equal((await low.harness.ended(9)).flags, 'OM');
  assert.equal(overload.taken['weft.overload_actions.shed_low_priority_requests'], 3);
});

test('disable_http_keepalive: the response says close and the connection ends', async (t) => {
  const overload = new OverloadState();
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), dataPlane: { overload } });
  const client = await proxy.client();
  client.send(get());
  await client.untilText('ok');
  overload.active = OverloadBit.noKeepalive;
  client.send(get());
  await client.untilEnd();
  assert.match(client.text, /connection: close\r\n[\s\S]*ok$/);
  assert.equal(overload.taken['envoy.overload_actions.disable_http_keepalive'], 1);
});

test('stop_accepting_connections: a new connection is closed, those there go on', async (t) => {
  const overload = new OverloadState();
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), dataPlane: { overload } });
  const before = await proxy.client();
  before.send(get());
  await before.untilText('ok');
  overload.active = OverloadBit.refuseConnections;
  const refused = await proxy.client();
  await refused.untilEnd();
  before.received = Buffer.alloc(0);
  before.send(get());
  await before.untilText('ok');
  assert.equal(overload.taken['envoy.overload_actions.stop_accepting_connections'], 1);
});

test('reduce_timeouts: idle connections and stalled requests end early, busy ones do not', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (!connection.received.includes('/stalled')) {
        answering(okResponse)(connection);
      }
    },
    manager: { idleTimeoutMs: 60_000, streamIdleTimeoutMs: 60_000 },
  });
  const idle = await proxy.client();
  idle.send(get());
  await idle.untilText('ok');
  const stalled = await proxy.client();
  stalled.send(get('/stalled'));
  await proxy.origin.until(() => proxy.origin.received.includes('/stalled'));
  assert.equal(proxy.harness.dataPlane.relief.closeIdle(1), 0);
  assert.equal(proxy.harness.dataPlane.relief.closeIdle(0), 2);
  await idle.untilEnd();
  await stalled.untilText('stream timeout');
  assert.equal((await proxy.harness.ended(2)).flags, 'SI');
});

test('reset_high_memory_stream: the request that holds most is given up, with OM', async (t) => {
  const big = `HTTP/1.1 200 OK\r\nContent-Length: ${64 << 20}\r\n\r\n`;
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (connection.received.includes('/big')) {
        connection.socket.write(big);
        connection.socket.write(Buffer.alloc(16 << 20));
      } else {
        answering(okResponse)(connection);
      }
    },
  });
  const { relief } = proxy.harness.dataPlane;
  const small = await proxy.client();
  small.send(get());
  await small.untilText('ok');
  const reader = await proxy.client();
  reader.socket.pause();
  reader.send(get('/big'));
  let reset = 0;
  for (let tries = 0; tries < 1000 && reset === 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    reset = relief.resetLargest(5);
  }
  assert.equal(reset, 1);
  const seen = await proxy.harness.ended(2);
  assert.equal(seen.path, '/big');
  assert.equal(seen.flags, 'OM');
  assert.equal(seen.details, 'overload');
  small.received = Buffer.alloc(0);
  small.send(get());
  await small.untilText('ok');
  assert.equal(relief.resetLargest(5), 0);
});

test('at the limit of connections those that nobody uses make room; when all are in use a new one is closed', async (t) => {
  let ahead = 0;
  const clock = {
    ...systemClock,
    now: () => Date.now() + ahead,
    monotonicMs: () => performance.now() + ahead,
  };
  const overload = new OverloadState();
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (!connection.received.includes('/held')) {
        answering(okResponse)(connection);
      }
    },
    dataPlane: { clock, overload, maxConnections: 3 },
  });
  const [first, second, third] = [await proxy.client(), await proxy.client(), await proxy.client()];
  for (const client of [first, second, third]) {
    client.send(get());
    await client.untilText('ok');
  }
  const tooSoon = await proxy.client();
  await tooSoon.untilEnd();
  second.received = Buffer.alloc(0);
  ahead = 5000;
  second.send(get());
  await second.untilText('ok');
  third.send(get('/held'));
  await proxy.origin.until(() => proxy.origin.received.includes('/held'));
  const fourth = await proxy.client();
  fourth.send(get());
  await fourth.untilText('ok');
  await first.untilEnd();
  const fifth = await proxy.client();
  await fifth.untilEnd();
  assert.equal(second.ended || third.ended || fourth.ended, false);
  assert.equal(overload.taken['envoy.overload_actions.reduce_timeouts'], 1);
  assert.equal(overload.taken['envoy.overload_actions.stop_accepting_connections'], 2);
});

test('TCP connections count as well: idle ones end early, what is not read is given up with OM', async (t) => {
  const origin = await RawOrigin.start((connection) => {
    if (connection.received.includes('big')) {
      connection.socket.write(Buffer.alloc(16 << 20));
    }
  });
  t.after(() => origin.close());
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  const filter: TcpProxyConfig = {
    kind: 'tcp-proxy',
    statPrefix: 'tcp',
    clusters: [{ cluster: 'origin', weight: 1, headers: noEdits }],
    idleTimeoutMs: 60_000,
    maxConnectionDurationMs: 0,
    maxConnectAttempts: 1,
    accessLogs: [],
  };
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(filter)])],
      clusters: [cluster('origin', [endpoint(origin.port)])],
    }),
  );
  const { relief } = harness.dataPlane;
  const greedy = await RawClient.connect(harness.port());
  t.after(() => greedy.close());
  greedy.socket.pause();
  greedy.send('big');
  let reset = 0;
  for (let tries = 0; tries < 1000 && reset === 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    reset = relief.resetLargest(5);
  }
  await harness.until(() => harness.tcpEnds.length === 1);
  assert.equal(harness.tcpEnds[0]?.connectionTerminationDetails, 'overload');
  assert.equal(harness.tcpEnds[0]?.responseFlags, ResponseFlag.OM);
  const idle = await RawClient.connect(harness.port());
  t.after(() => idle.close());
  idle.send('hello');
  await origin.until(() => origin.received.includes('hello'));
  assert.equal(relief.closeIdle(1), 0);
  assert.equal(relief.closeIdle(0), 1);
  await harness.until(() => harness.tcpEnds.length === 2);
  assert.equal(harness.tcpEnds[1]?.connectionTerminationDetails, 'idle_timeout');
});

test('HTTP/2: streams whose window stays shut are given up, the others of the connection go on', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      const text = connection.received.toString('latin1');
      connection.received = Buffer.alloc(0);
      if (text.includes('/big')) {
        connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1 << 20}\r\n\r\n`);
        connection.socket.write(Buffer.alloc(1 << 20));
      } else {
        connection.socket.write(okResponse);
      }
    },
  });
  const { relief } = proxy.harness.dataPlane;
  const session = connectHttp2(`http://127.0.0.1:${proxy.port}`, { settings: { initialWindowSize: 0 } });
  t.after(() => session.destroy());
  session.on('error', () => {});
  const stalled = [1, 2, 3, 4].map(() => session.request({ ':path': '/big' }));
  const ends = stalled.map(
    (stream) =>
      new Promise<void>((resolve) => {
        stream.on('error', () => {});
        stream.on('close', () => resolve());
      }),
  );
  await Promise.all(stalled.map((stream) => new Promise((resolve) => stream.once('response', resolve))));
  let reset = 0;
  for (let tries = 0; tries < 1000 && reset === 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    reset = relief.resetLargest(5);
  }
  assert.equal(reset, 1);
  await Promise.all(ends);
  const seen = await proxy.harness.ended(4);
  assert.equal(seen.flags, 'OM');
  assert.equal(session.closed || session.destroyed, false);
  session.settings({ initialWindowSize: 65_535 });
  const next = session.request({ ':path': '/' });
  const [status] = await new Promise<[number | undefined]>((resolve) =>
    next.once('response', (fields) => resolve([fields[':status']])),
  );
  assert.equal(status, 200);
  next.resume();
});
