import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
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
import { createIssuer, createKeyPair } from '../conformance/gateway-api/certificates.ts';
import { availableEngines, type EngineName, engineEnvironment } from './engine-pairs.ts';
import { requestThroughProxy } from './http-proxy-request.ts';

/** TLS to hosts outside that a BackendTLSPolicy asks for, through sidecars and gateways of both engines. */

let mesh: TestMesh;
let server: Server;
const callers = new Map<EngineName, number>();
const gateways = new Map<EngineName, { readonly process: Background; readonly port: number }>();

function objects(port: number, authority: string): string {
  const outside = (name: string, hostname: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: default}
spec:
  hosts: [${name}.example]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: ${port}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: ${name}, namespace: default}
spec:
  targetRefs: [{group: networking.istio.io, kind: ServiceEntry, name: ${name}, sectionName: http}]
  validation:
    hostname: ${hostname}
    caCertificateRefs: [{group: "", kind: ConfigMap, name: authority}]
---`;
  return `
apiVersion: v1
kind: ConfigMap
metadata: {name: authority, namespace: default}
data: {ca.crt: ${JSON.stringify(authority)}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: secure, namespace: default}
spec: {host: secure.example, trafficPolicy: {tls: {mode: DISABLE}}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  selector: {istio: edge}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: default}
spec:
  hosts: ["*.example"]
  gateways: [edge]
  http:
  - match: [{authority: {exact: secure.example}}]
    route: [{destination: {host: secure.example, port: {number: 80}}}]
  - route: [{destination: {host: another.example, port: {number: 80}}}]
---${outside('secure', 'backend.example')}${outside('another', 'other.example')}
`;
}

before(async () => {
  const issuer = await createIssuer('authority of the test');
  const { certificate, key } = await createKeyPair(['backend.example'], { issuer });
  server = createServer({ cert: certificate, key }, ({ socket, headers }, response) =>
    response.end(`${headers.host} as ${(socket as TLSSocket & { readonly servername: string }).servername}`),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mesh = await startMesh();
  const input = objects((server.address() as AddressInfo).port, issuer.certificate);
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input });
  assert.equal(code, 0, stderr);
  for (const engine of availableEngines) {
    const args = ['--name', `client-${engine}`, '--engine', engine, '--', 'sleep', '1000'];
    callers.set(engine, (await mesh.runWorkload(args, { env: engineEnvironment })).httpProxyPort);
    const port = await freePort();
    const gateway = startBackground(
      process.execPath,
      [
        ...[programs.weft, 'gateway', `edge-${engine}`, '--label', 'istio=edge', '--engine', engine],
        ...['--port', `80=${port}`],
      ],
      { env: { ...mesh.env, ...engineEnvironment } },
    );
    gateways.set(engine, { process: gateway, port });
  }
});

after(async () => {
  await Promise.all([...gateways.values()].map((gateway) => gateway.process.stop()));
  await mesh?.stop();
  server?.closeAllConnections();
  server?.close();
});

function atGateway(port: number, host: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, headers: { host }, agent: false }, (response) => {
      let body = '';
      response.on('data', (bytes: Buffer) => {
        body += bytes.toString('utf8');
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('error', () => resolve({ status: 0, body: '' }));
    asked.end();
  });
}

for (const engine of ['weft', 'envoy'] as const) {
  const skip = engine === 'envoy' ? peerSkip('envoy') : false;
  const ways = {
    sidecar: (host: string) => requestThroughProxy(callers.get(engine) ?? 0, `http://${host}/`),
    gateway: (host: string) => atGateway(gateways.get(engine)?.port ?? 0, host),
  };
  for (const [name, ask] of Object.entries(ways)) {
    test(`a ${name} speaks TLS with a host outside, whatever a DestinationRule says, and checks its name (${engine})`, {
      skip,
    }, async () => {
      await eventually(async () => (await ask('secure.example')).body === 'secure.example as backend.example', {
        what: 'the host outside answers',
        timeoutMs: 60_000,
      });
      const { status, body } = await ask('another.example');
      assert.equal(status, 503, body);
    });
  }
}

test('the status of the policy names the ServiceEntry', async () => {
  const { stdout } = await mesh.weft(['get', 'backendtlspolicies', 'secure', '-o', 'json']);
  const { status } = JSON.parse(stdout) as {
    readonly status: {
      readonly ancestors: readonly {
        readonly ancestorRef: object;
        readonly conditions: readonly { readonly type: string; readonly status: string }[];
      }[];
    };
  };
  const [ancestor, ...others] = status.ancestors;
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...ancestor?.ancestorRef },
    { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'secure', namespace: 'default' },
  );
  assert.deepEqual(
    ancestor?.conditions.map(({ type, status: holds }) => [type, holds]),
    [
      ['Accepted', 'True'],
      ['ResolvedRefs', 'True'],
    ],
  );
});
