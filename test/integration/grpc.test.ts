import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { eventually, startMesh, type TestMesh } from '@weft/testkit';
import { interopApi, type TestServiceClient } from '../conformance/grpc-interop/interop-api.ts';
import { availableEngines, enginePairs, runCaller, runService } from './engine-pairs.ts';

/** What the mesh makes of gRPC beyond carrying it, which is `test/conformance/grpc-interop`: gRPC-Web, metrics, failures of its own. */

const program = join(import.meta.dirname, '../conformance/grpc-interop/interop-server.ts');

let mesh: TestMesh;
const callers = new Map<string, Awaited<ReturnType<typeof runCaller>>>();

before(async () => {
  mesh = await startMesh();
  for (const engine of availableEngines) {
    await runService(mesh, `grpc-${engine}`, engine, program, { flags: ['--protocol', 'grpc'] });
    await runService(mesh, `web-${engine}`, engine, program, { flags: ['--protocol', 'grpc-web'] });
  }
  const upstreams = [...availableEngines.flatMap((engine) => [`grpc-${engine}:80`, `web-${engine}:80`]), 'nobody:80'];
  for (const engine of availableEngines) {
    callers.set(engine, await runCaller(mesh, `caller-${engine}`, engine, upstreams));
  }
});

after(async () => {
  await mesh?.stop();
});

function connect(port: number): TestServiceClient {
  const { TestService } = interopApi();
  const options = { 'grpc.enable_http_proxy': 0 };
  return new TestService(`127.0.0.1:${port}`, credentials.createInsecure(), options) as unknown as TestServiceClient;
}

function emptyCall(client: TestServiceClient): Promise<object | undefined> {
  return new Promise((resolve, reject) => {
    client.emptyCall({}, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}

for (const { from, to, skip } of enginePairs) {
  describe(`gRPC from ${from} to ${to}`, { skip }, () => {
    test('a call to a new service that `weft run --protocol grpc` made', async () => {
      const client = connect(callers.get(from)?.ports.get(`grpc-${to}:80`) ?? 0);
      await eventually(() => emptyCall(client), { what: 'an answer' });
      client.close();
    });

    test('a browser speaks gRPC-Web over HTTP/1.1, the application gRPC', async () => {
      const port = callers.get(from)?.ports.get(`web-${to}:80`);
      const answer = await eventually(
        async () => {
          const response = await fetch(`http://127.0.0.1:${port}/grpc.testing.TestService/EmptyCall`, {
            method: 'POST',
            headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' },
            body: new Uint8Array(5),
          });
          return response.status === 200 ? response : undefined;
        },
        { what: 'an answer to gRPC-Web' },
      );
      assert.match(answer.headers.get('content-type') ?? '', /^application\/grpc-web/);
      const bytes = Buffer.from(await answer.arrayBuffer());
      // An empty message, then a frame with the trailers.
      assert.deepEqual([...bytes.subarray(0, 6)], [0, 0, 0, 0, 0, 0x80]);
      assert.match(bytes.toString('latin1', 10), /grpc-status: ?0\r\n/);
    });
  });
}

describe('what a sidecar of ours tells of gRPC', () => {
  test('requests are counted as gRPC with the status of the call, by the caller and by the called', async () => {
    const client = connect(callers.get('weft')?.ports.get('grpc-weft:80') ?? 0);
    await emptyCall(client);
    await new Promise<void>((resolve) => {
      client.unimplementedCall({}, () => resolve());
    });
    client.close();
    const admin = callers.get('weft')?.workload.adminPort;
    const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith('istio_requests_total') && line.includes('grpc-weft'));
    const of = (status: string): boolean =>
      lines.some(
        (line) => line.includes('request_protocol="grpc"') && line.includes(`grpc_response_status="${status}"`),
      );
    assert.ok(of('0') && of('12'), lines.join('\n'));
  });

  test('a call to nobody is a gRPC status, not an HTTP error', async () => {
    const client = connect(callers.get('weft')?.ports.get('nobody:80') ?? 0);
    await assert.rejects(emptyCall(client), { code: 14 });
    client.close();
  });
});
