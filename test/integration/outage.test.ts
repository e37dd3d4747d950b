import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { childPids, eventually, programs, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';
import { requestThroughProxy } from './http-proxy-request.ts';
import { startSteadyLoad } from './steady-load.ts';

const outageSeconds = 60;
const requestsPerSecond = 200;

let mesh: TestMesh;
let client: TestWorkload;
let server: TestWorkload;

before(async () => {
  mesh = await startMesh();
  server = await mesh.runWorkload(['--service', 'echo', '--version', 'v1', '--', process.execPath, programs.echo], {
    env: { NAME: 'echo', VERSION: 'v1' },
  });
  client = await mesh.runWorkload(['--name', 'client', '--upstream', 'echo', '--', 'sleep', '1000']);
  await eventually(async () => (await requestThroughProxy(client.httpProxyPort, 'http://echo/')).status === 200, {
    what: 'echo is reached',
  });
});

after(async () => {
  await mesh?.stop();
});

/** The process of Weft's proxy below a `weft run`. */
function sidecarOf(workload: TestWorkload): number {
  const pid = childPids(workload.process.pid).find((child) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('/dist/proxy.js'),
  );
  assert.ok(pid, 'there is a sidecar process');
  return pid;
}

test(`the control plane is killed under ${requestsPerSecond} requests/s for ${outageSeconds} s: no request fails, and it comes back with everything`, async () => {
  const created = await mesh
    .api()
    .request('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kept' } });
  assert.equal(created.status, 201);
  const load = startSteadyLoad({ proxyPort: client.httpProxyPort, url: 'http://echo/', requestsPerSecond });
  await mesh.killControlPlane();
  await new Promise((resolve) => setTimeout(resolve, outageSeconds * 1000));
  const during = load.counts.sent;
  await mesh.startControlPlane();
  // Both proxies are connected again and in sync, without having been sent everything anew.
  await eventually(
    async () => {
      const { stdout } = await mesh.weft(['status', '-o', 'json']);
      return (
        (stdout.match(/"connected": true/g) ?? []).length >= 2 && !/"state": "(STALE|NACKED|NOT_SENT)"/.test(stdout)
      );
    },
    { what: 'both proxies are back in sync', timeoutMs: 20_000 },
  );
  const counts = await load.stop();
  assert.deepEqual(counts.failures, []);
  assert.equal(counts.succeeded, counts.sent);
  assert.ok(during >= outageSeconds * requestsPerSecond * 0.9, `${during} requests were sent during the outage`);
  const kept = await mesh.api().request('GET', '/api/v1/namespaces/kept');
  assert.equal(kept.status, 200);
});

test('a sidecar that restarts while the control plane is away serves from its own last-good state', async () => {
  await mesh.killControlPlane();
  const before = sidecarOf(server);
  process.kill(before, 'SIGKILL');
  await eventually(() => sidecarOf(server) !== before, { what: 'weft run starts the sidecar again' });
  await eventually(async () => (await requestThroughProxy(client.httpProxyPort, 'http://echo/')).status === 200, {
    what: 'the restarted sidecar serves',
    timeoutMs: 10_000,
  });
  await mesh.startControlPlane();
});
