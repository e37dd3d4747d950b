import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, startMesh, type TestMesh } from '@weft/testkit';
import { availableEngines, type EngineName, runCaller } from './engine-pairs.ts';
import { type ProxiedResponse, requestThroughProxy } from './http-proxy-request.ts';

/** RouteActionPolicies for an HTTPRoute and a VirtualService, at sidecars of both engines. */

/** Answers at once, or after so long that nobody waits for it. */
const twin = (name: string, delayMs: number): string => `
require('http').createServer((request, response) => setTimeout(() => response.end('${name}'), ${delayMs}))
  .listen(process.env.PORT, '127.0.0.1')`;

const bigBytes = 192 * 1024;

/** A body that takes a while at 64 KiB/s; a path of which every other request fails. */
const shop = `
let flaky = 0;
require('http').createServer((request, response) => {
  if (request.url === '/flaky' && ++flaky % 2 === 1) response.statusCode = 503;
  response.end(request.url === '/big' ? Buffer.alloc(${bigBytes}, 'x') : 'ok');
}).listen(process.env.PORT, '127.0.0.1')`;

const gatewayApi = 'gateway.networking.k8s.io';

const httpRoute = (name: string, rules: readonly object[]): object => ({
  apiVersion: `${gatewayApi}/v1`,
  kind: 'HTTPRoute',
  metadata: { name, namespace: 'default' },
  spec: {
    parentRefs: [{ group: '', kind: 'Service', name }],
    rules: rules.map((rule) => ({ ...rule, backendRefs: [{ name, port: 80 }] })),
  },
});

const ruleFor = (name: string): object => ({ name, matches: [{ path: { type: 'Exact', value: `/${name}` } }] });

const routes: readonly object[] = [
  httpRoute('twins', [{ timeouts: { backendRequest: '300ms' } }]),
  httpRoute('shop', ['delayed', 'aborted', 'flaky', 'big'].map(ruleFor)),
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'legacy', namespace: 'default' },
    spec: {
      hosts: ['legacy.example'],
      http: [{ name: 'All of it', route: [{ destination: { host: 'shop', port: { number: 80 } } }] }],
    },
  },
];

const policy = (name: string, target: object, spec: object): object => ({
  apiVersion: 'weft.dev/v1alpha1',
  kind: 'RouteActionPolicy',
  metadata: { name, namespace: 'default' },
  spec: { targetRefs: [target], ...spec },
});

const ofShop = (sectionName: string): object => ({ group: gatewayApi, kind: 'HTTPRoute', name: 'shop', sectionName });
const hedgesTwins = policy(
  'twins',
  { group: gatewayApi, kind: 'HTTPRoute', name: 'twins' },
  { hedging: { onPerTryTimeout: true } },
);
const policies: readonly object[] = [
  hedgesTwins,
  policy('delayed', ofShop('delayed'), { fault: { delay: { fixedDelay: '1s' } } }),
  policy('aborted', ofShop('aborted'), { fault: { abort: { httpStatus: 418 } } }),
  policy('flaky', ofShop('flaky'), { retries: { attempts: 1, retryOn: '5xx' } }),
  policy(
    'legacy',
    { group: 'networking.istio.io', kind: 'VirtualService', name: 'legacy', sectionName: 'All of it' },
    { fault: { bandwidth: { limit: '64Ki' } } },
  ),
];

let mesh: TestMesh;
const callers = new Map<EngineName, number>();

async function apply(objects: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const applied = await mesh.weft(['apply', '-f', '-'], { input });
  assert.equal(applied.code, 0, applied.stderr);
}

before(async () => {
  mesh = await startMesh();
  for (const [name, delayMs] of [
    ['quick', 0],
    ['stuck', 30_000],
  ] as const) {
    await mesh.runWorkload([
      '--service',
      'twins',
      '--version',
      name,
      '--',
      process.execPath,
      '-e',
      twin(name, delayMs),
    ]);
  }
  await mesh.runWorkload(['--service', 'shop', '--', process.execPath, '-e', shop]);
  await apply(routes);
  for (const engine of availableEngines) {
    const { workload } = await runCaller(mesh, `caller-${engine}`, engine, []);
    callers.set(engine, workload.httpProxyPort);
  }
});

after(() => mesh?.stop());

function ask(engine: EngineName, url: string): Promise<ProxiedResponse> {
  return requestThroughProxy(callers.get(engine) ?? 0, url);
}

async function timed(engine: EngineName, url: string): Promise<ProxiedResponse & { readonly tookMs: number }> {
  const begin = performance.now();
  const response = await ask(engine, url);
  return { ...response, tookMs: performance.now() - begin };
}

test('before there is a policy, requests that come to the stuck twin fail, and nothing else has a fault', async () => {
  for (const engine of availableEngines) {
    const seen = new Set<number>();
    await eventually(async () => seen.add((await ask(engine, 'http://twins/')).status).has(504) && seen.has(200), {
      what: `${engine} has found both twins`,
      timeoutMs: 30_000,
    });
    for (const path of ['delayed', 'aborted']) {
      assert.equal((await ask(engine, `http://shop/${path}`)).status, 200);
    }
  }
});

test('policies that mean nothing are refused with their place, and hedging without a time for tries is told of', async () => {
  const wrong = await mesh.weft(['apply', '-f', '-'], {
    input: `apiVersion: weft.dev/v1alpha1
kind: RouteActionPolicy
metadata: { name: wrong }
spec:
  targetRefs: [{ group: '', kind: Service, name: shop }]
  fault: { bandwidth: { limit: 64kb } }
`,
  });
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr + wrong.stdout, /6:\d+/);
  assert.match(wrong.stderr + wrong.stdout, /64kb/);
  const input = [
    httpRoute('twins', [{}]),
    hedgesTwins,
    policy('lost', { group: gatewayApi, kind: 'HTTPRoute', name: 'nobody' }, { hedging: { onPerTryTimeout: true } }),
  ]
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
  const checked = await mesh.weft(['validate', '-'], { input });
  assert.match(checked.stdout + checked.stderr, /its tries have no time of their own/);
  assert.match(checked.stdout + checked.stderr, /HTTPRoute default\/nobody is in none of these files/);
});

test('a request that hangs at one endpoint is hedged, and the answer of the other counts', async () => {
  await apply(policies);
  for (const engine of availableEngines) {
    await eventually(async () => (await ask(engine, 'http://shop/aborted')).status === 418, {
      what: `${engine} has the policies`,
      timeoutMs: 20_000,
    });
    for (let count = 0; count < 10; count += 1) {
      const { status, body, tookMs } = await timed(engine, 'http://twins/');
      assert.deepEqual([status, body], [200, 'quick']);
      assert.ok(tookMs < 15_000, `${engine}: ${tookMs} ms`);
    }
  }
});

test('rules of an HTTPRoute delay, abort and retry', async () => {
  for (const engine of availableEngines) {
    const delayed = await timed(engine, 'http://shop/delayed');
    assert.equal(delayed.status, 200);
    assert.ok(delayed.tookMs > 900, `${engine}: ${delayed.tookMs} ms`);
    assert.equal((await ask(engine, 'http://shop/aborted')).status, 418);
    for (let count = 0; count < 4; count += 1) {
      assert.equal((await ask(engine, 'http://shop/flaky')).status, 200, engine);
    }
  }
});

test('an answer takes as long as its bandwidth makes it, where a VirtualService leads, and nowhere else', async () => {
  for (const engine of availableEngines) {
    const limited = await timed(engine, 'http://legacy.example/big');
    assert.equal(limited.body.length, bigBytes);
    assert.ok(limited.tookMs > 2_000 && limited.tookMs < 20_000, `${engine}: ${limited.tookMs} ms`);
    const plain = await timed(engine, 'http://shop/big');
    assert.equal(plain.body.length, bigBytes);
    assert.ok(plain.tookMs < limited.tookMs, `${engine}: ${plain.tookMs} ms`);
  }
});

test('status and explain tell of it', async () => {
  const conditions = async (name: string): Promise<string> => {
    const { stdout } = await mesh.kubectl([
      ...['get', 'routeactionpolicy', name, '-o'],
      'jsonpath={range .status.ancestors[*].conditions[*]}{.type}={.status} {.reason};{end}',
    ]);
    return stdout;
  };
  await eventually(async () => (await conditions('legacy')) === 'Accepted=True Accepted;', { what: 'a status' });
  await apply([
    policy('late', { group: gatewayApi, kind: 'HTTPRoute', name: 'twins' }, { hedging: { onPerTryTimeout: false } }),
    policy('untimed', { group: gatewayApi, kind: 'HTTPRoute', name: 'shop' }, { hedging: { onPerTryTimeout: true } }),
  ]);
  await eventually(async () => (await conditions('late')) === 'Accepted=False Conflicted;', { what: 'a conflict' });
  await eventually(
    async () => (await conditions('untimed')) === 'Accepted=True Accepted;PartiallyInvalid=True NoPerTryTimeout;',
    { what: 'hedging without a time' },
  );
  const { stdout } = await mesh.weft(['explain', 'twins']);
  assert.match(
    stdout,
    /hedging +a try goes on when its time is over, beside the next +RouteActionPolicy default\/twins/,
  );
  const columns = await mesh.kubectl(['get', 'rap', 'legacy']);
  assert.match(columns.stdout, /VirtualService\/legacy\/All of it/);
});
