import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Background, eventually, grpcPython, run, startBackground } from '@weft/testkit';
import {
  callEcho,
  createEchoServer,
  type EchoResult,
  type EchoServer,
  expectedResult,
  isEchoReached,
} from './real-clients-grpc.ts';
import { type ClientMesh, type Served, sidecarCounts, startClientMesh } from './real-clients-mesh.ts';

/** grpc-js and Python's grpcio, each as client and as server, in all four shapes, through one sidecar and through two. */

const script = join(import.meta.dirname, 'real-clients-grpcio.py');

const { python, skip: pythonMissing } = grpcPython();

let js: EchoServer;
let py: Background | undefined;
let clients: ClientMesh;

async function startPythonServer(port: number): Promise<void> {
  const started = startBackground(python, [script, 'serve', String(port)]);
  py = started;
  await eventually(() => started.output().includes('listening'), { what: 'the Python server listens' });
}

before(async () => {
  js = createEchoServer();
  const servers: Served[] = [{ name: 'js', protocol: 'grpc', listen: js.listen }];
  if (pythonMissing === false) {
    servers.push({ name: 'py', protocol: 'grpc', listen: startPythonServer });
  }
  clients = await startClientMesh(servers, ({ port }) => isEchoReached(`127.0.0.1:${port}`));
});

after(async () => {
  await clients?.stop();
  js.stop();
  await py?.stop('SIGKILL');
});

async function callFromPython(target: string): Promise<EchoResult> {
  const { code, stdout, stderr } = await run(python, [script, 'call', target]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as EchoResult;
}

const peers = { js: 'grpc-js', py: 'grpcio' } as const;

for (const server of ['js', 'py'] as const) {
  for (const count of sidecarCounts) {
    const cancelled = (): number =>
      server === 'js' ? js.cancelled() : (py?.output().match(/cancelled/g)?.length ?? 0);

    for (const client of ['js', 'py'] as const) {
      const skip = client === 'py' || server === 'py' ? pythonMissing : false;
      describe(`${peers[client]} by ${count} to ${peers[server]}`, { skip }, () => {
        test('every shape, messages small and large, failures, a deadline', async () => {
          const cancelledBefore = cancelled();
          const target = `127.0.0.1:${clients.way(server, count).port}`;
          const result = client === 'js' ? await callEcho(target) : await callFromPython(target);
          assert.deepEqual(result, expectedResult);
          await eventually(() => cancelled() === cancelledBefore + 1, {
            what: 'the server hears that the time is over',
          });
        });
      });
    }
  }
}
