import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { eventually, programs, startMesh, type TestMesh } from '@weft/testkit';
import { interopApi, type TestServiceClient } from '../conformance/grpc-interop/interop-api.ts';
import { availableEngines, enginePairs, runCaller, runService } from './engine-pairs.ts';
import { requestThroughProxy } from './http-proxy-request.ts';
import { startSteadyLoad } from './steady-load.ts';

/** One of two instances leaves in order, while requests are on its HTTP/2 connections: none of them fails. */

const grpcServer = join(import.meta.dirname, '../conformance/grpc-interop/interop-server.ts');
const requestsPerSecond = 100;

let mesh: TestMesh;
const callers = new Map<string, Awaited<ReturnType<typeof runCaller>>>();

before(async () => {
  mesh = await startMesh();
  for (const engine of availableEngines) {
    // The instances that stay.
    await runService(mesh, `http-${engine}`, engine, programs.echo);
    await runService(mesh, `grpc-${engine}`, engine, grpcServer, { flags: ['--protocol', 'grpc'] });
  }
  for (const engine of availableEngines) {
    const upstreams = availableEngines.map((to) => `grpc-${to}:80`);
    callers.set(engine, await runCaller(mesh, `caller-${engine}`, engine, upstreams));
  }
});

after(async () => {
  await mesh?.stop();
});

function emptyCall(client: TestServiceClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.emptyCall({}, (error: ServiceError | null) => (error === null ? resolve() : reject(error)));
  });
}

/** Calls at a fixed rate until it is stopped; the failures. */
function startCalls(client: TestServiceClient): { readonly sent: () => number; stop(): Promise<readonly string[]> } {
  const failures: string[] = [];
  const inFlight = new Set<Promise<void>>();
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    const call = emptyCall(client)
      .catch((error: ServiceError) => void failures.push(`${error.code} ${error.details}`))
      .finally(() => void inFlight.delete(call));
    inFlight.add(call);
  }, 1000 / requestsPerSecond);
  return {
    sent: () => sent,
    async stop() {
      clearInterval(timer);
      await Promise.all(inFlight);
      return failures;
    },
  };
}

for (const { from, to, skip } of enginePairs) {
  describe(`an instance with ${to} leaves while ${from} calls`, { skip }, () => {
    test('HTTP', async () => {
      const proxyPort = callers.get(from)?.workload.httpProxyPort ?? 0;
      const url = `http://http-${to}/delay/20`;
      const leaving = await runService(mesh, `http-${to}`, to, programs.echo, { env: { VERSION: `leaves-${from}` } });
      await eventually(
        async () => (await requestThroughProxy(proxyPort, url)).headers['x-served-by'] === `echo-leaves-${from}`,
        { what: 'the new instance is called' },
      );
      const load = startSteadyLoad({ proxyPort, url, requestsPerSecond });
      await eventually(() => load.counts.succeeded > requestsPerSecond, { what: 'the load flows' });
      await leaving.process.stop();
      const after = load.counts.sent;
      await eventually(() => load.counts.sent > after + requestsPerSecond, { what: 'the load goes on' });
      const { failures, sent, succeeded } = await load.stop();
      assert.deepEqual(failures, []);
      assert.equal(succeeded, sent);
    });

    test('gRPC', async () => {
      const { TestService } = interopApi();
      const address = `127.0.0.1:${callers.get(from)?.ports.get(`grpc-${to}:80`)}`;
      const options = { 'grpc.enable_http_proxy': 0 };
      const client = new TestService(address, credentials.createInsecure(), options) as unknown as TestServiceClient;
      const leaving = await runService(mesh, `grpc-${to}`, to, grpcServer, { flags: ['--protocol', 'grpc'] });
      await eventually(
        async () => {
          await emptyCall(client);
          return leaving.process.output().includes('open 1');
        },
        { what: 'the new instance is called' },
      );
      const calls = startCalls(client);
      await eventually(() => calls.sent() > requestsPerSecond, { what: 'the calls flow' });
      await leaving.process.stop();
      const after = calls.sent();
      await eventually(() => calls.sent() > after + requestsPerSecond, { what: 'the calls go on' });
      assert.deepEqual(await calls.stop(), []);
      client.close();
    });
  });
}
