import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ListenerConfig } from '../src/runtime-config/config.ts';
import {
  assignment,
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
import { answering, okResponse, RawClient, RawOrigin } from './support/raw-peer.ts';
import { get, getOnce } from './support/simple-proxy.ts';
import { tcpTo } from './support/tcp-configs.ts';

async function setUp(t: TestContext): Promise<{ readonly harness: ProxyHarness; readonly origin: RawOrigin }> {
  const origin = await RawOrigin.start(answering(okResponse));
  const harness = new ProxyHarness({ warmingTimeoutMs: 200 });
  t.after(async () => {
    await harness.close();
    await origin.close();
  });
  return { harness, origin };
}

const table = () => routeTable('routes', [virtualHost([route(forwardTo('origin'))])]);

test('a changed listener keeps its socket: clients connect while it changes, and old connections end with a response', async (t) => {
  const { harness, origin } = await setUp(t);
  const routes = [table()];
  const clusters = [cluster('origin', [endpoint(origin.port)])];
  await harness.apply(runtimeConfig({ listeners: [listener([chain(httpManager())])], routes, clusters }));
  const port = harness.port();
  const old = await RawClient.connect(port);
  old.send(get());
  await old.untilText('ok');
  await harness.apply(
    runtimeConfig({ listeners: [listener([chain(httpManager({ serverName: 'new' }))])], routes, clusters }),
  );
  assert.equal(harness.port(), port);
  const fresh = await RawClient.connect(port);
  fresh.send(getOnce());
  await fresh.untilEnd();
  assert.match(fresh.text, /server: new/);
  old.received = Buffer.alloc(0);
  old.send(get());
  await old.untilEnd();
  assert.match(old.text, /^HTTP\/1\.1 200 [\s\S]*server: envoy\r\n[\s\S]*connection: close/);
});

test('an unchanged filter chain keeps its connections when the listener changes', async (t) => {
  const { harness, origin } = await setUp(t);
  const routes = [table()];
  const clusters = [cluster('origin', [endpoint(origin.port)])];
  const same = chain(httpManager());
  await harness.apply(runtimeConfig({ listeners: [listener([same])], routes, clusters }));
  const client = await RawClient.connect(harness.port());
  client.send(get());
  await client.untilText('ok');
  await harness.apply(
    runtimeConfig({ listeners: [listener([same], { listenerFiltersTimeoutMs: 7000 })], routes, clusters }),
  );
  client.received = Buffer.alloc(0);
  client.send(get());
  await client.untilText('ok');
  assert.doesNotMatch(client.text, /connection: close/);
  client.close();
});

test('a changed route table and changed clusters drain nothing', async (t) => {
  const { harness, origin } = await setUp(t);
  const listeners = [listener([chain(httpManager())])];
  const client = await (async () => {
    await harness.apply(
      runtimeConfig({ listeners, routes: [table()], clusters: [cluster('origin', [endpoint(origin.port)])] }),
    );
    return RawClient.connect(harness.port());
  })();
  for (let round = 1; round <= 20; round += 1) {
    client.received = Buffer.alloc(0);
    client.send(get(`/${round}`));
    await harness.apply(
      runtimeConfig({ listeners, routes: [table()], clusters: [cluster('origin', [endpoint(origin.port)])] }),
    );
    await client.untilText('ok');
    assert.match(client.text, /^HTTP\/1\.1 200/);
    assert.doesNotMatch(client.text, /connection: close/);
  }
  client.close();
});

test('a listener waits for its route table and for the endpoints of its clusters', async (t) => {
  const { harness, origin } = await setUp(t);
  const waiting: ListenerConfig = listener([chain(httpManager())]);
  const discovered = cluster('origin', [], { discovery: { kind: 'eds', serviceName: 'origin' } });
  const done = harness.apply(runtimeConfig({ listeners: [waiting], clusters: [discovered] }));
  assert.deepEqual(harness.dataPlane.listeners()[0]?.waitingFor, ['route configuration routes']);
  const routes = [table()];
  void harness.apply(runtimeConfig({ listeners: [waiting], clusters: [discovered], routes }));
  assert.deepEqual(harness.dataPlane.listeners()[0]?.waitingFor, ['cluster origin']);
  await harness.apply(
    runtimeConfig({
      listeners: [waiting],
      clusters: [discovered],
      routes,
      endpoints: [assignment('origin', [endpoint(origin.port)])],
    }),
  );
  assert.deepEqual((await done).failedListeners, []);
  const client = await RawClient.connect(harness.port());
  client.send(getOnce());
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 200/);
});

test('after the warming timeout a listener goes on with what it has', async (t) => {
  const { harness } = await setUp(t);
  const result = await harness.apply(runtimeConfig({ listeners: [listener([chain(httpManager())])] }));
  assert.deepEqual(result.failedListeners, []);
  const client = await RawClient.connect(harness.port());
  client.send(getOnce());
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 404/);
  assert.ok(harness.logs.some(({ level, message }) => level === 'warn' && message.includes('goes on without')));
});

test('a port that is taken is reported with the listener, and the others come up', async (t) => {
  const { harness, origin } = await setUp(t);
  const routes = [table()];
  const clusters = [cluster('origin', [endpoint(origin.port)])];
  const result = await harness.apply(
    runtimeConfig({
      listeners: [
        listener([chain(httpManager())], {
          name: 'taken',
          address: { kind: 'ip', address: '127.0.0.1', port: origin.port },
        }),
        listener([chain(httpManager())]),
      ],
      routes,
      clusters,
    }),
  );
  assert.deepEqual(result.failedListeners, [
    { name: 'taken', reason: `cannot bind 127.0.0.1:${origin.port}: EADDRINUSE` },
  ]);
  assert.ok(harness.port() > 0);
});

test('a removed listener accepts nothing, and lets its requests finish', async (t) => {
  const origin = await RawOrigin.start((connection) => {
    setTimeout(() => connection.socket.write(okResponse), 100);
  });
  const harness = new ProxyHarness();
  t.after(async () => {
    await harness.close();
    await origin.close();
  });
  const routes = [table()];
  const clusters = [cluster('origin', [endpoint(origin.port)])];
  await harness.apply(runtimeConfig({ listeners: [listener([chain(httpManager())])], routes, clusters }));
  const port = harness.port();
  const client = await RawClient.connect(port);
  client.send(get());
  await origin.until(() => origin.received.includes('\r\n\r\n'));
  await harness.apply(runtimeConfig({ routes, clusters }));
  const [status] = harness.dataPlane.listeners();
  assert.equal(status?.state, 'draining');
  assert.equal(status?.connectionsActive, 1);
  await assert.rejects(RawClient.connect(port));
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*ok$/);
  client.close();
  while (harness.dataPlane.listeners().length > 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('drain lets requests finish, ends idle connections and then resolves', async (t) => {
  const origin = await RawOrigin.start((connection) => {
    setTimeout(() => connection.socket.write(okResponse), 150);
  });
  const harness = new ProxyHarness();
  t.after(async () => {
    await harness.close();
    await origin.close();
  });
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager())])],
      routes: [table()],
      clusters: [cluster('origin', [endpoint(origin.port)])],
    }),
  );
  const port = harness.port();
  const idle = await RawClient.connect(port);
  const busy = await RawClient.connect(port);
  busy.send(get());
  await origin.until(() => origin.received.includes('\r\n\r\n'));
  const drained = harness.dataPlane.drain(5000);
  await assert.rejects(RawClient.connect(port));
  await drained;
  await busy.untilEnd();
  assert.match(busy.text, /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*ok$/);
  await idle.untilEnd();
});

test('a changed address: the new socket is there before the old one goes', async (t) => {
  const { harness, origin } = await setUp(t);
  const routes = [table()];
  const clusters = [cluster('origin', [endpoint(origin.port)])];
  await harness.apply(runtimeConfig({ listeners: [listener([chain(httpManager())])], routes, clusters }));
  const port = harness.port();
  const spare = await RawOrigin.start(() => {});
  const next = spare.port;
  await spare.close();
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager())], { address: { kind: 'ip', address: '127.0.0.1', port: next } })],
      routes,
      clusters,
    }),
  );
  assert.equal(harness.port(), next);
  const client = await RawClient.connect(next);
  client.send(getOnce());
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 200/);
  await assert.rejects(RawClient.connect(port));
});

test('a tcp listener waits for its cluster', async (t) => {
  const { harness } = await setUp(t);
  void harness.apply(
    runtimeConfig({
      listeners: [listener([tcpTo('origin')])],
      clusters: [cluster('origin', [], { discovery: { kind: 'eds', serviceName: 'origin' } })],
    }),
  );
  assert.deepEqual(harness.dataPlane.listeners()[0]?.waitingFor, ['cluster origin']);
});

test('two processes share a port that both ask to share, and only then', async (t) => {
  const shared = async (name: string, port: number, reusePort: boolean) => {
    const { harness, origin } = await setUp(t);
    const config = {
      ...listener([chain(httpManager({ serverName: name }))]),
      address: { kind: 'ip' as const, address: '127.0.0.1', port },
      reusePort,
    };
    const clusters = [cluster('origin', [endpoint(origin.port)])];
    const { failedListeners } = await harness.apply(
      runtimeConfig({ listeners: [config], routes: [table()], clusters }),
    );
    return { harness, failed: failedListeners[0]?.reason };
  };
  const { harness: first } = await shared('one', 0, true);
  assert.equal((await shared('two', first.port(), true)).failed, undefined);
  const servers = new Set<string>();
  for (let count = 0; count < 200 && servers.size < 2; count += 1) {
    const client = await RawClient.connect(first.port());
    client.send(getOnce());
    await client.untilEnd();
    servers.add(/server: (\w+)/.exec(client.text)?.[1] ?? '');
  }
  assert.deepEqual([...servers].sort(), ['one', 'two']);
  assert.match((await shared('three', first.port(), false)).failed ?? '', /EADDRINUSE/);
});
