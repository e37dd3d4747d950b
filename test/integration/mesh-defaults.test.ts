import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, startMesh, type TestMesh } from '@weft/testkit';
import { availableEngines, type EngineName, runCaller } from './engine-pairs.ts';
import { type ProxiedResponse, requestThroughProxy } from './http-proxy-request.ts';

/** What a mesh does where no resource says anything, with Istio's defaults and, after a restart, with Envoy's. */

/** `/503/…` is refused by the application, `/hang/…` is never answered; `/count/<path>` says how often it was asked. */
const application = `
const counts = new Map();
require('http').createServer((request, response) => {
  const path = request.url;
  if (path.startsWith('/count/')) return response.end(String(counts.get(path.slice(6)) ?? 0));
  counts.set(path, (counts.get(path) ?? 0) + 1);
  if (path.startsWith('/hang/')) return;
  response.writeHead(path.startsWith('/503/') ? 503 : 200).end();
}).listen(process.env.PORT, '127.0.0.1')`;

const routes = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'counted', namespace: 'default' },
  spec: {
    hosts: ['counted'],
    http: [
      {
        match: [{ uri: { prefix: '/503/asked' } }],
        retries: { attempts: 2, retryOn: '503' },
        route: [{ destination: { host: 'counted' } }],
      },
      { route: [{ destination: { host: 'counted' } }] },
    ],
  },
};

let mesh: TestMesh;
const callers = new Map<EngineName, number>();

before(async () => {
  mesh = await startMesh();
  await mesh.runWorkload(['--service', 'counted', '--', process.execPath, '-e', application]);
  for (const engine of availableEngines) {
    const { workload } = await runCaller(mesh, `caller-${engine}`, engine, []);
    callers.set(engine, workload.httpProxyPort);
  }
});

after(async () => {
  await mesh?.stop();
});

function ask(engine: EngineName, path: string, method = 'GET'): Promise<ProxiedResponse> {
  return requestThroughProxy(callers.get(engine) ?? 0, `http://counted${path}`, {
    method,
    ...(method === 'POST' ? { body: 'x' } : {}),
  });
}

async function triesOf(engine: EngineName, path: string): Promise<number> {
  return Number((await ask(engine, `/count${path}`)).body);
}

async function knowsRoutes(): Promise<void> {
  for (const engine of availableEngines) {
    await eventually(
      async () => {
        const path = `/503/asked/${Math.random()}`;
        await ask(engine, path);
        return (await triesOf(engine, path)) === 3;
      },
      { what: `${engine} has the routes` },
    );
  }
}

test('a 503 of the application is its answer: tried once, GET or POST, unless a route asks for more', async () => {
  for (const engine of availableEngines) {
    await eventually(async () => (await ask(engine, '/up')).status === 200, { what: 'the service answers' });
    for (const method of ['GET', 'POST']) {
      const path = `/503/${engine}/${method}`;
      assert.equal((await ask(engine, path, method)).status, 503);
      assert.equal(await triesOf(engine, path), 1, path);
    }
  }
  const applied = await mesh.weft(['apply', '-f', '-'], { input: JSON.stringify(routes) });
  assert.equal(applied.code, 0, applied.stderr);
  await knowsRoutes();
});

test("with Envoy's defaults a request that is not answered ends after 15 s; what a route says stays", async () => {
  await mesh.killControlPlane();
  await mesh.startControlPlane(['--defaults', 'envoy']);
  const explained = async (): Promise<string> => (await mesh.weft(['explain', 'counted'])).stdout;
  assert.match(await explained(), /timeout +15 s +mesh default \(envoy\)/);
  await Promise.all(
    availableEngines.map(async (engine) => {
      const tookMs = await eventually(
        async () => {
          const startMs = performance.now();
          const answer = await Promise.race([
            ask(engine, `/hang/${Math.random()}`),
            new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 17_000).unref()),
          ]);
          return answer?.status === 504 ? performance.now() - startMs : undefined;
        },
        { what: `${engine} has the new timeout`, timeoutMs: 60_000 },
      );
      assert.ok(tookMs > 14_900, `${engine}: ${tookMs} ms`);
      const path = `/503/${engine}/envoy`;
      assert.equal((await ask(engine, path)).status, 503);
      assert.equal(await triesOf(engine, path), 1, path);
    }),
  );
  await knowsRoutes();
});
