import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RetryPolicy } from '../src/runtime-config/config.ts';
import { breakers, endpoint, forwardTo, retryPolicy, route, routeTable, virtualHost } from './support/configs.ts';
import { answering, hasHead, type OriginConnection, okResponse, RawOrigin } from './support/raw-peer.ts';
import { getOnce, SimpleProxy } from './support/simple-proxy.ts';

/** An origin that answers its n-th request with the n-th response; the last one again and again. */
function inTurn(...responses: readonly string[]): (connection: OriginConnection) => void {
  let next = 0;
  return (connection) => {
    if (hasHead(connection.received)) {
      connection.received = Buffer.alloc(0);
      const response = responses[Math.min(next, responses.length - 1)] ?? '';
      next += 1;
      if (response === 'reset') {
        connection.socket.resetAndDestroy();
      } else {
        connection.socket.write(response);
      }
    }
  };
}

const status = (code: number, fields = ''): string => `HTTP/1.1 ${code} X\r\nContent-Length: 0\r\n${fields}\r\n`;

const cases: readonly {
  readonly what: string;
  readonly first: string;
  readonly policy: RetryPolicy;
  readonly expected: number;
  readonly attempts: number;
}[] = [
  { what: '5xx repeats a 500', first: status(500), policy: retryPolicy(['5xx']), expected: 200, attempts: 2 },
  { what: '5xx repeats a reset', first: 'reset', policy: retryPolicy(['5xx']), expected: 200, attempts: 2 },
  {
    what: 'gateway-error repeats a 503',
    first: status(503),
    policy: retryPolicy(['gateway-error']),
    expected: 200,
    attempts: 2,
  },
  {
    what: 'gateway-error does not repeat a 500',
    first: status(500),
    policy: retryPolicy(['gateway-error']),
    expected: 500,
    attempts: 1,
  },
  { what: 'reset repeats a reset', first: 'reset', policy: retryPolicy(['reset']), expected: 200, attempts: 2 },
  {
    what: 'connect-failure does not repeat a reset',
    first: 'reset',
    policy: retryPolicy(['connect-failure']),
    expected: 503,
    attempts: 1,
  },
  {
    what: 'retriable-4xx repeats a 409',
    first: status(409),
    policy: retryPolicy(['retriable-4xx']),
    expected: 200,
    attempts: 2,
  },
  {
    what: 'retriable-4xx does not repeat a 404',
    first: status(404),
    policy: retryPolicy(['retriable-4xx']),
    expected: 404,
    attempts: 1,
  },
  {
    what: 'retriable-status-codes repeats what it names',
    first: status(429),
    policy: retryPolicy(['retriable-status-codes'], { retriableStatusCodes: new Set([429]) }),
    expected: 200,
    attempts: 2,
  },
  {
    what: 'retriable-headers repeats by a response field',
    first: status(200, 'X-Again: yes\r\n'),
    policy: retryPolicy(['retriable-headers'], {
      retriableHeaders: [
        {
          name: 'x-again',
          invert: false,
          treatMissingAsEmpty: false,
          match: { kind: 'exact', value: 'yes', ignoreCase: false },
        },
      ],
    }),
    expected: 200,
    attempts: 2,
  },
  {
    what: 'unavailable repeats by grpc-status',
    first: status(200, 'grpc-status: 14\r\n'),
    policy: retryPolicy(['unavailable']),
    expected: 200,
    attempts: 2,
  },
  {
    what: 'an upstream that says it is overloaded is asked again, as Envoy 1.40 does',
    first: status(503, 'x-envoy-overloaded: true\r\n'),
    policy: retryPolicy(['5xx']),
    expected: 200,
    attempts: 2,
  },
  {
    what: 'a rate-limited request is not repeated',
    first: status(503, 'x-envoy-ratelimited: true\r\n'),
    policy: retryPolicy(['5xx']),
    expected: 503,
    attempts: 1,
  },
  {
    what: 'unless the policy says so',
    first: status(429, 'x-envoy-ratelimited: true\r\n'),
    policy: retryPolicy(['envoy-ratelimited']),
    expected: 200,
    attempts: 2,
  },
];

for (const { what, first, policy, expected, attempts } of cases) {
  test(what, async (t) => {
    const proxy = await SimpleProxy.start(t, { onData: inTurn(first, okResponse), forward: { retryPolicy: policy } });
    const answer = await proxy.exchange(getOnce());
    assert.equal(Number(answer.slice(9, 12)), expected);
    assert.equal((await proxy.harness.ended()).attempts, attempts);
  });
}

test('when the retries are used up the last answer goes to the client, with URX', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: inTurn(status(503)),
    forward: { retryPolicy: retryPolicy(['5xx'], { numRetries: 2 }) },
  });
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 503 X/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.attempts, 3);
  assert.equal(seen.flags, 'URX');
  assert.equal(seen.details, 'via_upstream');
});

test('a body is sent again with the request', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (!connection.received.includes('the body')) {
        return;
      }
      if (proxy.origin.connections.length === 1) {
        connection.socket.resetAndDestroy();
      } else {
        connection.socket.write(okResponse);
      }
    },
    forward: { retryPolicy: retryPolicy(['reset']) },
  });
  const answer = await proxy.exchange(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nConnection: close\r\n\r\nthe body',
  );
  assert.match(answer, /^HTTP\/1\.1 200/);
  assert.equal(proxy.origin.connections.length, 2);
});

test('a body larger than the buffer is not repeated', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (connection.received.length > 200_000) {
        connection.socket.resetAndDestroy();
      }
    },
    forward: { retryPolicy: retryPolicy(['reset']) },
    cluster: { bufferLimitBytes: 64 * 1024 },
  });
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\nConnection: close\r\n\r\n');
  client.send('x'.repeat(300_000));
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 503/);
  assert.equal((await proxy.harness.ended()).attempts, 1);
});

test('a retry avoids the endpoint that failed', async (t) => {
  const good = await RawOrigin.start(answering(okResponse));
  t.after(() => good.close());
  const proxy = await SimpleProxy.start(t, {
    onData: inTurn(status(503)),
    more: [good],
    forward: {
      retryPolicy: retryPolicy(['5xx'], { avoidPreviousHosts: true, hostSelectionRetryMaxAttempts: 10 }),
    },
  });
  for (let count = 1; count <= 10; count += 1) {
    assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 200/);
  }
});

test('the retry breaker bounds how many retries run at once', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: inTurn(status(503)),
    forward: { retryPolicy: retryPolicy(['5xx']) },
    cluster: { circuitBreakers: breakers({ maxRetries: 0 }) },
  });
  assert.match(await proxy.exchange(getOnce()), /^HTTP\/1\.1 503/);
  assert.equal((await proxy.harness.ended()).attempts, 1);
  assert.equal(proxy.harness.dataPlane.clusters()[0]?.retryOverflow, 1);
});

test('the attempt count goes upstream and back where the virtual host says so', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: inTurn(status(503), okResponse),
    table: routeTable('routes', [
      virtualHost([route(forwardTo('origin'))], {
        retryPolicy: retryPolicy(['5xx']),
        includeRequestAttemptCount: true,
        includeAttemptCountInResponse: true,
      }),
    ]),
  });
  const received: string[] = [];
  const { port } = proxy.origin;
  assert.ok(endpoint(port));
  const answer = await proxy.exchange(getOnce());
  received.push(answer);
  assert.match(answer, /x-envoy-attempt-count: 2/);
});
