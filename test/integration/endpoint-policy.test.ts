import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';
import { availableEngines, type EngineName, runCaller, runService } from './engine-pairs.ts';
import { requestThroughProxy } from './http-proxy-request.ts';

/** EndpointPolicies in a mesh: callers with both sidecars check servers with both, by HTTP, gRPC and TCP, and a hot key is shared out. */

const program = join(import.meta.dirname, 'health-app.ts');
const kinds = ['http', 'grpc', 'tcp'] as const;
type Kind = (typeof kinds)[number];
/** Two instances of each service. */
const sidecars: readonly EngineName[] = ['weft', availableEngines.at(-1) ?? 'weft'];
const instanceName = (kind: Kind, index: number): string => `${kind}-${index}`;

const checks: Readonly<Record<Kind, object>> = {
  http: { http: { path: '/healthz' } },
  grpc: { grpc: {} },
  tcp: { tcp: { send: { text: 'PING\r\n' }, receive: [{ text: '+PONG' }] } },
};

interface AppliedObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const service = (kind: Kind) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: kind, namespace: 'default' },
  spec: { selector: { app: kind }, ports: [{ name: kind, port: 80 }] },
});

const policy = (kind: Kind, check: object, more: object = {}) => ({
  apiVersion: 'weft.dev/v1alpha1',
  kind: 'EndpointPolicy',
  metadata: { name: kind, namespace: 'default' },
  spec: {
    targetRefs: [{ group: '', kind: 'Service', name: kind }],
    healthCheck: { interval: '500ms', timeout: '3s', unhealthyThreshold: 2, ...check },
    ...more,
  },
});

const hashing = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'http', namespace: 'default' },
  spec: { host: 'http', trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } } } },
};

let mesh: TestMesh;
let folder: string;
const callers = new Map<EngineName, Awaited<ReturnType<typeof runCaller>>>();
const servers = new Map<string, TestWorkload>();

function setWell(name: string, isWell: boolean): void {
  if (isWell) {
    rmSync(join(folder, name), { force: true });
  } else {
    writeFileSync(join(folder, name), '');
  }
}

/** Where objects of the kinds of this test are. */
const collections: Readonly<Record<string, string>> = {
  Service: '/api/v1/namespaces/default/services',
  EndpointPolicy: '/apis/weft.dev/v1alpha1/namespaces/default/endpointpolicies',
  DestinationRule: '/apis/networking.istio.io/v1/namespaces/default/destinationrules',
};

async function apply(...objects: readonly AppliedObject[]): Promise<void> {
  for (const object of objects) {
    const path = `${collections[object.kind]}/${object.metadata.name}?fieldManager=test&force=true`;
    const { status, body } = await mesh.api().request('PATCH', path, object, 'application/apply-patch+yaml');
    assert.ok(status === 200 || status === 201, JSON.stringify(body));
  }
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-health-'));
  mesh = await startMesh();
  await apply(...kinds.map(service), ...kinds.map((kind) => policy(kind, checks[kind])));
  for (const kind of kinds) {
    for (const [index, engine] of sidecars.entries()) {
      const name = instanceName(kind, index);
      const env = { APP_KIND: kind, APP_NAME: name, HEALTH_FOLDER: folder };
      const flags = ['--protocol', kind, '--version', `v${index}`];
      servers.set(name, await runService(mesh, kind, engine, program, { flags, env }));
    }
  }
  for (const engine of availableEngines) {
    const upstreams = kinds.map((kind) => `${kind}:80`);
    callers.set(engine, await runCaller(mesh, `caller-${engine}`, engine, upstreams));
  }
});

after(async () => {
  await mesh?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Names of the instances that answered; what is not answered rejects. */
async function ask(engine: EngineName, kind: Kind): Promise<string> {
  const port = callers.get(engine)?.ports.get(`${kind}:80`) ?? 0;
  switch (kind) {
    case 'http': {
      const { status, body } = await requestThroughProxy(port, 'http://http/');
      assert.equal(status, 200, body);
      return body;
    }
    case 'grpc':
      return askByGrpc(port);
    case 'tcp':
      return askByTcp(port);
  }
}

function askByGrpc(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = http2.connect(`http://127.0.0.1:${port}`);
    const fail = (error: Error): void => {
      client.destroy();
      reject(error);
    };
    client.on('error', fail);
    const fields = { ':method': 'POST', ':path': '/shop.Echo/Say', ':authority': 'grpc', te: 'trailers' };
    const call = client.request({ ...fields, 'content-type': 'application/grpc' });
    call.on('error', fail);
    call.on('response', (headers) => {
      const name = headers['x-instance'];
      call.resume().on('end', () => {
        client.close();
        if (typeof name === 'string') {
          resolve(name);
        } else {
          reject(new Error(`grpc-status ${headers['grpc-status']}`));
        }
      });
    });
    call.end(Buffer.from([0, 0, 0, 0, 0]));
  });
}

function askByTcp(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('NAME\r\n'));
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed without an answer')));
    socket.on('data', (bytes) => {
      resolve(bytes.toString().trim());
      socket.destroy();
    });
  });
}

async function askedInTurn(engine: EngineName, kind: Kind, count: number): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    names.add(await ask(engine, kind));
  }
  return names;
}

const all = (kind: Kind): readonly string[] => sidecars.map((_, index) => instanceName(kind, index));

async function untilAsked(engine: EngineName, kind: Kind, expected: readonly string[]): Promise<void> {
  let seen: ReadonlySet<string> = new Set();
  await eventually(
    async () => {
      seen = await askedInTurn(engine, kind, 24).catch(() => new Set<string>());
      assert.deepEqual([...seen].sort(), [...expected].sort());
      return true;
    },
    { what: `${engine} asks ${expected.join(' and ')}`, timeoutMs: 90_000 },
  );
}

for (const engine of availableEngines) {
  for (const kind of kinds) {
    describe(`checks by ${kind}, of ${engine}`, () => {
      test('an endpoint that fails gets no traffic and no request fails for it; well again, it gets its share', async () => {
        await untilAsked(engine, kind, all(kind));
        const [first = '', second = ''] = all(kind);
        setWell(second, false);
        await untilAsked(engine, kind, [first]);
        assert.deepEqual([...(await askedInTurn(engine, kind, 40))], [first]);
        setWell(second, true);
        await untilAsked(engine, kind, all(kind));
      });
    });
  }

  test(`${engine}: with no endpoint that is well requests are refused, as the mesh goes by health`, async () => {
    const proxyPort = callers.get(engine)?.ports.get('http:80') ?? 0;
    for (const name of all('http')) {
      setWell(name, false);
    }
    await eventually(async () => (await requestThroughProxy(proxyPort, 'http://http/')).status === 503, {
      what: '503',
      timeoutMs: 90_000,
    });
    for (const name of all('http')) {
      setWell(name, true);
    }
    await untilAsked(engine, 'http', all('http'));
  });

  test(`${engine}: the first request for a host on demand is answered, checked endpoints or not`, async () => {
    const { httpProxyPort = 0 } = (await runCaller(mesh, `new-${engine}`, engine, [])).workload;
    const { status, body } = await requestThroughProxy(httpProxyPort, 'http://http.default.svc.cluster.local/');
    assert.equal(status, 200, body);
  });
}

test('sidecars answer checks from what the application said, if they are asked to', async () => {
  const asked = async (name: string): Promise<number> =>
    Number(await (await fetch(`http://127.0.0.1:${servers.get(name)?.appPort}/checks`)).text());
  const seen = async (): Promise<readonly number[]> => Promise.all(all('http').map(asked));
  const during = async (ms: number): Promise<readonly number[]> => {
    const start = await seen();
    await new Promise((resolve) => setTimeout(resolve, ms));
    return (await seen()).map((count, index) => count - (start[index] ?? 0));
  };
  const uncached = await during(3_000);
  assert.ok(
    uncached.every((count) => count >= 2),
    `checks of each application in 3 s: ${uncached.join(', ')}`,
  );
  await apply(policy('http', { http: { path: '/healthz', cacheTime: '30s' } }));
  await eventually(async () => (await during(3_000)).every((count) => count === 0), {
    what: 'no check reaches an application for 3 s',
    timeoutMs: 90_000,
  });
  for (const engine of availableEngines) {
    await untilAsked(engine, 'http', all('http'));
  }
  await apply(policy('http', checks.http));
});

/** How many of `count` requests for one user at once each instance got. */
async function shares(engine: EngineName, count: number): Promise<readonly number[]> {
  const port = callers.get(engine)?.ports.get('http:80') ?? 0;
  const bodies = await Promise.all(
    Array.from({ length: count }, async () => {
      const { body } = await requestThroughProxy(port, 'http://http/slow', { headers: { 'x-user': 'hot' } });
      return body;
    }),
  );
  return all('http').map((name) => bodies.filter((body) => body === name).length);
}

for (const engine of availableEngines) {
  test(`${engine}: the requests of one hot key go to one endpoint, and to more of them with a bounded load`, async () => {
    await apply(policy('http', checks.http), hashing);
    await eventually(async () => Math.min(...(await shares(engine, 20))) === 0, {
      what: 'one endpoint gets all',
      timeoutMs: 90_000,
    });
    await apply(policy('http', checks.http, { loadBalancer: { boundedLoad: 120 } }));
    let spread: readonly number[] = [];
    await eventually(
      async () => {
        spread = await shares(engine, 20);
        return Math.min(...spread) >= 6;
      },
      { what: 'both endpoints get a fair part', timeoutMs: 90_000 },
    ).catch((error: Error) => assert.fail(`${error.message}: ${spread.join(', ')}`));
  });
}

test('what is in force is explained, and the status says that the proxies have it', async () => {
  const explained = await mesh.weft(['explain', 'http']);
  assert.match(
    explained.stdout,
    /health checks +GET http:\/\/http\.default\.svc\.cluster\.local\/healthz every 500 ms[^\n]+\s+EndpointPolicy default\/http spec\.healthCheck/,
  );
  assert.match(
    explained.stdout,
    /at most 120 % of the mean load for each\s+.*EndpointPolicy default\/http spec\.loadBalancer\.boundedLoad/,
  );
  await eventually(
    async () => {
      const { stdout } = await mesh.kubectl(['get', 'endpointpolicy', 'http', '-o', 'json']);
      const { status, metadata } = JSON.parse(stdout);
      const [{ ancestorRef, conditions }] = status.ancestors;
      assert.equal(ancestorRef.name, 'http');
      assert.deepEqual(
        conditions.map((one: { type: string; status: string; observedGeneration: number }) => [
          one.type,
          one.status,
          one.observedGeneration,
        ]),
        ['Accepted', 'Programmed'].map((type) => [type, 'True', metadata.generation]),
      );
      return true;
    },
    { what: 'Accepted and Programmed', timeoutMs: 30_000 },
  );
});
