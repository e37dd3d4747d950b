import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
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
import { OpensslAuthority } from '../../packages/proxy/test/support/openssl-authority.ts';
import { availableEngines, type EngineName, engineEnvironment } from './engine-pairs.ts';

/** Which clients Gateways of Istio let in: by files of the gateway's machine and by Secrets, through both engines. */

const scratch = mkdtempSync(join(tmpdir(), 'weft-client-certificates-'));
const gateways = new Map<
  EngineName,
  { readonly process: Background; readonly port: number; readonly otherPort: number }
>();
const clients: Record<string, ConnectionOptions> = { nobody: {} };
let mesh: TestMesh;
let root: OpensslAuthority;

const skipOpenssl = peerSkip('openssl');

/** Who comes in at which server. */
const lets: Readonly<Record<string, readonly string[]>> = {
  'listed.example': ['good', 'other'],
  'pinned.example': ['good'],
  'optional.example': ['good', 'other', 'nobody'],
  'closed.example': [],
};

/** @param list what the Secret has for revoked certificates. */
function objects(list: string | Buffer): string {
  const base64 = (file: string): string => Buffer.from(root.read(file)).toString('base64');
  const { certificate, key } = root.hashes('good');
  const files = `serverCertificate: ${root.path('server.pem')}, privateKey: ${root.path('server.key')}`;
  const server = (name: string, port: number, tls: string): string => `
  - port: {number: ${port}, name: ${name}, protocol: HTTPS}
    hosts: [${name}.example]
    tls: {${tls}}`;
  return `
apiVersion: v1
kind: Secret
metadata: {name: server, namespace: default}
type: kubernetes.io/tls
data: {tls.crt: ${base64('server.pem')}, tls.key: ${base64('server.key')}, ca.crt: ${base64('ca.pem')}, ca.crl: ${Buffer.from(list).toString('base64')}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec:
  selector: {istio: edge}
  servers:${server('listed', 443, `mode: MUTUAL, ${files}, caCertificates: ${root.certificate}, caCrl: ${root.path('root.crl')}`)}
${server('pinned', 443, `mode: MUTUAL, ${files}, caCertificates: ${root.certificate}, verifyCertificateHash: ["${'0'.repeat(64)}", "${certificate}"], verifyCertificateSpki: ["${key}"]`)}
${server('optional', 443, 'mode: OPTIONAL_MUTUAL, credentialName: server')}
${server('closed', 443, `mode: SIMPLE, ${files}, verifyCertificateHash: ["${certificate}"]`)}
${server('ended', 444, `mode: MUTUAL, ${files}, caCertificates: ${root.certificate}, caCrl: ${root.path('lost.crl')}`)}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: default}
spec:
  hosts: ["*.example"]
  gateways: [edge]
  http: [{directResponse: {status: 200}}]
`;
}

before(async () => {
  if (skipOpenssl !== false) {
    return;
  }
  root = new OpensslAuthority(scratch, 'root');
  for (const name of ['server', 'good', 'other', 'bad']) {
    root.issue(name);
  }
  for (const name of ['good', 'other', 'bad']) {
    clients[name] = root.pair(name);
  }
  root.revoke('bad');
  root.writeList('root.crl');
  mesh = await startMesh();
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input: objects(root.read('root.crl')) });
  assert.equal(code, 0, stderr);
  for (const engine of availableEngines) {
    const [port, otherPort] = [await freePort(), await freePort()];
    const process_ = startBackground(
      process.execPath,
      [
        ...[programs.weft, 'gateway', `edge-${engine}`, '--label', 'istio=edge', '--engine', engine],
        ...['--port', `443=${port}`, '--port', `444=${otherPort}`],
      ],
      { env: { ...mesh.env, ...engineEnvironment } },
    );
    gateways.set(engine, { process: process_, port, otherPort });
  }
});

after(async () => {
  await Promise.all([...gateways.values()].map((gateway) => gateway.process.stop()));
  await mesh?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** What a client is answered: the status, or nothing. */
function ask(port: number, servername: string, shown: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false, ...shown });
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text.split(' ')[1] ?? ''));
    socket.write(`GET / HTTP/1.1\r\nhost: ${servername}\r\n\r\n`);
  });
}

async function conditionsOf(): Promise<string> {
  return (await mesh.weft(['get', 'gateways.networking.istio.io', 'edge', '-o', 'json'])).stdout;
}

for (const engine of ['weft', 'envoy'] as const) {
  const skip = skipOpenssl || (engine === 'envoy' ? peerSkip('envoy') : false);

  test(`clients that are not revoked and are meant come in, and no others (${engine})`, { skip }, async () => {
    const { port = 0, process: gateway } = gateways.get(engine) ?? {};
    await eventually(async () => (await ask(port, 'optional.example', clients['good'] ?? {})) === '200', {
      what: 'the gateway serves',
      timeoutMs: 60_000,
    }).catch((error: Error) => assert.fail(`${error.message}: ${gateway?.output()}`));
    for (const [host, some] of Object.entries(lets)) {
      for (const [who, shown] of Object.entries(clients)) {
        assert.equal(await ask(port, host, shown), some.includes(who) ? '200' : '', `${host}: ${who}`);
      }
    }
  });

  test(`a list that cannot be read closes its listener alone, and the status has the words of the proxy (${engine})`, {
    skip,
  }, async () => {
    const { otherPort = 0 } = gateways.get(engine) ?? {};
    assert.equal(await ask(otherPort, 'ended.example', clients['good'] ?? {}), '');
    const isSaid = async (): Promise<boolean> => {
      const said = await conditionsOf();
      return said.includes('RefusedByProxy') && said.includes('lost.crl');
    };
    await eventually(isSaid, {
      what: 'the status says which file',
    }).catch(async (error: Error) => assert.fail(`${error.message}: ${await conditionsOf()}`));
  });
}

test('what asks for certificates of nobody is said, and a Secret with a list that is none closes its server', {
  skip: skipOpenssl,
}, async () => {
  assert.match(
    await conditionsOf(),
    /spec\.servers\[3\]\.tls\.verifyCertificateHash \(mode SIMPLE asks clients for no certificate, so connections are closed/,
  );
  const input = objects(Buffer.from('no list'));
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input });
  assert.equal(code, 0, stderr);
  for (const { port } of gateways.values()) {
    await eventually(async () => (await ask(port, 'optional.example', clients['nobody'] ?? {})) === '', {
      what: 'the server is closed',
    });
    assert.equal(await ask(port, 'pinned.example', clients['good'] ?? {}), '200', 'the others serve');
  }
  assert.match(await conditionsOf(), /ca\.crl of Secret default\/server is no list of revoked certificates/);
});
