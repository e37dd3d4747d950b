import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type Background,
  eventually,
  peerSkip,
  programs,
  startBackground,
  startMesh,
  type TestMesh,
} from '@weft/testkit';
import { availableEngines, type EngineName, engineEnvironment, runService } from './engine-pairs.ts';

/** Unix sockets that Gateways and Sidecars of Istio ask for, opened by both engines, and what is in their way. */

const scratch = mkdtempSync(join(tmpdir(), 'weft-unix-'));
const path = (engine: EngineName, name: string): string => join(scratch, `${engine}-${name}.sock`);
const gateways: Background[] = [];
const servers: Server[] = [];
let mesh: TestMesh;

/** Leaves a socket file that nobody listens on, as a process does that is killed. */
function abandon(at: string): void {
  const program = `require('node:net').createServer().listen(${JSON.stringify(at)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program]);
  assert.ok(statSync(at).isSocket());
}

async function listen(at: string, says: string): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => {}).end(says));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(at, resolve));
}

const server = (number: number, name: string, protocol: string, bind: string): string =>
  `  - {port: {number: ${number}, name: ${name}, protocol: ${protocol}}, bind: "unix://${bind}", hosts: ["*"]}\n`;

function gatewayOf(engine: EngineName, name: string, servers: string): string {
  return `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}-${engine}, namespace: default}
spec:
  selector: {edge: ${engine}}
  servers:
${servers}`;
}

function objectsOf(engine: EngineName): string {
  return `${gatewayOf(engine, 'edge', server(0, 'http', 'HTTP', path(engine, 'http')) + server(0, 'tcp', 'TCP', path(engine, 'tcp')))}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge-${engine}, namespace: default}
spec:
  hosts: ["*"]
  gateways: [edge-${engine}]
  http: [{route: [{destination: {host: echo}}]}]
  tcp: [{route: [{destination: {host: greeter.example}}]}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: client-${engine}, namespace: default}
spec:
  workloadSelector: {labels: {app: client-${engine}}}
  egress:
  - {port: {number: 0, protocol: HTTP, name: http}, bind: "unix://${path(engine, 'egress')}", hosts: ["./echo.default.svc.cluster.local"]}
  - hosts: ["*/*"]
`;
}

async function apply(text: string): Promise<void> {
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input: text });
  assert.equal(code, 0, stderr);
}

function gatewayArgs(engine: EngineName, name: string, sockets: readonly string[]): string[] {
  const named = engine === 'envoy' ? sockets.flatMap((socket) => ['--unix-socket', socket]) : [];
  return ['gateway', name, '--label', `edge=${name}`, '--engine', engine, ...named];
}

/** The answer to a request by a Unix socket: the status and what the echo service says of the request. */
function get(socketPath: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/', headers: { host: 'echo.example' } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

function firstWords(socketPath: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    connect(socketPath)
      .on('data', (chunk) => {
        text += chunk.toString();
      })
      .on('error', () => resolve(''))
      .on('close', () => resolve(text));
  });
}

/** Until the Gateway says this of itself; the message. */
function said(name: string, type: string, reason: string): Promise<string> {
  return eventually(
    async () => {
      const { stdout } = await mesh.weft(['get', 'gateways.networking.istio.io', name, '-o', 'json']);
      const { status } = JSON.parse(stdout) as {
        readonly status?: { readonly conditions?: readonly Record<'type' | 'reason' | 'message', string>[] };
      };
      return status?.conditions?.find((condition) => condition.type === type && condition.reason === reason)?.message;
    },
    { what: `${name} says ${reason}`, timeoutMs: 30_000 },
  );
}

before(async () => {
  mesh = await startMesh();
  const greeter = join(scratch, 'greeter.sock');
  await listen(greeter, 'hello');
  await apply(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: greeter, namespace: default}
spec:
  hosts: [greeter.example]
  ports: [{number: 80, name: tcp, protocol: TCP}]
  resolution: STATIC
  endpoints: [{address: "unix://${greeter}"}]
`);
  await mesh.runWorkload(['--service', 'echo', '--', process.execPath, programs.echo]);
  for (const engine of availableEngines) {
    abandon(path(engine, 'http'));
    await apply(objectsOf(engine));
    const args = [programs.weft, ...gatewayArgs(engine, engine, [path(engine, 'http'), path(engine, 'tcp')])];
    gateways.push(startBackground(process.execPath, args, { env: { ...mesh.env, ...engineEnvironment } }));
    await runService(mesh, `client-${engine}`, engine, programs.echo, {
      flags: engine === 'envoy' ? ['--unix-socket', path(engine, 'egress')] : [],
    });
  }
});

after(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await mesh?.stop();
  for (const each of servers) {
    each.close();
  }
  rmSync(scratch, { recursive: true, force: true });
});

for (const engine of ['weft', 'envoy'] as const) {
  const skip = engine === 'envoy' ? peerSkip('envoy') : false;
  const serves = (name: string): Promise<unknown> =>
    eventually(async () => (await get(path(engine, name))).status === 200, {
      what: `${engine} serves at ${name}.sock`,
      timeoutMs: 30_000,
    });

  test(`a server of a Gateway is reached by its socket, which an abandoned one gives way to (${engine})`, {
    skip,
  }, async () => {
    await serves('http');
    await eventually(async () => (await firstWords(path(engine, 'tcp'))) === 'hello', {
      what: `${engine} carries TCP at tcp.sock`,
      timeoutMs: 30_000,
    });
    assert.equal(statSync(path(engine, 'http')).mode & 0o777, 0o660);
    // Nobody has an address here that could be told to others.
    const { headers } = JSON.parse((await get(path(engine, 'http'))).body) as {
      readonly headers: Readonly<Record<string, string>>;
    };
    assert.equal(headers['x-forwarded-for'], undefined);
    assert.equal(headers['x-forwarded-proto'], 'http');
  });

  test(`an egress listener of a Sidecar is a socket that leads to its host (${engine})`, { skip }, async () => {
    await serves('egress');
    assert.equal(statSync(path(engine, 'egress')).mode & 0o777, 0o660);
  });
}

test('what is no abandoned socket stays, and the status says why nothing was opened (weft)', async () => {
  const [file, live, nowhere] = [path('weft', 'file'), path('weft', 'live'), join(scratch, 'nowhere', 'a.sock')];
  writeFileSync(file, 'mine');
  await listen(live, 'alive');
  for (const [name, at, reason] of [
    ['file', file, 'EADDRINUSE'],
    ['live', live, 'EADDRINUSE'],
    ['nowhere', nowhere, 'EACCES'],
  ] as const) {
    await apply(gatewayOf('weft', name, server(0, 'http', 'HTTP', at)));
    assert.match(
      await said(`${name}-weft`, 'Programmed', 'RefusedByProxy'),
      new RegExp(`cannot bind ${at}: ${reason}`),
    );
  }
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  assert.equal(await firstWords(live), 'alive');
  assert.equal((await get(path('weft', 'http'))).status, 200, 'the others go on');
  rmSync(file);
  await said('file-weft', 'Programmed', 'Programmed');
  assert.equal((await get(file)).status, 404, 'the proxy tries again by itself');
});

test('Envoy opens no socket that was not named where it was started: it would remove what is there', {
  skip: peerSkip('envoy'),
}, async () => {
  const file = path('envoy', 'file');
  writeFileSync(file, 'mine');
  await apply(gatewayOf('envoy', 'unnamed', server(0, 'http', 'HTTP', file)));
  assert.match(
    await said('unnamed-envoy', 'NotYetSupported', 'FieldsNotActedUpon'),
    /spec\.servers\[0\]\.bind \(Envoy removes whatever file is at the path: .* --unix-socket and that path\)/,
  );
  assert.equal((await get(path('envoy', 'http'))).status, 200, 'the others go on');
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  for (const [at, problem] of [
    [file, /wanted for a Unix socket, is something else/],
    [path('envoy', 'http'), /another program listens on the Unix socket/],
  ] as const) {
    const args = gatewayArgs('envoy', 'late', [at]);
    const { code, stderr } = await mesh.weft(args, { env: engineEnvironment });
    assert.notEqual(code, 0);
    assert.match(stderr, problem);
  }
  assert.equal(readFileSync(file, 'utf8'), 'mine');
});

test('a socket goes with its Gateway', async () => {
  await mesh.weft(['delete', 'gateways.networking.istio.io', 'edge-weft']);
  await eventually(() => !existsSync(path('weft', 'http')), { what: 'the socket is removed' });
});
