import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, freePort, peerSkip, programs, startMesh, type TestMesh } from '@weft/testkit';
import { availableEngines, type EngineName, engineEnvironment, runService } from './engine-pairs.ts';
import { requestThroughProxy } from './http-proxy-request.ts';
import { exchange } from './raw-exchange.ts';

/** Where a Sidecar has proxies listen, with real peers: each engine takes what the Sidecar opens, and calls as it says. */

const scratch = mkdtempSync(join(tmpdir(), 'weft-sidecar-'));
const servers: (Server | TcpServer)[] = [];
let mesh: TestMesh;

interface Parts {
  readonly httpProxyPort: number;
  /** Where the caller reaches the host of the egress listener. */
  readonly egressPort: number;
}
const parts = new Map<EngineName, Parts>();

async function serve(server: Server | TcpServer, at: string | 0): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) =>
    at === 0 ? server.listen(0, '127.0.0.1', resolve) : server.listen(at, resolve),
  );
  return at === 0 ? (server.address() as AddressInfo).port : 0;
}

const says =
  (name: string, afterMs = 0): RequestListener =>
  (request, response) =>
    void setTimeout(() => response.end(`${name} for ${request.headers.host}`), afterMs);

async function prepare(engine: EngineName): Promise<void> {
  const [appPort, socketPort, slowPort, egressPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const otherPort = await serve(createServer(says('other')), 0);
  const socket = join(scratch, `${engine}.sock`);
  await serve(createServer(says('socket')), socket);
  const slowAppPort = await serve(createServer(says('slow', 500)), 0);
  const echoPort = await serve(
    createTcpServer((connection) => connection.on('error', () => {}).on('data', (data) => connection.write(data))),
    0,
  );
  await runService(mesh, `web-${engine}`, engine, programs.echo, { flags: ['--port', `80:${appPort}`] });
  const service = (name: string, targetPort: number): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}-${engine}, namespace: default}
spec:
  selector: {app: web-${engine}}
  ports: [{name: http-${name}, port: 80, targetPort: ${targetPort}}]
---`;
  const objects = `${service('socket', socketPort)}${service('slow', slowPort)}
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: web-${engine}, namespace: default}
spec:
  workloadSelector: {labels: {app: web-${engine}}}
  ingress:
  - port: {number: ${appPort}, protocol: HTTP, name: http}
    defaultEndpoint: 127.0.0.1:${otherPort}
  - port: {number: ${socketPort}, protocol: HTTP, name: socket}
    defaultEndpoint: unix://${socket}
  - port: {number: ${slowPort}, protocol: HTTP, name: slow}
    defaultEndpoint: 0.0.0.0:${slowAppPort}
    connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: database-${engine}, namespace: default}
spec:
  hosts: [database-${engine}.example]
  ports: [{number: ${egressPort}, name: tcp, protocol: TCP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {tcp: ${echoPort}}}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: client-${engine}, namespace: default}
spec:
  workloadSelector: {labels: {app: client-${engine}}}
  egress:
  - port: {number: ${egressPort}, protocol: TCP, name: database}
    bind: 127.0.0.1
    captureMode: NONE
    hosts: ["*/database-${engine}.example"]
  - hosts: ["*/*"]
  outboundTrafficPolicy:
    mode: ALLOW_ANY
    egressProxy: {host: web-${engine}.default.svc.cluster.local, port: {number: 80}}
`;
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input: objects });
  assert.equal(code, 0, stderr);
  const args = ['--name', `client-${engine}`, '--engine', engine, '--', 'sleep', '1000'];
  const { httpProxyPort } = await mesh.runWorkload(args, { env: engineEnvironment });
  parts.set(engine, { httpProxyPort, egressPort });
}

before(async () => {
  mesh = await startMesh();
  await Promise.all(availableEngines.map(prepare));
});

after(async () => {
  await mesh?.stop();
  for (const server of servers) {
    server.close();
  }
  rmSync(scratch, { recursive: true, force: true });
});

for (const engine of ['weft', 'envoy'] as const) {
  const skip = engine === 'envoy' ? peerSkip('envoy') : false;
  const get = async (url: string): Promise<string> => {
    const { status, body } = await requestThroughProxy(parts.get(engine)?.httpProxyPort ?? 0, url);
    return status === 200 ? body : String(status);
  };
  const answers = (url: string, body: string): Promise<unknown> =>
    eventually(async () => (await get(url)) === body, { what: `${url} is answered by ${body}` });

  test(`a port of the application goes where the Sidecar says, by the socket that peers know (${engine})`, {
    skip,
  }, async () => {
    await answers(`http://web-${engine}/`, `other for web-${engine}`);
  });

  test(`other ports get sockets of their own, which Services lead to (${engine})`, { skip }, async () => {
    await answers(`http://socket-${engine}/`, `socket for socket-${engine}`);
    await answers(`http://slow-${engine}/`, `slow for slow-${engine}`);
  });

  test(`connections to the application are limited as the listener says (${engine})`, { skip }, async () => {
    await answers(`http://slow-${engine}/`, `slow for slow-${engine}`);
    const all = await Promise.all(Array.from({ length: 6 }, () => get(`http://slow-${engine}/`)));
    // One has the connection, one waits for it.
    assert.deepEqual([...all].sort(), [
      '503',
      '503',
      '503',
      '503',
      `slow for slow-${engine}`,
      `slow for slow-${engine}`,
    ]);
  });

  test(`an egress listener is a local port for its host (${engine})`, { skip }, async () => {
    const { text, socket } = await exchange(parts.get(engine)?.egressPort ?? 0, 'ping', (said) => said === 'ping');
    socket.destroy();
    assert.equal(text, 'ping');
  });

  test(`a host that nothing has goes to the egress proxy (${engine})`, { skip }, async () => {
    await answers('http://unknown.example/', 'other for unknown.example');
  });
}
