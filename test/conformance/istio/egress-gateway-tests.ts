import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import {
  type Background,
  type DnsServer,
  eventually,
  peerSkip,
  programs,
  replaceFile,
  startBackground,
  startDnsServer,
  startMesh,
  type TestMesh,
} from '@weft/testkit';
import { availableEngines, engineEnvironment, runCaller } from '../../integration/engine-pairs.ts';
import { requestThroughProxy } from '../../integration/http-proxy-request.ts';
import { createKeyPair } from '../gateway-api/certificates.ts';
import { gatewayService, originatedTls, passedThrough, plainHttp } from './egress-gateway-objects.ts';
import { OutsideHost } from './outside.ts';

/** Istio's tasks on egress gateways: what leaves the mesh leaves it by `weft gateway`, and a host outside sees nobody else. */

const name = 'edition.outside.example';
let mesh: TestMesh;
let dns: DnsServer;
let outside: OutsideHost;

interface Sidecar {
  readonly engine: string;
  readonly httpProxyPort: number;
  /** Leads to port 443 of the host. */
  readonly tlsPort: number;
}
const sidecars: Sidecar[] = [];

before(async () => {
  outside = await OutsideHost.start(name, '127.0.80.1');
  dns = await startDnsServer('127.0.53.1', 53, (asked) => (asked === name ? [outside.address] : undefined));
  replaceFile('/etc/resolv.conf', 'nameserver 127.0.53.1\n');
  replaceFile('/etc/ssl/certs/ca-certificates.crt', outside.authority);
  mesh = await startMesh();
  for (const engine of availableEngines) {
    const { workload, ports } = await runCaller(mesh, `client-${engine}`, engine, [`${name}:443`]);
    const tlsPort = ports.get(`${name}:443`) ?? 0;
    sidecars.push({ engine, httpProxyPort: workload.httpProxyPort, tlsPort });
  }
});

after(async () => {
  await mesh?.stop();
  outside?.stop();
  dns?.close();
});

/** Runs the gateway and applies objects for the time of one test. */
async function egress(t: TestContext, engine: string, objects: string): Promise<Background> {
  const gateway = startBackground(
    process.execPath,
    [
      ...[programs.weft, 'gateway', 'egress', '--namespace', 'istio-system', '--label', 'istio=egressgateway'],
      ...['--port', '80=8080', '--port', '443=8443', '--engine', engine],
    ],
    { env: { ...mesh.env, ...engineEnvironment } },
  );
  t.after(async () => {
    await gateway.stop();
    await mesh.weft(['delete', '-f', '-'], { input: objects });
  });
  const { code, stdout, stderr } = await mesh.weft(['apply', '-f', '-'], { input: objects });
  assert.equal(code, 0, `${stdout}${stderr}`);
  await eventually(() => /serves Gateway/.test(gateway.output()), {
    what: 'the gateway serves',
    timeoutMs: 30_000,
  }).catch((error: Error) => assert.fail(`${error.message}: ${gateway.output()}`));
  return gateway;
}

/** A request by a workload; the answer's status and body. */
async function get({ httpProxyPort }: Sidecar, path: string): Promise<string> {
  const { status, body } = await requestThroughProxy(httpProxyPort, `http://${name}${path}`);
  return `${status} ${body}`;
}

/** HTTPS that a workload speaks itself, through a declared upstream. */
function getSecurely({ tlsPort }: Sidecar, path: string, servername: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: tlsPort, servername, ca: outside.authority });
    let text = '';
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${name}\r\nconnection: close\r\n\r\n`);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => resolve('closed'));
    socket.on('close', () => resolve(text === '' ? 'closed' : text.slice(text.indexOf('\r\n\r\n') + 4)));
  });
}

/** Until requests by a workload come to the host from the gateway. */
async function isWay(request: (path: string) => Promise<unknown>, path: string): Promise<void> {
  await eventually(
    async () => {
      await request(path);
      return outside.seen.some((seen) => seen.path === path && seen.from.includes('istio-system'));
    },
    { what: 'the host is reached by the gateway', timeoutMs: 15_000 },
  );
}

/** What the host saw of a request, which must have come from the gateway. */
function seenFromGateway(path: string, engine: string): string {
  const { from, secure, serverName, clientNames } = outside.only(path);
  assert.match(from, /istio-system\.egress-/, `${engine}: ${path}`);
  assert.doesNotMatch(from, /client-/);
  return secure ? `https ${serverName} ${clientNames}`.trim() : 'http';
}

for (const engine of ['weft', 'envoy'] as const) {
  const skip = engine === 'envoy' ? peerSkip('envoy') : false;

  test(`HTTP leaves by the gateway, and not at all without it (${engine})`, { skip }, async (t) => {
    const gateway = await egress(t, engine, `${gatewayService}${plainHttp(name)}`);
    for (const sidecar of sidecars) {
      const path = `/plain-${engine}-${sidecar.engine}`;
      await isWay((first) => get(sidecar, first), `/first${path}`);
      assert.equal(await get(sidecar, path), `200 ${name} http`);
      assert.equal(seenFromGateway(path, engine), 'http');
    }
    await gateway.stop();
    for (const sidecar of sidecars) {
      const path = `/without-${engine}-${sidecar.engine}`;
      await eventually(async () => (await get(sidecar, path)).startsWith('503'), { what: 'nobody passes it on' });
      assert.throws(() => outside.only(path), /saw 0 requests/);
    }
  });

  test(`mutual TLS to the gateway, TLS from there by the roots of the machine (${engine})`, { skip }, async (t) => {
    await egress(t, engine, `${gatewayService}${originatedTls(name, '{mode: SIMPLE}')}`);
    for (const sidecar of sidecars) {
      const path = `/originated-${engine}-${sidecar.engine}`;
      await isWay((first) => get(sidecar, first), `/first${path}`);
      assert.equal(await get(sidecar, path), `200 ${name} https`);
      assert.equal(seenFromGateway(path, engine), `https ${name}`);
    }
  });

  test(`the gateway shows the certificate of a Secret of its namespace (${engine})`, { skip }, async (t) => {
    const client = await createKeyPair(['client.mesh.example']);
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const secret = `
apiVersion: v1
kind: Secret
metadata: {name: client-credential, namespace: istio-system}
data:
  tls.crt: ${base64(client.certificate)}
  tls.key: ${base64(client.key)}
  ca.crt: ${base64(outside.authority)}
`;
    const rules = originatedTls(name, `{mode: MUTUAL, credentialName: client-credential, sni: ${name}}`);
    await egress(t, engine, `${gatewayService}---${secret}${rules}`);
    for (const sidecar of sidecars) {
      const path = `/credential-${engine}-${sidecar.engine}`;
      await isWay((first) => get(sidecar, first), `/first${path}`);
      assert.equal(await get(sidecar, path), `200 ${name} https`);
      assert.equal(seenFromGateway(path, engine), `https ${name} DNS:client.mesh.example`);
    }
  });

  test(`TLS of the application is passed on by its server name (${engine})`, { skip }, async (t) => {
    await egress(t, engine, `${gatewayService}${passedThrough(name)}`);
    for (const sidecar of sidecars) {
      const path = `/passed-${engine}-${sidecar.engine}`;
      await isWay((first) => getSecurely(sidecar, first, name), `/first${path}`);
      assert.match(await getSecurely(sidecar, path, name), /edition\.outside\.example https/);
      assert.equal(seenFromGateway(path, engine), `https ${name}`);
    }
  });
}
