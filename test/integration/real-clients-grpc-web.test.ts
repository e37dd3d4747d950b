import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, freePort, startMesh, type TestMesh } from '@weft/testkit';
import { availableEngines, engineEnvironment, enginePairs, runCaller } from './engine-pairs.ts';
import { createEchoServer, type EchoServer, isEchoReached } from './real-clients-grpc.ts';

/** gRPC-Web as browsers speak it, binary and text, to a server that speaks gRPC only, in all pairs of engines. */

let mesh: TestMesh;
const servers = new Map<string, EchoServer>();
const callers = new Map<string, Awaited<ReturnType<typeof runCaller>>>();

before(async () => {
  mesh = await startMesh();
  for (const engine of availableEngines) {
    const port = await freePort();
    const flags = ['--service', `web-${engine}`, '--engine', engine, '--protocol', 'grpc-web', '--port', `80:${port}`];
    await mesh.runWorkload([...flags, '--', 'sleep', '1000'], { env: engineEnvironment });
    const server = createEchoServer();
    servers.set(engine, server);
    await server.listen(port);
  }
  const upstreams = availableEngines.map((engine) => `web-${engine}:80`);
  for (const engine of availableEngines) {
    callers.set(engine, await runCaller(mesh, `caller-${engine}`, engine, upstreams));
  }
});

after(async () => {
  // First, as some calls were left open: a sidecar that ends would wait for them.
  for (const server of servers.values()) {
    server.stop();
  }
  await mesh?.stop();
});

const prefixBytes = 5;
const trailersFlag = 0x80;

function framed(payload: Buffer): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(payload.length, 1);
  return Buffer.concat([prefix, payload]);
}

interface WebAnswer {
  readonly status: number;
  readonly type: string;
  readonly messages: readonly string[];
  /** Fields of the last frame, or of the head where there is no body. */
  readonly trailers: ReadonlyMap<string, string>;
}

/** As clients read a body of base64: padding may stand wherever a piece ended. */
function decodeText(text: string): Buffer {
  return Buffer.concat((text.match(/[A-Za-z0-9+/]+={0,2}/g) ?? []).map((piece) => Buffer.from(piece, 'base64')));
}

function readAnswer(response: Response, body: Buffer): WebAnswer {
  const messages: string[] = [];
  const trailers = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const end = at + prefixBytes + body.readUInt32BE(at + 1);
    assert.ok(end <= body.length, 'the last frame is all there');
    const payload = body.toString('utf8', at + prefixBytes, end);
    if (body[at] === trailersFlag) {
      assert.equal(end, body.length, 'nothing comes behind the trailers');
      for (const line of payload.split('\r\n').filter((text) => text !== '')) {
        trailers.set(line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim());
      }
    } else {
      assert.equal(body[at], 0);
      messages.push(payload);
    }
    at = end;
  }
  for (const name of ['grpc-status', 'grpc-message']) {
    const value = response.headers.get(name);
    if (value !== null) {
      trailers.set(name, value);
    }
  }
  return { status: response.status, type: response.headers.get('content-type') ?? '', messages, trailers };
}

function send(port: number, type: string, method: string, message: string): Promise<Response> {
  const request = framed(Buffer.from(message));
  const isText = type.includes('-text');
  return fetch(`http://127.0.0.1:${port}/test.Echo/${method}`, {
    method: 'POST',
    headers: { 'content-type': type, accept: type, 'x-grpc-web': '1', 'x-user-agent': 'grpc-web-javascript/0.1' },
    body: isText ? request.toString('base64') : new Uint8Array(request),
  });
}

async function call(port: number, type: string, method: string, message: string): Promise<WebAnswer> {
  const response = await send(port, type, method, message);
  const body = Buffer.from(await response.arrayBuffer());
  return readAnswer(response, type.includes('-text') ? decodeText(body.toString('latin1')) : body);
}

for (const { from, to, skip } of enginePairs) {
  describe(`gRPC-Web from ${from} to ${to}`, { skip }, () => {
    let port: number;

    before(async () => {
      port = callers.get(from)?.ports.get(`web-${to}:80`) ?? 0;
      await eventually(() => isEchoReached(`127.0.0.1:${port}`), { what: 'gRPC itself passes', timeoutMs: 20_000 });
    });

    test('a client that gives up after a while ends the call at the server', async () => {
      const server = servers.get(to);
      const cancelled = server?.cancelled() ?? 0;
      const response = await send(port, 'application/grpc-web', 'Expand', '5,hold');
      const reader = response.body?.getReader();
      await reader?.read();
      // Sooner it might be a client that only ends its side.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await reader?.cancel();
      await eventually(() => (server?.cancelled() ?? 0) > cancelled, { what: 'the call is cancelled' });
    });

    for (const type of ['application/grpc-web+proto', 'application/grpc-web-text', 'application/grpc-web']) {
      test(`${type}: unary calls small and large`, async () => {
        for (const message of ['hello', '', 'ü'.repeat(100_000)]) {
          const answer = await call(port, type, 'Unary', message);
          assert.equal(answer.status, 200);
          assert.ok(answer.type.startsWith(type.replace('+proto', '')), answer.type);
          assert.deepEqual(answer.messages, [message]);
          assert.equal(answer.trailers.get('grpc-status'), '0');
          assert.equal(answer.trailers.get('x-tail'), 'end');
          assert.equal(answer.trailers.get('x-tail-bin')?.replace(/=+$/, ''), 'AAH/');
        }
      });

      test(`${type}: a stream of the server, and failures`, async () => {
        const streamed = await call(port, type, 'Expand', '31415,9,0,58979,900000');
        assert.deepEqual(
          streamed.messages.map((message) => message.length),
          [31_415, 9, 0, 58_979, 900_000],
        );
        assert.equal(streamed.trailers.get('grpc-status'), '0');
        const failed = await call(port, type, 'Unary', 'fail');
        assert.deepEqual([failed.status, failed.messages], [200, []]);
        assert.equal(failed.trailers.get('grpc-status'), '9');
        assert.equal(decodeURIComponent(failed.trailers.get('grpc-message') ?? ''), 'no, ü');
        const unknown = await call(port, type, 'None', '');
        assert.equal(unknown.trailers.get('grpc-status'), '12');
      });

      test(`${type}: a message arrives while the stream goes on`, async () => {
        const response = await send(port, type, 'Expand', '5,hold');
        const reader = response.body?.getReader();
        let body = '';
        const wanted = framed(Buffer.from('eeeee'));
        const expected = type.includes('-text') ? wanted.toString('base64') : wanted.toString('latin1');
        while (body.length < expected.length) {
          const { value, done } = (await reader?.read()) ?? { done: true };
          assert.equal(done, false);
          body += Buffer.from(value ?? []).toString('latin1');
        }
        // Of base64 the last letters may differ: they hold the beginning of what follows.
        assert.equal(body.slice(0, 12), expected.slice(0, 12));
        await reader?.cancel();
      });
    }
  });
}
