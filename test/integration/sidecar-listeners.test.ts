import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, request, type Server } from 'node:http';
import {
  type AddressInfo,
  connect as connectPlain,
  createServer as createTcpServer,
  type Server as TcpServer,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { eventually, freePort, peerSkip, programs, startMesh, type TestMesh } from '@weft/testkit';
import { createIssuer, createKeyPair } from '../conformance/gateway-api/certificates.ts';
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
  /** Where the caller reaches several hosts. */
  readonly sharedPort: number;
  /** Where those who are not of the mesh reach the service by TLS. */
  readonly tlsPort: number;
}
const certificate = join(scratch, 'certificate.pem');
const key = join(scratch, 'key.pem');
let authority = '';
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
  const [appPort, socketPort, slowPort, egressPort, tlsPort, sharedPort] = await Promise.all(
    Array.from({ length: 6 }, () => freePort()),
  );
  assert.ok(tlsPort !== undefined && egressPort !== undefined && socketPort !== undefined && slowPort !== undefined);
  assert.ok(sharedPort !== undefined);
  const otherPort = await serve(createServer(says('other')), 0);
  const socket = join(scratch, `${engine}.sock`);
  await serve(createServer(says('socket')), socket);
  const slowAppPort = await serve(createServer(says('slow', 500)), 0);
  const echoPort = await serve(
    createTcpServer((connection) => connection.on('error', () => {}).on('data', (data) => connection.write(data))),
    0,
  );
  await runService(mesh, `web-${engine}`, engine, programs.echo, { flags: ['--port', `80:${appPort}`] });
  const service = (name: string, targetPort: number, port = 80): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}-${engine}, namespace: default}
spec:
  selector: {app: web-${engine}}
  ports: [{name: http-${name}, port: ${port}, targetPort: ${targetPort}}]
---`;
  const both = `${service('left', socketPort, sharedPort)}${service('right', slowPort, sharedPort)}`;
  const objects = `${service('socket', socketPort)}${service('slow', slowPort)}${both}
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
  - port: {number: ${tlsPort}, protocol: HTTPS, name: https}
    defaultEndpoint: 127.0.0.1:${otherPort}
    tls: {mode: SIMPLE, serverCertificate: ${certificate}, privateKey: ${key}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: web-${engine}, namespace: default}
spec:
  selector: {matchLabels: {app: web-${engine}}}
  portLevelMtls: {${tlsPort}: {mode: DISABLE}}
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
  - port: {number: ${sharedPort}, protocol: HTTP, name: both}
    captureMode: NONE
    hosts: [./left-${engine}.default.svc.cluster.local, "./*.default.svc.cluster.local"]
  - hosts: ["*/*"]
  outboundTrafficPolicy:
    mode: ALLOW_ANY
    egressProxy: {host: web-${engine}.default.svc.cluster.local, port: {number: 80}}
`;
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input: objects });
  assert.equal(code, 0, stderr);
  const args = ['--name', `client-${engine}`, '--engine', engine, '--', 'sleep', '1000'];
  const { httpProxyPort } = await mesh.runWorkload(args, { env: engineEnvironment });
  parts.set(engine, { httpProxyPort, egressPort, sharedPort, tlsPort });
}

before(async () => {
  const issuer = await createIssuer('authority of the test');
  authority = issuer.certificate;
  const pair = await createKeyPair(['web.example'], { issuer });
  writeFileSync(certificate, pair.certificate);
  writeFileSync(key, pair.key);
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

/** What a port answers before it closes the connection. */
function firstBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectPlain(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

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
    const served = all.filter((answer) => answer === `slow for slow-${engine}`).length;
    // One has the connection, one waits for it; Envoy lets each of its two threads have one whatever the limit is.
    assert.ok(served >= 2 && served <= (engine === 'envoy' ? 4 : 2), JSON.stringify(all));
    assert.equal(all.filter((answer) => answer === '503').length, 6 - served);
  });

  test(`clients outside of the mesh are served by TLS, and not in the clear (${engine})`, { skip }, async () => {
    const port = parts.get(engine)?.tlsPort ?? 0;
    const head = 'GET / HTTP/1.1\r\nhost: web.example\r\nconnection: close\r\n';
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, servername: 'web.example', ca: authority });
      let text = '';
      socket.write(`${head}\r\n`);
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
    });
    assert.match(answer, /^HTTP\/1\.1 200 .*other for web\.example/s);
    assert.equal(await firstBytes(port, `${head}\r\n`), '');
  });

  test(`an egress listener is a local port for its host (${engine})`, { skip }, async () => {
    const { text, socket } = await exchange(parts.get(engine)?.egressPort ?? 0, 'ping', (said) => said === 'ping');
    socket.destroy();
    assert.equal(text, 'ping');
  });

  test(`an egress listener for several hosts tells them apart by the authority (${engine})`, { skip }, async () => {
    const { sharedPort = 0 } = parts.get(engine) ?? {};
    const at = (host: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const asked = request({ host: '127.0.0.1', port: sharedPort, headers: { host } }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (piece: string) => {
            body += piece;
          });
          response.on('end', () => resolve(body));
        });
        asked.on('error', reject).end();
      });
    for (const [name, application] of [
      [`left-${engine}`, 'socket'],
      [`right-${engine}:${sharedPort}`, 'slow'],
      [`right-${engine}.default.svc.cluster.local`, 'slow'],
    ] as const) {
      await eventually(async () => (await at(name)) === `${application} for ${name}`, { what: `${name} is reached` });
    }
  });

  test(`a host that nothing has goes to the egress proxy (${engine})`, { skip }, async () => {
    await answers('http://unknown.example/', 'other for unknown.example');
  });
}
