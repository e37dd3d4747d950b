import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, type TestContext, test } from 'node:test';
import {
  type Client,
  Metadata,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { retryPolicy } from './support/configs.ts';
import { grpcClient, startGrpcServer, unary } from './support/grpc-peers.ts';
import { type RouteOptions, SidecarPair, startProxy } from './support/http-route.ts';
import type { ProxyHarness } from './support/proxy-harness.ts';
import { TestCa } from './support/test-ca.ts';

const identity = (value: Buffer): Buffer => value;

const echo: UntypedServiceImplementation = {
  Unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
    const trailers = new Metadata();
    trailers.set('x-tail', 'end');
    const text = call.request.toString('latin1', 0, 5);
    if (text === 'fail!') {
      done({ code: status.FAILED_PRECONDITION, details: 'no, ü', metadata: trailers });
    } else if (text === 'stay!') {
      call.on('cancelled', () => done({ code: status.CANCELLED }));
    } else {
      done(null, call.request, trailers);
    }
  },
  Collect(call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
    let size = 0;
    call.on('data', (message: Buffer) => {
      size += message.length;
    });
    call.on('end', () => done(null, Buffer.from(String(size))));
  },
  Expand(call: ServerWritableStream<Buffer, Buffer>): void {
    for (const size of call.request.toString().split(',')) {
      call.write(Buffer.alloc(Number(size), 'e'));
    }
    call.end();
  },
  Chat(call: ServerDuplexStream<Buffer, Buffer>): void {
    call.on('data', (message: Buffer) => call.write(Buffer.concat([Buffer.from('re:'), message])));
    call.on('end', () => call.end());
  },
};

for (const alpn of [undefined, 'h2', 'weft-h2', 'http/1.1']) {
  describe(alpn === undefined ? 'gRPC through one proxy' : `gRPC through two sidecars with ${alpn} between`, () => {
    let ca: TestCa;
    before(async () => {
      ca = await TestCa.create();
    });
    after(() => ca.close());

    async function open(
      t: TestContext,
      options: Partial<RouteOptions> = {},
    ): Promise<{ client: Client; proxy: ProxyHarness }> {
      const port = await startGrpcServer(t, echo);
      const given = { upstream: 'http2', originPorts: [port], ...options } as const;
      const proxy =
        alpn === undefined ? await startProxy(t, given) : (await SidecarPair.start(t, ca, [alpn], given)).client;
      return { client: grpcClient(t, proxy.port()), proxy };
    }

    test('unary calls small and large, with trailers, and one that fails', async (t) => {
      const { client, proxy } = await open(t);
      for (const size of [0, 5, 271_828, 3_000_000]) {
        const { error, value, trailers } = await unary(client, Buffer.alloc(size, 'a'));
        assert.equal(error, null);
        assert.equal(value?.length, size);
        assert.deepEqual(trailers?.get('x-tail'), ['end']);
      }
      const failed = await unary(client, Buffer.from('fail!'));
      assert.equal(failed.error?.code, status.FAILED_PRECONDITION);
      assert.equal(failed.error?.details, 'no, ü');
      const seen = await proxy.ended(5);
      assert.equal(seen.code, 200);
      assert.equal(seen.grpcStatus, '9');
      assert.equal(seen.messages, '1/0');
      assert.equal(proxy.requests[0]?.messages, '1/1');
    });

    test('100 calls at once', async (t) => {
      const { client } = await open(t);
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, index) => unary(client, Buffer.from(`call ${index}`))),
      );
      for (const [index, { value }] of results.entries()) {
        assert.equal(value?.toString(), `call ${index}`);
      }
    });

    test('a stream of the client', async (t) => {
      const { client, proxy } = await open(t);
      const size = await new Promise<string>((resolve, reject) => {
        const call = client.makeClientStreamRequest('/test.Echo/Collect', identity, identity, (error, value) =>
          error === null ? resolve(String(value)) : reject(error),
        );
        for (const length of [27_182, 8, 1828, 45_904, 0]) {
          call.write(Buffer.alloc(length));
        }
        call.end();
      });
      assert.equal(size, '74922');
      assert.equal((await proxy.ended()).messages, '5/1');
    });

    test('a stream of the server', async (t) => {
      const { client, proxy } = await open(t);
      const call = client.makeServerStreamRequest(
        '/test.Echo/Expand',
        identity,
        identity,
        Buffer.from('31415,9,2653,58979,0,900000'),
      );
      const sizes: number[] = [];
      for await (const message of call) {
        sizes.push((message as Buffer).length);
      }
      assert.deepEqual(sizes, [31_415, 9, 2653, 58_979, 0, 900_000]);
      assert.equal((await proxy.ended()).messages, '1/6');
    });

    test('both sides stream in turn', async (t) => {
      const { client } = await open(t);
      const call = client.makeBidiStreamRequest('/test.Echo/Chat', identity, identity);
      const answers = call[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      for (let turn = 0; turn < 20; turn += 1) {
        call.write(Buffer.from(`word ${turn}`));
        assert.equal(String((await answers.next()).value), `re:word ${turn}`);
      }
      call.end();
      assert.equal((await answers.next()).done, true);
    });

    test('a call that is cancelled, and one whose time is over, end at the server too', async (t) => {
      const { client, proxy } = await open(t);
      const late = await unary(client, Buffer.from('stay!'), { deadlineMs: 80 });
      assert.equal(late.error?.code, status.DEADLINE_EXCEEDED);
      const call = client.makeBidiStreamRequest('/test.Echo/Chat', identity, identity);
      call.on('error', () => {});
      call.write(Buffer.from('x'));
      await new Promise((resolve) => call.once('data', resolve));
      call.cancel();
      const seen = await proxy.ended(2);
      assert.match(seen.details, /^http2\.remote_reset$/);
      await proxy.until(() => proxy.dataPlane.clusters()[0]?.requestsActive === 0);
    });
  });
}

test('answers of the proxy itself are answers of gRPC', async (t) => {
  const proxy = await startProxy(t, { upstream: 'http2', originPorts: [] });
  const { error } = await unary(grpcClient(t, proxy.port()), Buffer.from('x'));
  assert.equal(error?.code, status.UNAVAILABLE);
  assert.equal(error?.details, 'no healthy upstream');
  const seen = await proxy.ended();
  assert.equal(seen.code, 200);
  assert.equal(seen.flags, 'UH');
  assert.equal(seen.grpcStatus, '14');
});

test('grpc-timeout is honoured where the route says so, up to its bound', async (t) => {
  const port = await startGrpcServer(t, echo);
  const limit = { maxMs: undefined, grpcTimeoutMaxMs: 60, grpcTimeoutOffsetMs: 0 };
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [port],
    forward: { timeoutMs: 0, maxStreamDuration: limit },
  });
  const { error } = await unary(grpcClient(t, proxy.port()), Buffer.from('stay!'), { deadlineMs: 10_000 });
  // The upstream is told how long it has, so that it or the proxy says so first.
  assert.equal(error?.code, status.DEADLINE_EXCEEDED);
  assert.match(error?.details ?? '', /^(downstream duration timeout|Deadline exceeded)$/);
});

test('an offset that leaves nothing of grpc-timeout ends the call at once', async (t) => {
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [await startGrpcServer(t, echo)],
    forward: { maxStreamDuration: { maxMs: undefined, grpcTimeoutMaxMs: 0, grpcTimeoutOffsetMs: 20_000 } },
  });
  const { error } = await unary(grpcClient(t, proxy.port()), Buffer.from('x'), { deadlineMs: 10_000 });
  assert.equal(error?.code, status.DEADLINE_EXCEEDED);
});

test('a call is tried again after a status that the policy names', async (t) => {
  let calls = 0;
  const port = await startGrpcServer(t, {
    ...echo,
    Unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
      calls += 1;
      if (calls < 3) {
        done({ code: status.UNAVAILABLE, details: 'not yet' });
      } else {
        done(null, call.request);
      }
    },
  });
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [port],
    forward: { retryPolicy: retryPolicy(['unavailable'], { numRetries: 3 }) },
  });
  const client = grpcClient(t, proxy.port());
  const { value } = await unary(client, Buffer.from('again'));
  assert.equal(value?.toString(), 'again');
  assert.equal((await proxy.ended()).attempts, 3);
});

// ------------------------------------------------------------------------------------------------ gRPC-Web

const framed = (flag: number, payload: Buffer): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(payload.length, 1);
  return Buffer.concat([prefix, payload]);
};

function post(
  port: number,
  path: string,
  type: string,
  body: Buffer,
): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { port, host: '127.0.0.1', method: 'POST', path, headers: { 'content-type': type, accept: type } },
      async (response) => {
        const pieces: Buffer[] = [];
        for await (const piece of response) {
          pieces.push(piece as Buffer);
        }
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

test('gRPC-Web, binary and text, reaches a gRPC server', async (t) => {
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [await startGrpcServer(t, echo)],
    manager: {
      httpFilters: [
        { kind: 'grpc-web', name: 'grpc-web', disabled: false },
        { kind: 'router', name: 'router', disabled: false },
      ],
    },
  });
  const message = framed(0, Buffer.from('hello'));
  const binary = await post(proxy.port(), '/test.Echo/Unary', 'application/grpc-web+proto', message);
  assert.equal(binary.headers['content-type'], 'application/grpc-web+proto');
  assert.deepEqual(binary.body.subarray(0, message.length), message);
  assert.equal(binary.body[message.length], 0x80);
  assert.match(binary.body.toString('latin1', message.length + 5), /grpc-status: ?0\r\n/);
  const text = Buffer.from(message.toString('base64'));
  const answer = await post(proxy.port(), '/test.Echo/Unary', 'application/grpc-web-text', text);
  assert.match(String(answer.headers['content-type']), /^application\/grpc-web-text/);
  const decoded = Buffer.concat(
    (answer.body.toString().match(/[^=]+=*/g) ?? []).map((piece) => Buffer.from(piece, 'base64')),
  );
  assert.deepEqual(decoded.subarray(0, message.length), message);
  assert.match(decoded.toString('latin1'), /grpc-status: ?0/);
  const invalid = await post(proxy.port(), '/test.Echo/Unary', 'application/grpc-web-text', Buffer.from('!!!!'));
  assert.equal(invalid.headers['grpc-status'], '13');
  assert.equal((await proxy.ended(3)).details, 'grpc_base_64_decode_failed');
});

test('an answer of the proxy to gRPC-Web has its form', async (t) => {
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [],
    manager: {
      httpFilters: [
        { kind: 'grpc-web', name: 'grpc-web', disabled: false },
        { kind: 'router', name: 'router', disabled: false },
      ],
    },
  });
  const { status: code, headers } = await post(
    proxy.port(),
    '/test.Echo/Unary',
    'application/grpc-web',
    Buffer.alloc(5),
  );
  assert.equal(code, 200);
  assert.match(String(headers['content-type']), /^application\/grpc-web/);
  assert.equal(headers['grpc-status'], '14');
});
