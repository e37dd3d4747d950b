import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@weft/testkit';
import { frame, parseFrames, preface, settings, Type, uint32 } from '../../http-codec/test/hand-made-frames.ts';
import { breakers, cluster, http2Options } from './support/configs.ts';
import { type OriginConnection, okResponse, RawOrigin } from './support/raw-peer.ts';
import { get, getOnce, SimpleProxy } from './support/simple-proxy.ts';

test('max_requests refuses one more request with 503 UO', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: () => {},
    cluster: { circuitBreakers: breakers({ maxRequests: 1 }) },
  });
  const first = await proxy.client();
  first.send(get('/held'));
  await proxy.origin.until(() => proxy.origin.received.includes('/held'));
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /^HTTP\/1\.1 503 [\s\S]*reset reason: overflow$/);
  assert.match(answer, /x-envoy-overloaded: true/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.flags, 'UO');
  assert.equal(seen.details, 'upstream_reset_before_response_started{overflow}');
});

test('max_connections makes requests wait for a connection, max_pending_requests bounds how many', async (t) => {
  const held: OriginConnection[] = [];
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => void held.push(connection),
    cluster: { circuitBreakers: breakers({ maxConnections: 1, maxPendingRequests: 1 }) },
  });
  const first = await proxy.client();
  first.send(get('/first'));
  await proxy.origin.until(() => held.length === 1);
  const second = await proxy.client();
  second.send(get('/second'));
  await proxy.harness.until(() => true);
  for (;;) {
    if (proxy.harness.dataPlane.clusters()[0]?.requestsPending === 1) {
      break;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(await proxy.exchange(getOnce('/third')), /^HTTP\/1\.1 503 [\s\S]*overflow$/);
  held[0]?.socket.write(okResponse);
  await first.untilText('ok');
  await proxy.origin.until(() => held.length === 2);
  assert.equal(held[1], held[0], 'the same connection');
  held[1]?.socket.write(okResponse);
  await second.untilText('ok');
  assert.equal(proxy.origin.connections.length, 1);
  assert.equal(proxy.harness.dataPlane.clusters()[0]?.requestsPending, 0);
});

test('a request that waits at an endpoint whose only connection closes gets a new one, though others use all that are allowed', async (t) => {
  const held: OriginConnection[] = [];
  const other = await RawOrigin.start((connection) => void held.push(connection));
  t.after(() => other.close());
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => void held.push(connection),
    more: [other],
    cluster: { circuitBreakers: breakers({ maxConnections: 1 }) },
  });
  const clients = [await proxy.client(), await proxy.client(), await proxy.client(), await proxy.client()];
  for (const [index, client] of clients.slice(0, 2).entries()) {
    client.send(get('/held'));
    await eventually(() => held.length === index + 1, { what: 'the request is held' });
  }
  // Two more wait, one at each endpoint.
  for (const client of clients.slice(2)) {
    client.send(get('/waits'));
  }
  await eventually(() => proxy.harness.dataPlane.clusters()[0]?.requestsPending === 2, { what: 'two requests wait' });
  held[0]?.socket.destroy();
  await eventually(() => held.length === 3, { what: 'a request comes by a new connection' });
  held[2]?.socket.write(okResponse);
  await eventually(() => clients.slice(2).some((client) => client.received.includes('ok')), { what: 'it is answered' });
});

test('a request that waits for a connection that drains gets a new one, though no more are allowed', async (t) => {
  const greeted = new Set<OriginConnection>();
  const { upstreamHttp } = cluster('origin', []);
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (!greeted.has(connection)) {
        greeted.add(connection);
        connection.socket.write(settings());
      }
    },
    cluster: {
      circuitBreakers: breakers({ maxConnections: 1 }),
      upstreamHttp: { ...upstreamHttp, protocol: 'http2', http2: http2Options({ maxConcurrentStreams: 1 }) },
    },
  });
  const { origin } = proxy;
  const requests = (index: number): number =>
    parseFrames((origin.connections[index]?.received ?? preface).subarray(preface.length)).filter(
      ({ type }) => type === Type.headers,
    ).length;
  for (const path of ['/held', '/waits']) {
    const client = await proxy.client();
    client.send(get(path));
  }
  await eventually(() => proxy.harness.dataPlane.clusters()[0]?.requestsPending === 1 && requests(0) === 1, {
    what: 'one request is under way, one waits',
  });
  // The stream under way is long, as streams of gRPC are.
  origin.connections[0]?.socket.write(frame(Type.goaway, 0, 0, uint32(1, 0)));
  await eventually(() => requests(1) === 1, { what: 'the other has a connection of its own' });
  assert.equal(origin.connections[0]?.ended, false);
});

test('connections to one endpoint have a limit of their own: further requests wait for one', async (t) => {
  const held: OriginConnection[] = [];
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => void held.push(connection),
    cluster: { maxConnectionsPerEndpoint: 1 },
  });
  const first = await proxy.client();
  first.send(get('/first'));
  await proxy.origin.until(() => held.length === 1);
  const second = await proxy.client();
  second.send(get('/second'));
  while (proxy.harness.dataPlane.clusters()[0]?.requestsPending !== 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(proxy.harness.dataPlane.clusters()[0]?.connectionOverflow, 1);
  held[0]?.socket.write(okResponse);
  await first.untilText('ok');
  await proxy.origin.until(() => held.length === 2);
  assert.equal(held[1], held[0], 'the same connection');
  held[1]?.socket.write(okResponse);
  await second.untilText('ok');
  assert.equal(proxy.origin.connections.length, 1);
});
