import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import {
  conformanceData,
  eventually,
  findPeer,
  freePort,
  peerSkip,
  startMesh,
  type TestMesh,
  type TestWorkload,
} from '@weft/testkit';
import { type InteropPeer, interopCases } from './cases.ts';
import { interopApi, type TestServiceClient } from './interop-api.ts';

/**
 * The rows of `grpc-interop` between `@grpc/grpc-js` on both sides, through a client's and a server's sidecar with mutual TLS, in all
 * four pairs of engines.
 */

interface Row {
  readonly name: string;
  readonly message?: string;
}

const { folder, skip } = conformanceData('grpc-interop');
const rows: readonly Row[] =
  skip === false ? (JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as { cases: Row[] }).cases : [];
const specialMessage = rows.find(({ name }) => name === 'special_status_message')?.message ?? '';
const program = join(import.meta.dirname, 'interop-server.ts');
const env = { WEFT_ENVOY: findPeer('envoy') ?? '' };
const engines = ['weft', 'envoy'] as const;
const parallel = 50;

let mesh: TestMesh;
const servers = new Map<string, TestWorkload>();

if (skip !== false) {
  test('gRPC interop', { skip }, () => {});
}

before(async () => {
  if (skip !== false) {
    return;
  }
  mesh = await startMesh();
  for (const engine of engines.filter((name) => name === 'weft' || peerSkip('envoy') === false)) {
    const flags = ['--service', `interop-${engine}`, '--engine', engine, '--protocol', 'grpc', '--port', '50051:0'];
    servers.set(engine, await mesh.runWorkload([...flags, '--', process.execPath, program], { env }));
  }
});

after(async () => {
  await mesh?.stop();
});

for (const clientEngine of engines) {
  for (const serverEngine of engines) {
    const missing = clientEngine === 'envoy' || serverEngine === 'envoy' ? peerSkip('envoy') : false;
    describe(`gRPC from a client with ${clientEngine} to a server with ${serverEngine}`, {
      skip: skip === false ? missing : skip,
    }, () => {
      let peer: InteropPeer;
      let output: () => string;

      before(async () => {
        const port = await freePort();
        const name = `client-${clientEngine}-${serverEngine}`;
        const upstream = `interop-${serverEngine}:50051=${port}`;
        await mesh.runWorkload(
          ['--name', name, '--engine', clientEngine, '--upstream', upstream, '--', 'sleep', '1000'],
          { env },
        );
        const { TestService, UnimplementedService } = interopApi();
        const address = `127.0.0.1:${port}`;
        const connect = (Service: typeof TestService): TestServiceClient =>
          // One connection for all calls of the pair; a proxy of the environment is not for loopback.
          new Service(address, credentials.createInsecure(), {
            'grpc.enable_http_proxy': 0,
          }) as unknown as TestServiceClient;
        peer = { test: connect(TestService), unimplemented: connect(UnimplementedService), specialMessage };
        output = servers.get(serverEngine)?.process.output ?? (() => '');
        await eventually(() => interopCases['empty_unary']?.(peer).then(() => true), { what: 'the server is reached' });
      });

      after(() => {
        peer.test.close();
        peer.unimplemented.close();
      });

      for (const { name } of rows) {
        test(name, async () => {
          const run = interopCases[name];
          assert.ok(run !== undefined, `nobody runs ${name}`);
          await run(peer);
        });
      }

      test(`all of them at once, ${parallel} calls in parallel on one connection`, async () => {
        const runs = Object.values(interopCases);
        await Promise.all(Array.from({ length: parallel }, (_, index) => runs[index % runs.length]?.(peer)));
      });

      test('what was cancelled or timed out is cancelled at the server, and no call is left open', async () => {
        await eventually(
          () =>
            output()
              .trimEnd()
              .split('\n')
              .findLast((line) => line.startsWith('open ')) === 'open 0',
          {
            what: 'no call is open',
          },
        );
        assert.match(output(), /cancelled \/grpc\.testing\.TestService\/FullDuplexCall/);
      });
    });
  }
}
