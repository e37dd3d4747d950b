import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@weft/base';
import type { NetworkFilter } from '../src/runtime-config/config.ts';
import {
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  noEdits,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { answering, okResponse, RawClient, RawOrigin } from './support/raw-peer.ts';
import { get, getOnce, SimpleProxy } from './support/simple-proxy.ts';

const tcpProxy: NetworkFilter = {
  kind: 'tcp-proxy',
  statPrefix: 'tcp',
  clusters: [{ cluster: 'origin', weight: 1, headers: noEdits }],
  idleTimeoutMs: 0,
  maxConnectionDurationMs: 0,
  maxConnectAttempts: 1,
  accessLogs: [],
};

test('a defect met on one connection closes it, is counted, logged once, and hurts nobody else', async (t) => {
  let planted = false;
  const proxy = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    // Two clusters make the router draw a number, which is where the defect sits.
    forward: {
      clusters: [
        { cluster: 'origin', weight: 1, headers: noEdits },
        { cluster: 'origin', weight: 1, headers: noEdits },
      ],
    },
    dataPlane: {
      random: () => {
        if (planted) {
          throw new Error('planted');
        }
        return 0.5;
      },
    },
  });
  const healthy = await proxy.client();
  healthy.send(get());
  await healthy.untilText('ok');
  for (let round = 1; round <= 3; round += 1) {
    planted = true;
    const victim = await proxy.client();
    victim.send(get());
    await victim.untilEnd();
    assert.equal(proxy.harness.dataPlane.faults(), round);
    planted = false;
  }
  assert.equal(proxy.harness.logs.filter(({ level }) => level === 'error').length, 1);
  healthy.received = Buffer.alloc(0);
  healthy.send(get());
  await healthy.untilText('ok');
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 200/);
});

test('a defect in what receives the records costs no request', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    dataPlane: {
      onStreamEnd: () => {
        throw new Error('planted');
      },
    },
  });
  const client = await proxy.client();
  for (let round = 1; round <= 3; round += 1) {
    client.received = Buffer.alloc(0);
    client.send(get());
    await client.untilText('ok');
  }
  assert.equal(proxy.harness.dataPlane.faults(), 3);
  assert.equal(proxy.origin.connections.length, 1);
});

test('connections beyond the limit are closed, those there stay', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), dataPlane: { maxConnections: 2 } });
  const first = await proxy.client();
  const second = await proxy.client();
  first.send(get());
  second.send(get());
  await first.untilText('ok');
  await second.untilText('ok');
  const third = await proxy.client();
  await third.untilEnd();
  assert.equal(third.text, '');
  first.close();
  first.send(get());
  second.received = Buffer.alloc(0);
  second.send(get());
  await second.untilText('ok');
});

test('a defect met while a connection is taken over closes it, and everybody else is still written to', async (t) => {
  const origin = await RawOrigin.start(answering(okResponse));
  t.after(() => origin.close());
  const harness = new ProxyHarness({
    onTcpStart: () => {
      throw new Error('planted');
    },
  });
  t.after(() => harness.close());
  await harness.apply(
    runtimeConfig({
      listeners: [
        listener([chain(httpManager())], { name: 'http' }),
        listener([chain(tcpProxy)], { name: 'tcp' }),
        listener([chain(tcpProxy)], { name: 'sniffed', tlsInspector: true }),
      ],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('origin'))])])],
      clusters: [cluster('origin', [endpoint(origin.port)])],
    }),
  );
  for (const [round, name] of ['tcp', 'sniffed', 'tcp'].entries()) {
    const victim = await RawClient.connect(harness.port(name));
    victim.send('hello');
    await victim.untilEnd();
    victim.close();
    assert.equal(harness.dataPlane.faults(), round + 1);
  }
  // Output is gathered until an event ends: an event that a defect left open would hold back everybody's.
  const client = await RawClient.connect(harness.port('http'));
  client.send(get());
  await client.untilText('ok');
  client.close();
});

test('a defect met in a timer of a connection closes it, and everybody else is still written to', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(okResponse),
    manager: { requestHeadersTimeoutMs: 30 },
    dataPlane: {
      onStreamEnd: () => {},
      clock: {
        ...systemClock,
        // The answer of a head that came too slowly is the first to ask for the time of day.
        now: () => {
          if (new Error().stack?.includes('onTimer') === true) {
            throw new Error('planted');
          }
          return Date.now();
        },
      },
    },
  });
  const victim = await proxy.client();
  victim.send('GET / HTTP/1.1\r\n');
  await victim.untilEnd();
  assert.equal(victim.text, '');
  assert.equal(proxy.harness.dataPlane.faults(), 1);
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 200/);
});

test('clients that never finish their handshake make room for those that come after them', async (t) => {
  const origin = await RawOrigin.start(answering(okResponse));
  t.after(() => origin.close());
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager())], { tlsInspector: true })],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('origin'))])])],
      clusters: [cluster('origin', [endpoint(origin.port)])],
    }),
  );
  const silent: RawClient[] = [];
  t.after(() => silent.map((client) => client.close()));
  for (let count = 0; count < 1030; count += 1) {
    silent.push(await RawClient.connect(harness.port()));
  }
  const client = await RawClient.connect(harness.port());
  client.send(get());
  await client.untilText('ok');
  client.close();
  await harness.until(() => harness.tcpEnds.length >= 6);
  assert.equal(harness.tcpEnds[0]?.connectionTerminationDetails, 'pending_connections_overflow');
  assert.equal(harness.dataPlane.connections() <= 1025, true);
});
