import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, peerSkip, startMesh, type TestMesh } from '@weft/testkit';
import { engineEnvironment } from './engine-pairs.ts';

let mesh: TestMesh;

before(async () => {
  mesh = await startMesh();
});

after(async () => {
  await mesh?.stop();
});

const config = (name: string, spec: string): string => `
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: ${name}, namespace: default}
spec: ${spec}
`;

async function apply(objects: string): Promise<void> {
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input: objects });
  assert.equal(code, 0, stderr);
}

async function workersOf(name: string): Promise<number> {
  const args = ['--name', name, '--engine', 'envoy', '--', 'sleep', '1000'];
  const { adminPort } = await mesh.runWorkload(args, { env: engineEnvironment });
  const answer = await fetch(`http://127.0.0.1:${adminPort}/server_info`);
  const { command_line_options: options } = (await answer.json()) as {
    readonly command_line_options: { readonly concurrency: number };
  };
  return options.concurrency;
}

test('Envoy starts with the threads that a ProxyConfig gives it', { skip: peerSkip('envoy') }, async () => {
  assert.equal(await workersOf('before'), 2);
  await apply(config('all', '{concurrency: 1}'));
  await apply(config('wide', '{concurrency: 3, selector: {matchLabels: {app: wide}}}'));
  assert.deepEqual(await Promise.all([workersOf('narrow'), workersOf('wide')]), [1, 3]);
});

test("a ProxyConfig that asks for more threads than Weft's own proxy has says so", async () => {
  await apply(config('own', '{concurrency: 4, selector: {matchLabels: {app: own}}}'));
  await mesh.runWorkload(['--name', 'own', '--', 'sleep', '1000']);
  const path = '/apis/networking.istio.io/v1beta1/namespaces/default/proxyconfigs/own';
  await eventually(
    async () =>
      JSON.stringify((await mesh.api().request('GET', path)).body).includes('acts on it yet: spec.concurrency'),
    { what: 'the status says what is not done' },
  );
});
