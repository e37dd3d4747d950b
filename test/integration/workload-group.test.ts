import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { eventually, programs, startMesh, type TestMesh } from '@weft/testkit';
import { requestThroughProxy } from './http-proxy-request.ts';

let mesh: TestMesh;
let healthStatus = 500;
let health: Server;

before(async () => {
  mesh = await startMesh();
  health = createServer((_request, response) => response.writeHead(healthStatus).end());
  await new Promise<void>((resolve) => health.listen(0, '127.0.0.1', resolve));
});

after(async () => {
  await mesh?.stop();
  health?.close();
});

async function applyGroup(name: string, probe: string): Promise<void> {
  const input = `
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: ${name}, namespace: default}
spec:
  metadata:
    labels: {tier: vm}
    annotations: {team: books}
  template:
    labels: {class: legacy}
    serviceAccount: vm-account
    locality: north/a
    weight: 7
  probe: ${probe}
`;
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input });
  assert.equal(code, 0, stderr);
}

test('a workload of a group is as the group says, and peers are sent to it while it is healthy', async () => {
  const { port } = health.address() as AddressInfo;
  await applyGroup('vms', `{periodSeconds: 1, failureThreshold: 2, httpGet: {port: ${port}, path: /health}}`);
  const args = ['--service', 'echo', '--workload-group', 'vms', '--name', 'echo-1', '--', process.execPath];
  await mesh.runWorkload([...args, programs.echo]);
  const { httpProxyPort } = await mesh.runWorkload(['--name', 'client', '--', 'sleep', '1000']);
  const path = '/apis/networking.istio.io/v1/namespaces/default/workloadentries/echo-1';
  const { metadata, spec } = (await mesh.api().request('GET', path)).body as {
    readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
    readonly spec: Record<string, unknown>;
  };
  assert.equal(metadata.labels['tier'], 'vm');
  assert.equal(metadata.annotations['team'], 'books');
  assert.deepEqual(spec['labels'], { class: 'legacy', app: 'echo' });
  assert.deepEqual([spec['serviceAccount'], spec['locality'], spec['weight']], ['vm-account', 'north/a', 7]);

  const status = async (): Promise<number> => (await requestThroughProxy(httpProxyPort, 'http://echo/')).status;
  const becomes = (wanted: number): Promise<unknown> =>
    eventually(async () => (await status()) === wanted, { what: `the service answers ${wanted}` });
  assert.equal(await status(), 503, 'nobody has found it healthy yet');
  healthStatus = 204;
  await becomes(200);
  healthStatus = 500;
  await becomes(503);
  healthStatus = 200;
  await becomes(200);
});

test('a health check that cannot be made is refused before anything is registered', async () => {
  await applyGroup('commands', '{exec: {command: [/bin/true]}}');
  const run = (group: string) => mesh.weft(['run', '--name', 'never', '--workload-group', group, '--', 'true']);
  const refused = await run('commands');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /WorkloadGroup default\/commands: probe\.exec: commands from the API are not run/);
  assert.match((await run('nowhere')).stderr, /there is no WorkloadGroup default\/nowhere/);
  const path = '/apis/weft.dev/v1alpha1/namespaces/default/proxies/never';
  assert.equal((await mesh.api().request('GET', path)).status, 404);
  await eventually(
    async () => {
      const group = '/apis/networking.istio.io/v1/namespaces/default/workloadgroups/commands';
      return JSON.stringify((await mesh.api().request('GET', group)).body).includes('acts on it yet: spec.probe.exec');
    },
    { what: 'the status says it, too' },
  );
});
