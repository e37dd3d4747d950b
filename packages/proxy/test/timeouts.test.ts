import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryPolicy } from './support/configs.ts';
import { answering, hasHead, okResponse } from './support/raw-peer.ts';
import { get, getOnce, SimpleProxy } from './support/simple-proxy.ts';

test("the route's timeout gives 504 UT", async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: () => {}, forward: { timeoutMs: 40 } });
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /^HTTP\/1\.1 504 Gateway Timeout\r\n[\s\S]*upstream request timeout$/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.flags, 'UT');
  assert.equal(seen.details, 'response_timeout');
  assert.equal(proxy.harness.dataPlane.clusters()[0]?.requestTimeouts, 1);
});

test("the route's timeout covers the whole response", async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (hasHead(connection.received)) {
        connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin');
      }
    },
    forward: { timeoutMs: 60 },
  });
  const answer = await proxy.exchange(get());
  assert.match(answer, /begin$/);
  assert.equal((await proxy.harness.ended()).flags, 'UT');
});

test("the route's timeout begins when the request is complete", async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (connection.received.includes('done')) {
        connection.socket.write(okResponse);
      }
    },
    forward: { timeoutMs: 80 },
  });
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nConnection: close\r\n\r\n');
  for (const piece of ['a', 'b', 'c', 'd']) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    client.send(piece);
  }
  client.send('done');
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 200/);
});

test('a try that takes too long is tried again', async (t) => {
  let tries = 0;
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      tries += 1;
      if (tries > 1) {
        connection.socket.write(okResponse);
      }
    },
    forward: { timeoutMs: 5000, retryPolicy: retryPolicy(['5xx'], { perTryTimeoutMs: 40 }) },
  });
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 200/);
  assert.equal((await proxy.harness.ended()).attempts, 2);
  assert.equal(proxy.harness.dataPlane.clusters()[0]?.perTryTimeouts, 1);
});

test('a try that takes too long and may not be repeated gives 504 with its own detail', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: () => {},
    forward: { timeoutMs: 5000, retryPolicy: retryPolicy(['connect-failure'], { perTryTimeoutMs: 40 }) },
  });
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 504/);
  assert.equal((await proxy.harness.ended()).details, 'upstream_per_try_timeout');
});

test('a stream without activity ends with SI: 504, as its request is complete', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: () => {},
    manager: { streamIdleTimeoutMs: 50 },
    forward: { timeoutMs: 0 },
  });
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /^HTTP\/1\.1 504 [\s\S]*stream timeout$/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.flags, 'SI');
  assert.equal(seen.details, 'stream_idle_timeout');
});

test('a route may switch the idle timeout off', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      setTimeout(() => connection.socket.write(okResponse), 150);
    },
    manager: { streamIdleTimeoutMs: 50 },
    forward: { timeoutMs: 0, idleTimeoutMs: 0 },
  });
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 200/);
});

test('a head that comes too slowly gives 408', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), manager: { requestHeadersTimeoutMs: 50 } });
  const answer = await proxy.exchange('GET / HTTP/1.1\r\nHost: a\r\n');
  assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*request header timeout$/);
  assert.equal((await proxy.harness.ended()).details, 'request_header_timeout');
});

test('a request that takes too long to arrive gives 408', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: () => {}, manager: { requestTimeoutMs: 50 } });
  const answer = await proxy.exchange('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab');
  assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*request timeout$/);
  assert.equal((await proxy.harness.ended()).details, 'request_overall_timeout');
});

test('a connection ends after its longest life, a request in flight first', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      setTimeout(() => connection.socket.write(okResponse), 100);
    },
    manager: { maxConnectionDurationMs: 50 },
  });
  const answer = await proxy.exchange(get());
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*connection: close\r\n\r\nok$/);
});

test('the idle timeout of a try begins anew with each piece of the answer', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n');
      let left = 8;
      const timer = setInterval(() => {
        left -= 1;
        socket.write('x');
        if (left === 0) {
          clearInterval(timer);
        }
      }, 40);
    },
    forward: { retryPolicy: retryPolicy(['5xx'], { perTryIdleTimeoutMs: 160 }) },
  });
  assert.match(await proxy.exchange(getOnce()), /x{8}$/);
});

for (const { title, asks, boundMs, told } of [
  { title: 'a shorter grpc-timeout than the timeout of the route holds', asks: '40m', boundMs: 10_000, told: '40m' },
  { title: 'a longer one is cut to the timeout of the route', asks: '1H', boundMs: 50, told: '50m' },
  { title: 'a call that says nothing has the timeout of the route', asks: undefined, boundMs: 50, told: '50m' },
]) {
  test(`max_grpc_timeout: ${title}`, async (t) => {
    const forward = { timeoutMs: boundMs, grpcTimeout: { maxMs: boundMs, offsetMs: 0 } };
    const proxy = await SimpleProxy.start(t, { onData: () => {}, forward });
    const line = asks === undefined ? '' : `grpc-timeout: ${asks}\r\n`;
    const answer = await proxy.exchange(
      `POST /s/m HTTP/1.1\r\nHost: a\r\ncontent-type: application/grpc\r\n${line}Connection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*grpc-status: (4|14)\r\n/);
    assert.equal((await proxy.harness.ended()).flags, 'UT');
    assert.match(proxy.origin.received, new RegExp(`grpc-timeout: ${told}\\r\\n`));
    assert.match(
      proxy.origin.received,
      new RegExp(`x-envoy-expected-rq-timeout-ms: ${Number.parseInt(told, 10)}\\r\\n`),
    );
  });
}

test('max_grpc_timeout leaves other requests alone', async (t) => {
  const forward = { timeoutMs: 40, grpcTimeout: { maxMs: 10_000, offsetMs: 0 } };
  const proxy = await SimpleProxy.start(t, { onData: () => {}, forward });
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 504/);
  assert.doesNotMatch(proxy.origin.received, /grpc-timeout/);
});
