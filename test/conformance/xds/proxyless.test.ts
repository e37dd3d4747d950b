import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { systemClock } from '@weft/base';
import { grpcPython } from '@weft/testkit';
import type { EncodedResource } from '@weft/xds-server';
import { apiListener, edsCluster, endpointsAt, route } from './support/resources.ts';
import { ServerFixture } from './support/server-fixture.ts';

/** gRPC's own xDS clients, dialling `xds:///svc`. */

const asIs = (bytes: Buffer): Buffer => bytes;

/** A gRPC service that answers with its name. */
async function echo(name: string): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = new Server();
  const method = {
    path: '/test.Echo/Say',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService(
    { Say: method },
    { Say: (_call: unknown, callback: (error: null, reply: Buffer) => void) => callback(null, Buffer.from(name)) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

/** Says what answered, or how the call failed. */
type Say = () => Promise<string>;

/** The clusters that `svc` may be routed to; the route names `to`. */
function service(to: string, ports: Readonly<Record<string, number>>, revision: number): EncodedResource[] {
  const clusters = Object.entries(ports).flatMap(([name, port]) => [
    edsCluster(name, revision),
    endpointsAt(name, port),
  ]);
  return [...clusters, apiListener('svc', 1, 'r'), route('r', revision, to)];
}

/** grpc-cluster-switch and grpc-cluster-config-change with a real client; every call must be answered. */
async function play(start: (server: ServerFixture) => Promise<{ say: Say } & AsyncDisposable>): Promise<void> {
  await using one = await echo('one');
  await using two = await echo('two');
  await using server = await ServerFixture.start({ clock: systemClock });
  server.set(service('one', { one: one.port }, 1));
  await using client = await start(server);
  assert.equal(await client.say(), 'one');

  const both = { one: one.port, two: two.port };
  for (let change = 2; change <= 11; change += 1) {
    const to = change % 2 === 0 ? 'two' : 'one';
    server.set(service(to, both, change)); // Clusters change too: their endpoints have to be sent again.
    const answers = new Set<string>();
    for (let call = 0; call < 500 && !answers.has(to); call += 1) {
      answers.add(await client.say());
    }
    assert.ok(answers.has(to), `calls move to ${to}: ${[...answers].join()}`);
    answers.delete('one');
    answers.delete('two');
    assert.deepEqual([...answers], [], 'no call fails');
  }
  assert.deepEqual(
    server.changes.filter(({ change }) => change.kind === 'nacked'),
    [],
  );
}

const bootstrap = (address: string): string =>
  JSON.stringify({
    xds_servers: [{ server_uri: address, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
    node: { id: 'n', cluster: 'test', locality: { region: 'region', zone: 'zone', sub_zone: '' } },
  });

/** A client program that makes one call for each line it is given. */
async function spawnClient(
  server: ServerFixture,
  command: string,
  program: string,
): Promise<{ say: Say } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-proxyless-'));
  const file = join(folder, 'bootstrap.json');
  await writeFile(file, bootstrap(server.address));
  const child = spawn(command, [join(import.meta.dirname, 'support', program), 'svc'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, GRPC_XDS_BOOTSTRAP: file },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async say() {
      child.stdin.write('x\n');
      const { value, done } = await lines.next();
      return done === true ? 'error: the client ended' : value;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const { python, skip } = grpcPython();

describe('proxyless gRPC', () => {
  it('@grpc/grpc-js-xds: calls follow routes and clusters without an error', () =>
    play((server) => spawnClient(server, process.execPath, 'proxyless-client.ts')));

  it('python3-grpcio: calls follow routes and clusters without an error', { skip }, () =>
    play((server) => spawnClient(server, python, 'proxyless_client.py')),
  );
});
