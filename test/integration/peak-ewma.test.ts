import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, startMesh, type TestMesh } from '@weft/testkit';
import { availableEngines, type EngineName, runCaller } from './engine-pairs.ts';
import { requestThroughProxy } from './http-proxy-request.ts';

/** A Service that asks for peak EWMA: of two instances the quick one is preferred by our sidecars; Envoy balances in its own way, and is told of. */

const application = (name: string, delayMs: number): string => `
require('http').createServer((request, response) => setTimeout(() => response.end('${name}'), ${delayMs}))
  .listen(process.env.PORT, '127.0.0.1')`;

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'two', namespace: 'default', annotations: { 'weft.dev/load-balancer': 'peak-ewma' } },
  spec: { selector: { app: 'two' }, ports: [{ name: 'http', port: 80 }] },
};

let mesh: TestMesh;
const callers = new Map<EngineName, number>();

before(async () => {
  mesh = await startMesh();
  const applied = await mesh.weft(['apply', '-f', '-'], { input: JSON.stringify(service) });
  assert.equal(applied.code, 0, applied.stderr);
  for (const [name, delayMs] of [
    ['quick', 1],
    ['slow', 60],
  ] as const) {
    const command = ['--', process.execPath, '-e', application(name, delayMs)];
    await mesh.runWorkload(['--service', 'two', '--version', name, ...command]);
  }
  for (const engine of availableEngines) {
    const { workload } = await runCaller(mesh, `caller-${engine}`, engine, []);
    callers.set(engine, workload.httpProxyPort);
  }
});

after(() => mesh?.stop());

async function answers(engine: EngineName, count: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = { quick: 0, slow: 0 };
  for (let index = 0; index < count; index += 1) {
    const { status, body } = await requestThroughProxy(callers.get(engine) ?? 0, 'http://two/');
    assert.equal(status, 200);
    counts[body] = (counts[body] ?? 0) + 1;
  }
  return counts;
}

test('our sidecars go to the quick instance, Envoy to both', async () => {
  for (const engine of availableEngines) {
    await eventually(
      async () => {
        const { quick = 0, slow = 0 } = await answers(engine, 12).catch(() => ({ quick: 0, slow: 0 }));
        return quick > 0 && slow > 0;
      },
      { what: `${engine} has found both instances`, timeoutMs: 30_000 },
    );
    const { quick = 0, slow = 0 } = await answers(engine, 60);
    if (engine === 'weft') {
      assert.ok(slow <= 10, `quick ${quick}, slow ${slow}`);
    } else {
      assert.ok(slow >= 10, `quick ${quick}, slow ${slow}`);
    }
  }
});

test('it is said where it comes from, and who does otherwise', async () => {
  const { stdout } = await mesh.weft(['explain', 'two']);
  assert.match(stdout, /peak EWMA of latency +Service default\/two metadata\.annotations\[weft\.dev\/load-balancer\]/);
  if (availableEngines.includes('envoy')) {
    const said = await mesh.kubectl(['get', 'service', 'two', '-o', 'jsonpath={.status.conditions[*].message}']);
    assert.match(said.stdout, /proxies with Envoy balance by least request/);
  }
});
