import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type Background,
  conformanceData,
  eventually,
  findPeer,
  freePort,
  programs,
  startBackground,
  startMesh,
  type TestMesh,
} from '@weft/testkit';
import { parseAllDocuments } from 'yaml';
import { StandIns } from './stand-ins.ts';

/**
 * Istio's samples, applied as they are to a real mesh: what their documents say happens is seen by a client behind a sidecar, or outside
 * of a gateway. Services are stand-ins that say who they are; the samples' Services are applied, their Deployments are what the stand-ins
 * stand for.
 */

const data = conformanceData('istio/samples');
const engines = findPeer('envoy') === undefined ? (['weft'] as const) : (['weft', 'envoy'] as const);

let mesh: TestMesh;
let standIns: StandIns;
let gateway: Background;
const sidecars = new Map<string, number>();
const gatewayPorts = new Map<number, number>();
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

interface Answer {
  readonly status: number;
  readonly servedBy: string;
  readonly ms: number;
}

/** @param port of a sidecar's HTTP proxy, or of the gateway. */
function get(port: number, url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const since = performance.now();
  return new Promise((resolve, reject) => {
    const host = url.startsWith('http') ? new URL(url).host : 'any.example';
    const outgoing = request(
      { host: '127.0.0.1', port, path: url, headers: { host, ...headers }, agent },
      (response) => {
        response.resume();
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            servedBy: String(response.headers['x-served-by'] ?? ''),
            ms: performance.now() - since,
          }),
        );
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function apply(...files: readonly string[]): Promise<void> {
  for (const file of files) {
    const { code, stdout, stderr } = await mesh.weft(['apply', '-f', join(data.folder, file)]);
    assert.equal(code, 0, `${file}: ${stdout}${stderr}`);
  }
}

/** Only the Services of a file: the rest are Deployments and ServiceAccounts. */
async function applyServices(...files: readonly string[]): Promise<void> {
  for (const file of files) {
    for (const document of parseAllDocuments(readFileSync(join(data.folder, file), 'utf8'))) {
      const object = document.toJS() as { readonly kind?: string } | null;
      if (object?.kind === 'Service') {
        const { status } = await mesh.api().request('POST', '/api/v1/namespaces/default/services', object);
        assert.ok(status === 201 || status === 409, `${file}: ${status}`);
      }
    }
  }
}

async function remove(path: string): Promise<void> {
  const { status } = await mesh.api().request('DELETE', `/apis/networking.istio.io/v1/namespaces/default/${path}`);
  assert.ok(status === 200 || status === 202, `${path}: ${status}`);
}

/** Shares of who served, over many requests through a sidecar. */
async function shares(port: number, url: string, total: number): Promise<Readonly<Record<string, number>>> {
  const served: Record<string, number> = {};
  let left = total;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { status, servedBy } = await get(port, url);
      const key = status === 200 ? servedBy : String(status);
      served[key] = (served[key] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return Object.fromEntries(Object.entries(served).map(([name, count]) => [name, count / total]));
}

/** Waits until the shares are about those expected: the rule has reached the proxy, and holds. */
async function assertShares(port: number, url: string, expected: Readonly<Record<string, number>>): Promise<void> {
  const near = (seen: Readonly<Record<string, number>>, total: number): boolean =>
    Object.keys(seen).every((name) => name in expected) &&
    // Four standard deviations of a fair draw.
    Object.entries(expected).every(
      ([name, share]) => Math.abs((seen[name] ?? 0) - share) <= 4 * Math.sqrt((share * (1 - share)) / total) + 1e-9,
    );
  await eventually(async () => near(await shares(port, url, 100), 100), {
    what: `${url} is shared out`,
    timeoutMs: 10_000,
  });
  const total = 600;
  const seen = await shares(port, url, total);
  assert.ok(near(seen, total), `${url}: ${JSON.stringify(seen)}, expected ${JSON.stringify(expected)}`);
}

function sidecar(engine: string): number {
  const port = sidecars.get(engine);
  assert.ok(port !== undefined);
  return port;
}

function gatewayPort(port: number): number {
  const mapped = gatewayPorts.get(port);
  assert.ok(mapped !== undefined);
  return mapped;
}

before(async () => {
  if (data.skip !== false) {
    return;
  }
  mesh = await startMesh();
  standIns = new StandIns(mesh.api());
  for (const port of [80, 8080, 31_400]) {
    gatewayPorts.set(port, await freePort());
  }
  // A gateway is ready when it has something to serve.
  await apply('bookinfo/networking/bookinfo-gateway.yaml');
  gateway = startBackground(
    process.execPath,
    [
      ...[programs.weft, 'gateway', 'ingress', '--label', 'istio=ingressgateway'],
      ...[...gatewayPorts].flatMap(([port, mapped]) => ['--port', `${port}=${mapped}`]),
    ],
    { env: mesh.env },
  );
  await Promise.all([
    applyServices('bookinfo/platform/kube/bookinfo.yaml', 'helloworld/helloworld.yaml', 'httpbin/httpbin.yaml'),
    applyServices('tcp-echo/tcp-echo-services.yaml', 'websockets/app.yaml'),
    ...engines.map(async (engine) => {
      const { httpProxyPort } = await mesh.runWorkload(
        ['--name', `client-${engine}`, '--engine', engine, '--', 'sleep', '1000'],
        { env: { WEFT_ENVOY: findPeer('envoy') ?? '' } },
      );
      sidecars.set(engine, httpProxyPort);
    }),
    ...['v1', 'v2', 'v3'].map((version) => standIns.http('reviews', version, 'http')),
    ...['productpage', 'ratings', 'details'].map((app) => standIns.http(app, 'v1', 'http')),
    ...['v1', 'v2'].map((version) => standIns.http('helloworld', version, 'http')),
    standIns.http('httpbin', 'v1', 'http'),
    standIns.http('tornado', 'v1', 'http'),
    ...['v1', 'v2'].map((version) => standIns.tcp('tcp-echo', version, 'tcp')),
  ]);
  await apply('bookinfo/networking/destination-rule-all.yaml');
});

after(async () => {
  agent.destroy();
  await gateway?.stop();
  await mesh?.stop();
  standIns?.stop();
});

const reviews = 'http://reviews:9080/reviews/0';
const ratings = 'http://ratings:9080/ratings/0';
const { skip } = data;

for (const engine of ['weft', 'envoy'] as const) {
  const skipped = skip !== false ? skip : engines.some((name) => name === engine) ? false : 'peer missing: envoy';

  test(`bookinfo: versions by weight (${engine} as the caller's sidecar)`, { skip: skipped }, async () => {
    const port = sidecar(engine);
    await apply('bookinfo/networking/virtual-service-all-v1.yaml');
    await assertShares(port, reviews, { 'reviews-v1': 1 });
    await apply('bookinfo/networking/virtual-service-reviews-90-10.yaml');
    await assertShares(port, reviews, { 'reviews-v1': 0.9, 'reviews-v2': 0.1 });
    await apply('bookinfo/networking/virtual-service-reviews-80-20.yaml');
    await assertShares(port, reviews, { 'reviews-v1': 0.8, 'reviews-v2': 0.2 });
    await apply('bookinfo/networking/virtual-service-reviews-50-v3.yaml');
    await assertShares(port, reviews, { 'reviews-v1': 0.5, 'reviews-v3': 0.5 });
    await apply('bookinfo/networking/virtual-service-reviews-v2-v3.yaml');
    await assertShares(port, reviews, { 'reviews-v2': 0.5, 'reviews-v3': 0.5 });
  });

  test(`bookinfo: jason sees version 2, others 3 (${engine})`, { skip: skipped }, async () => {
    const port = sidecar(engine);
    await apply('bookinfo/networking/virtual-service-reviews-jason-v2-v3.yaml');
    await assertShares(port, reviews, { 'reviews-v3': 1 });
    for (let count = 0; count < 10; count += 1) {
      assert.equal((await get(port, reviews, { 'end-user': 'jason' })).servedBy, 'reviews-v2');
    }
  });

  test(`bookinfo: ratings fail for jason, and for nobody else (${engine})`, { skip: skipped }, async () => {
    const port = sidecar(engine);
    await apply('bookinfo/networking/virtual-service-ratings-test-abort.yaml');
    await eventually(async () => (await get(port, ratings, { 'end-user': 'jason' })).status === 500, {
      what: 'ratings fail for jason',
    });
    for (let count = 0; count < 10; count += 1) {
      assert.equal((await get(port, ratings, { 'end-user': 'jason' })).status, 500);
      assert.equal((await get(port, ratings)).status, 200);
    }
  });
}

test('bookinfo: ratings are 7 s late for jason, and for nobody else (both engines at once)', { skip }, async () => {
  await apply('bookinfo/networking/virtual-service-ratings-test-delay.yaml');
  await Promise.all(
    [...sidecars.values()].map(async (port) => {
      await eventually(async () => (await get(port, ratings, { 'end-user': 'jason' })).status === 200, {
        what: 'ratings do not fail any more',
        timeoutMs: 20_000,
      });
      const [late, others] = await Promise.all([get(port, ratings, { 'end-user': 'jason' }), get(port, ratings)]);
      assert.equal(late.servedBy, 'ratings-v1');
      // Timers of the system are good to a few milliseconds.
      assert.ok(late.ms >= 6_990, `${late.ms} ms`);
      assert.ok(others.ms < late.ms, `${others.ms} ms`);
    }),
  );
});

test('bookinfo: details fail for everybody by a fault without a match', { skip }, async () => {
  await apply('bookinfo/networking/fault-injection-details-v1.yaml');
  for (const port of sidecars.values()) {
    await eventually(async () => (await get(port, 'http://details:9080/details/0')).status === 555, {
      what: 'details fail',
    });
  }
});

test('mirroring: version 2 is sent a copy of each request to version 1', { skip }, async () => {
  // The rule of Istio's task on mirroring.
  const rule = {
    hosts: ['reviews'],
    http: [
      {
        route: [{ destination: { host: 'reviews', subset: 'v1' }, weight: 100 }],
        mirror: { host: 'reviews', subset: 'v2' },
        mirrorPercentage: { value: 100 },
      },
    ],
  };
  const path = '/apis/networking.istio.io/v1/namespaces/default/virtualservices/reviews';
  const { status } = await mesh.api().request('PATCH', path, { spec: rule }, 'application/merge-patch+json');
  assert.equal(status, 200);
  for (const port of sidecars.values()) {
    await assertShares(port, reviews, { 'reviews-v1': 1 });
    const before = standIns.requests.get('reviews-v2') ?? 0;
    for (let count = 0; count < 50; count += 1) {
      await get(port, reviews);
    }
    await eventually(() => (standIns.requests.get('reviews-v2') ?? 0) >= before + 50, { what: 'copies arrive' });
  }
});

test('bookinfo: the gateway shows the product page and nothing else', { skip }, async () => {
  const port = gatewayPort(8080);
  await eventually(async () => (await get(port, '/productpage').catch(() => undefined))?.status === 200, {
    what: 'the product page is shown',
    timeoutMs: 15_000,
  });
  for (const path of ['/static/a.css', '/login', '/logout', '/api/v1/products/0']) {
    assert.equal((await get(port, path)).servedBy, 'productpage-v1', path);
  }
  assert.equal((await get(port, '/other')).status, 404);
});

test('helloworld: both versions behind one path of the gateway', { skip }, async () => {
  await apply('helloworld/helloworld-gateway.yaml');
  const port = gatewayPort(80);
  await eventually(async () => (await get(port, '/hello').catch(() => undefined))?.status === 200, {
    what: 'helloworld answers',
    timeoutMs: 15_000,
  });
  await assertShares(port, '/hello', { 'helloworld-v1': 0.5, 'helloworld-v2': 0.5 });
  assert.equal((await get(port, '/')).status, 404);
  await remove('gateways/helloworld-gateway');
  await remove('virtualservices/helloworld');
});

test('httpbin: everything goes to it', { skip }, async () => {
  await apply('httpbin/httpbin-gateway.yaml');
  const port = gatewayPort(80);
  await eventually(async () => (await get(port, '/status/200').catch(() => undefined))?.servedBy === 'httpbin-v1', {
    what: 'httpbin answers',
    timeoutMs: 15_000,
  });
  assert.equal((await get(port, '/hello')).servedBy, 'httpbin-v1');
  await remove('gateways/httpbin-gateway');
  await remove('virtualservices/httpbin');
});

test('websockets: an upgrade passes the gateway', { skip }, async () => {
  await apply('websockets/route.yaml');
  const port = gatewayPort(80);
  await eventually(async () => (await get(port, '/').catch(() => undefined))?.servedBy === 'tornado-v1', {
    what: 'tornado answers',
    timeoutMs: 15_000,
  });
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'GET /socket HTTP/1.1\r\nhost: tornado\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  assert.match(await until(socket, '\r\n\r\n'), /^HTTP\/1\.1 101 /);
  socket.write('echo this');
  assert.match(await until(socket, 'this'), /echo this$/);
  socket.destroy();
});

/** What a socket sends up to some text. */
function until(socket: Socket, end: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      if (text.includes(end)) {
        socket.off('data', onData);
        resolve(text);
      }
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`closed after ${text}`)));
  });
}

async function tcpVersion(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('hello\n');
    return (await until(socket, '\n')).split(' ')[0] ?? '';
  } catch {
    return 'closed';
  } finally {
    socket.destroy();
  }
}

test('tcp-echo: all connections to version 1, then a fifth of them to version 2', { skip }, async () => {
  await apply('tcp-echo/tcp-echo-all-v1.yaml');
  const port = gatewayPort(31_400);
  await eventually(async () => (await tcpVersion(port)) === 'v1', { what: 'tcp-echo answers', timeoutMs: 15_000 });
  const versions = async (total: number): Promise<readonly string[]> => {
    const seen: string[] = [];
    for (let count = 0; count < total; count += 10) {
      seen.push(...(await Promise.all(Array.from({ length: 10 }, () => tcpVersion(port)))));
    }
    return seen;
  };
  assert.deepEqual([...new Set(await versions(50))], ['v1']);
  await apply('tcp-echo/tcp-echo-20-v2.yaml');
  await eventually(async () => (await versions(50)).includes('v2'), { what: 'version 2 is among them' });
  const total = 400;
  const second = (await versions(total)).filter((version) => version === 'v2').length / total;
  // Four standard deviations.
  assert.ok(Math.abs(second - 0.2) <= 0.08, String(second));
});
