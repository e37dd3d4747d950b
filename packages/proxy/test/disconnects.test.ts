import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoint } from './support/configs.ts';
import { answering, hasHead, okResponse } from './support/raw-peer.ts';
import { get, getOnce, SimpleProxy } from './support/simple-proxy.ts';

/** Nobody listens there: tests that run at the same time are on 127.0.0.1, where a port that was free a moment ago may be theirs now. */
const nobody = { address: { kind: 'ip', address: '127.66.1.7', port: 9 } } as const;

test('an endpoint that nobody listens on gives 503 UF', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: () => {},
    cluster: {
      discovery: {
        kind: 'static',
        endpoints: {
          clusterName: 'origin',
          overprovisioningFactor: 140,
          version: '1',
          localities: [{ region: '', zone: '', subZone: '', weight: 1, priority: 0, endpoints: [endpoint(9, nobody)] }],
        },
      },
    },
  });
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
  assert.match(
    answer,
    /upstream connect error or disconnect\/reset before headers\. reset reason: remote connection failure$/,
  );
  const seen = await proxy.harness.ended();
  assert.equal(seen.flags, 'UF');
  assert.equal(
    seen.details,
    'upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}',
  );
  assert.equal(seen.attempts, 1);
});

test('an upstream that closes before its response gives 503 UC', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: (connection) => void connection.socket.end() });
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /reset reason: connection termination$/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.code, 503);
  assert.equal(seen.flags, 'UC');
  assert.equal(seen.details, 'upstream_reset_before_response_started{connection_termination}');
});

test('an upstream that closes within its response cuts the client connection', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => void connection.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this'),
  });
  const answer = await proxy.exchange(get());
  assert.match(answer, /only this$/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.flags, 'UC');
  assert.match(seen.details, /^upstream_reset_after_response_started/);
});

test('a cut chunked response never looks complete', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) =>
      void connection.socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
  });
  const answer = await proxy.exchange(get());
  assert.match(answer, /5\r\nhello\r\n$/);
  assert.doesNotMatch(answer, /\r\n0\r\n\r\n/);
});

test('a client that goes away is noted as DC and its upstream connection is given up', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: () => {} });
  const client = await proxy.client();
  client.send(get());
  await proxy.origin.until(() => proxy.origin.received.includes('\r\n\r\n'));
  client.socket.resetAndDestroy();
  const seen = await proxy.harness.ended();
  assert.equal(seen.code, 0);
  assert.equal(seen.flags, 'DC');
  assert.equal(seen.details, 'downstream_remote_disconnect');
  await proxy.origin.until(() => proxy.origin.connections[0]?.ended === true);
  assert.equal(proxy.harness.dataPlane.clusters()[0]?.requestsActive, 0);
});

for (const begun of [false, true]) {
  test(`a client that closes long after its request has given up, ${begun ? 'within' : 'before'} the answer`, async (t) => {
    const proxy = await SimpleProxy.start(t, {
      onData: (connection) => {
        if (begun) {
          connection.socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: first\n\n');
        }
      },
    });
    const client = await proxy.client();
    client.send(get());
    await (begun ? client.untilText('first') : proxy.origin.until(() => proxy.origin.received.includes('\r\n\r\n')));
    // Sooner it is a half-close, of which keep-alive.test.ts is.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    client.socket.end();
    const seen = await proxy.harness.ended();
    assert.equal(seen.flags, 'DC');
    assert.equal(seen.details, 'downstream_remote_disconnect');
    await proxy.origin.until(() => proxy.origin.connections[0]?.ended === true);
  });
}

test('a client that stops in the middle of its body is noted as DC', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: () => {} });
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
  await proxy.origin.until(() => proxy.origin.received.includes('half'));
  client.socket.end();
  assert.equal((await proxy.harness.ended()).flags, 'DC');
  await client.untilEnd();
});

test('an early response reaches the client, and the connection ends with it', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (hasHead(connection.received)) {
        connection.socket.write('HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\n\r\nbig');
      }
    },
  });
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin');
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 413 [\s\S]*big$/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.code, 413);
  assert.equal(seen.details, 'via_upstream');
});

test('after a broken request nothing more of that connection is read', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  const answer = await proxy.exchange(
    'GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*Bad Request$/);
  assert.equal(answer.split('HTTP/1.1').length, 2);
  assert.equal(proxy.origin.connections.length, 0);
});
