import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakers } from './support/configs.ts';
import { type OriginConnection, okResponse } from './support/raw-peer.ts';
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
