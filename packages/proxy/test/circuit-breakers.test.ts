import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@weft/testkit';
import { breakers } from './support/configs.ts';
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
