import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  conformanceData,
  type DnsServer,
  eventually,
  peerSkip,
  replaceFile,
  startDnsServer,
  startMesh,
  type TestMesh,
} from '@weft/testkit';
import { parseAllDocuments } from 'yaml';
import { availableEngines, engineEnvironment } from '../../integration/engine-pairs.ts';
import { requestThroughProxy } from '../../integration/http-proxy-request.ts';
import { OutsideHost } from './outside.ts';

/** Istio's samples that lead out of the mesh, applied as they are: names are found in a DNS, and real servers stand behind them. */

const data = conformanceData('istio/samples');
const { skip } = data;
let mesh: TestMesh;
let dns: DnsServer;
let googleapis: OutsideHost;
/** Stands behind all names below its own. */
let anyHost: OutsideHost;
const authorizers: (Server | Http2Server)[] = [];
const sidecars = new Map<string, number>();

before(async () => {
  googleapis = await OutsideHost.start('www.googleapis.com', '127.0.80.1');
  anyHost = await OutsideHost.start('any.example', '127.0.80.2');
  dns = await startDnsServer('127.0.53.1', 53, (name) =>
    name === googleapis.name ? [googleapis.address] : name.endsWith('.any.example') ? [anyHost.address] : undefined,
  );
  replaceFile('/etc/resolv.conf', 'nameserver 127.0.53.1\n');
  replaceFile('/etc/ssl/certs/ca-certificates.crt', googleapis.authority);
  mesh = await startMesh();
  await Promise.all(
    availableEngines.map(async (engine) => {
      const args = ['--name', `client-${engine}`, '--engine', engine, '--', 'sleep', '1000'];
      sidecars.set(engine, (await mesh.runWorkload(args, { env: engineEnvironment })).httpProxyPort);
    }),
  );
});

after(async () => {
  await mesh?.stop();
  googleapis?.stop();
  anyHost?.stop();
  dns?.close();
  for (const server of authorizers) {
    server.close();
  }
});

async function apply(...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await mesh.weft(['apply', ...args]);
  assert.equal(code, 0, `${stdout}${stderr}`);
}

const engines = ['weft', 'envoy'] as const;
const skipped = (engine: (typeof engines)[number]): string | false =>
  skip !== false ? skip : engine === 'envoy' ? peerSkip('envoy') : false;

test('bookinfo: a host outside is known to nobody without its ServiceEntry', { skip }, async () => {
  for (const port of sidecars.values()) {
    assert.equal((await requestThroughProxy(port, 'http://www.googleapis.com/none')).status, 404);
  }
  await apply('-f', join(data.folder, 'bookinfo/networking/egress-rule-google-apis.yaml'));
});

for (const engine of engines) {
  test(`bookinfo: plain requests to Google leave the sidecar as HTTPS (${engine})`, {
    skip: skipped(engine),
  }, async () => {
    const port = sidecars.get(engine) ?? 0;
    const get = (path: string) => requestThroughProxy(port, `http://www.googleapis.com${path}`);
    await eventually(async () => (await get('/ready')).status === 200, { what: 'the host is reached' });
    const answer = await get(`/books-${engine}`);
    assert.equal(answer.body, 'www.googleapis.com https');
    const { secure, serverName, authority, from } = googleapis.only(`/books-${engine}`);
    assert.deepEqual(
      { secure, serverName, authority },
      { secure: true, serverName: googleapis.name, authority: googleapis.name },
    );
    assert.match(from, new RegExp(`client-${engine}`));
    assert.ok(dns.asked.includes(googleapis.name));
  });
}

test('bookinfo: nothing is sent in the clear to a server that no root of the machine vouches for', {
  skip,
}, async () => {
  googleapis.stop();
  const other = await OutsideHost.start(googleapis.name, googleapis.address);
  try {
    for (const [engine, port] of sidecars) {
      const before = other.connections.length;
      const answer = await requestThroughProxy(port, `http://www.googleapis.com/other-${engine}`);
      assert.equal(answer.status, 503, engine);
      assert.ok(other.connections.length > before, `${engine} has not tried`);
    }
    assert.deepEqual(other.seen, []);
    assert.ok(!other.connections.includes(80), 'in the clear');
  } finally {
    other.stop();
  }
});

test('extauthz: the services beside the application are reached by their names', { skip }, async () => {
  const file = join(data.folder, 'extauthz/local-ext-authz.yaml');
  const entries = parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document) => document.toJS() as { readonly kind: string } | null)
    .filter((object) => object?.kind === 'ServiceEntry');
  for (const entry of entries) {
    const path = '/apis/networking.istio.io/v1/namespaces/default/serviceentries';
    assert.equal((await mesh.api().request('POST', path, entry)).status, 201);
  }
  authorizers.push(
    createServer((_request, response) => response.end('http/1.1')).listen(8000, '127.0.0.1'),
    createHttp2Server((_request, response) => response.end('h2')).listen(9000, '127.0.0.1'),
  );
  for (const port of sidecars.values()) {
    const get = (url: string) => requestThroughProxy(port, url);
    await eventually(async () => (await get('http://ext-authz-http.local:8000/')).body === 'http/1.1', {
      what: 'the HTTP service answers',
    });
    await eventually(async () => (await get('http://ext-authz-grpc.local:9000/')).body === 'h2', {
      what: 'the gRPC service answers',
    });
  }
});

for (const resolution of ['DYNAMIC_DNS', 'NONE'] as const) {
  test(`hosts below a wildcard are found in the DNS when they are asked for (${resolution})`, async () => {
    const domain = `${resolution.toLowerCase().replace('_', '-')}.any.example`;
    const entry = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: `wildcard-${resolution.toLowerCase().replace('_', '-')}`, namespace: 'default' },
      spec: { hosts: [`*.${domain}`], ports: [{ number: 80, name: 'http', protocol: 'HTTP' }], resolution },
    };
    const path = '/apis/networking.istio.io/v1/namespaces/default/serviceentries';
    assert.equal((await mesh.api().request('POST', path, entry)).status, 201);
    for (const [engine, port] of sidecars) {
      const host = `host-${engine}.${domain}`;
      await eventually(async () => (await requestThroughProxy(port, `http://${host}/${host}`)).status === 200, {
        what: `${host} is reached`,
      });
      assert.equal(anyHost.seen.find((seen) => seen.path === `/${host}`)?.authority, host);
      assert.ok(dns.asked.includes(host));
    }
  });
}
