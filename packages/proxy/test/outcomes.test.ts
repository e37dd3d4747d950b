import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Endpoint } from '../src/endpoint/endpoint.ts';
import { Outcome } from '../src/endpoint/outcome.ts';
import { retryPolicy } from './support/configs.ts';
import { answering, okResponse } from './support/raw-peer.ts';
import { get, getOnce, SimpleProxy, type SimpleProxyOptions } from './support/simple-proxy.ts';

/** What endpoints are told of the tries that were made at them: what outlier detection goes by. */

interface Told {
  /** Outcome, status, gRPC status. */
  readonly outcomes: readonly string[];
  readonly grpcStatus: string;
}

const names = new Map<number, string>(Object.entries(Outcome).map(([name, code]) => [code, name]));

async function outcomesOf(t: TestContext, options: SimpleProxyOptions, fields = ''): Promise<Told> {
  const outcomes: string[] = [];
  t.mock.method(Endpoint.prototype, 'reportOutcome', (outcome: number, status: number, grpcStatus: number) => {
    outcomes.push(`${names.get(outcome)} ${status} ${grpcStatus}`);
  });
  const proxy = await SimpleProxy.start(t, options);
  await proxy.exchange(getOnce('/', fields));
  const { grpcStatus } = await proxy.harness.ended();
  return { outcomes, grpcStatus };
}

const grpc = 'Content-Type: application/grpc\r\nTE: trailers\r\n';
const failed = 'HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n';

test('an answer is told with its status, good or bad', async (t) => {
  const { outcomes } = await outcomesOf(t, { onData: answering(okResponse) });
  assert.deepEqual(outcomes, ['connected 0 -1', 'response 200 -1']);
});

test('each try is told', async (t) => {
  const { outcomes } = await outcomesOf(t, {
    onData: answering(failed),
    forward: { retryPolicy: retryPolicy(['5xx']) },
  });
  assert.deepEqual(
    outcomes.filter((outcome) => !outcome.startsWith('connected')),
    ['response 503 -1', 'response 503 -1'],
  );
});

test('a broken connection is a reset', async (t) => {
  const { outcomes } = await outcomesOf(t, { onData: ({ socket }) => socket.resetAndDestroy() });
  assert.deepEqual(outcomes, ['connected 0 -1', 'reset 0 -1']);
});

test('a timeout is one, whether it is of the try or of the request', async (t) => {
  const { outcomes } = await outcomesOf(t, {
    onData: () => {},
    forward: { timeoutMs: 200, retryPolicy: retryPolicy(['5xx'], { perTryTimeoutMs: 60, numRetries: 1 }) },
  });
  assert.deepEqual(outcomes, ['connected 0 -1', 'timeout 0 -1', 'connected 0 -1', 'timeout 0 -1']);
});

test('a gRPC status in the head stands for a status of HTTP', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\ngrpc-status: 14\r\nContent-Length: 0\r\n\r\n';
  const { outcomes, grpcStatus } = await outcomesOf(t, { onData: answering(head) }, grpc);
  assert.deepEqual(outcomes, ['connected 0 -1', 'response 503 14']);
  assert.equal(grpcStatus, '14');
});

test('so does one in the trailers, when it comes; it is no cause to try again', async (t) => {
  const response =
    'HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '5\r\n\0\0\0\0\0\r\n0\r\ngrpc-status: 14\r\n\r\n';
  const options = { onData: answering(response), forward: { retryPolicy: retryPolicy(['unavailable']) } };
  const { outcomes, grpcStatus } = await outcomesOf(t, options, grpc);
  assert.deepEqual(outcomes, ['connected 0 -1', 'response 503 14']);
  assert.equal(grpcStatus, '14');
});

test('what the client gives up says nothing of the endpoint', async (t) => {
  const outcomes: string[] = [];
  t.mock.method(Endpoint.prototype, 'reportOutcome', (outcome: number) => {
    outcomes.push(names.get(outcome) ?? '');
  });
  const proxy = await SimpleProxy.start(t, { onData: () => {} });
  const client = await proxy.client();
  client.send(get());
  await proxy.origin.until(() => proxy.origin.received.includes('\r\n\r\n'));
  client.socket.resetAndDestroy();
  await proxy.harness.ended();
  assert.deepEqual(outcomes, ['connected']);
});
