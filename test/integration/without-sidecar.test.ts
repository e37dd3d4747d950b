import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import {
  type Background,
  eventually,
  freePort,
  peerSkip,
  programs,
  startBackground,
  startMesh,
  type TestMesh,
} from '@weft/testkit';
import { interopApi, type TestServiceClient } from '../conformance/grpc-interop/interop-api.ts';
import { availableEngines, runCaller, runService } from './engine-pairs.ts';
import { exchangeOnce } from './raw-exchange.ts';

/** Peers that do not speak mutual TLS: no ALPN says what they know, so that they get what their port is declared to speak. */

const grpcServer = join(import.meta.dirname, '../conformance/grpc-interop/interop-server.ts');

let mesh: TestMesh;
const started: Background[] = [];
const callers = new Map<string, Awaited<ReturnType<typeof runCaller>>>();

/** A program outside of the mesh, and the objects by which the mesh knows it. */
async function serveWithout(name: string, appProtocol: string, program: string): Promise<void> {
  const port = await freePort();
  started.push(startBackground(process.execPath, [program], { env: { PORT: String(port), SPEAKS: 'http' } }));
  await declare(name, appProtocol, { address: '127.0.0.1', ports: { main: port } });
}

/** The same on a Unix socket, which has no port. */
async function serveOnSocket(name: string): Promise<void> {
  const path = join(mesh.home, `${name}.sock`);
  const code = `require('node:http').createServer((request, response) => response.end('by socket'))
    .listen(${JSON.stringify(path)})`;
  started.push(startBackground(process.execPath, ['-e', code], {}));
  await declare(name, 'http', { address: `unix://${path}` });
}

async function declare(name: string, appProtocol: string, address: Record<string, unknown>): Promise<void> {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { selector: { app: name }, ports: [{ name: 'main', port: 80, appProtocol }] },
  };
  const entry = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadEntry',
    metadata: { name, namespace: 'default' },
    spec: { ...address, labels: { app: name } },
  };
  for (const [path, object] of [
    ['/api/v1/namespaces/default/services', service],
    ['/apis/networking.istio.io/v1/namespaces/default/workloadentries', entry],
  ] as const) {
    const { status, body } = await mesh.api().request('POST', path, object);
    assert.equal(status, 201, JSON.stringify(body));
  }
}

before(async () => {
  mesh = await startMesh();
  await serveWithout('plain-http', 'http', programs.anyProtocol);
  await serveWithout('plain-grpc', 'grpc', grpcServer);
  await serveOnSocket('socket');
  for (const engine of availableEngines) {
    await runService(mesh, `open-${engine}`, engine, programs.anyProtocol, { env: { SPEAKS: 'http' } });
    const policy = {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name: `open-${engine}`, namespace: 'default' },
      spec: { selector: { matchLabels: { app: `open-${engine}` } }, mtls: { mode: 'DISABLE' } },
    };
    const path = '/apis/security.istio.io/v1/namespaces/default/peerauthentications';
    assert.equal((await mesh.api().request('POST', path, policy)).status, 201);
  }
  const upstreams = [
    'plain-http:80',
    'plain-grpc:80',
    'socket:80',
    ...availableEngines.map((engine) => `open-${engine}:80`),
  ];
  for (const engine of availableEngines) {
    callers.set(engine, await runCaller(mesh, `caller-${engine}`, engine, upstreams));
  }
});

after(async () => {
  await Promise.all(started.map((process) => process.stop()));
  await mesh?.stop();
});

for (const engine of ['weft', 'envoy'] as const) {
  describe(`plaintext from ${engine}`, { skip: engine === 'envoy' ? peerSkip('envoy') : false }, () => {
    const portOf = (upstream: string): number => callers.get(engine)?.ports.get(upstream) ?? 0;
    const request = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';

    test('an HTTP service without a sidecar gets HTTP/1.1', async () => {
      await eventually(
        async () => /\r\n\r\n.*HTTP\/1\.1/s.test(await exchangeOnce(portOf('plain-http:80'), request, () => false)),
        { what: 'an answer' },
      );
    });

    test('a gRPC service without a sidecar gets HTTP/2', async () => {
      const { TestService } = interopApi();
      const client = new TestService(`127.0.0.1:${portOf('plain-grpc:80')}`, credentials.createInsecure(), {
        'grpc.enable_http_proxy': 0,
      }) as unknown as TestServiceClient;
      await eventually(
        () =>
          new Promise((resolve, reject) => {
            client.emptyCall({}, (error) => (error === null ? resolve(true) : reject(error)));
          }),
        { what: 'an answer' },
      );
      client.close();
    });

    test('an endpoint on a Unix socket is reached by its path', async () => {
      await eventually(
        async () => (await exchangeOnce(portOf('socket:80'), request, () => false)).includes('by socket'),
        { what: 'an answer' },
      );
    });

    for (const to of ['weft', 'envoy'] as const) {
      test(`a sidecar (${to}) whose policy is DISABLE is spoken to in plaintext`, {
        skip: to === 'envoy' ? peerSkip('envoy') : false,
      }, async () => {
        await eventually(
          async () => (await exchangeOnce(portOf(`open-${to}:80`), request, () => false)).startsWith('HTTP/1.1 200'),
          { what: 'an answer' },
        );
      });
    }
  });
}
