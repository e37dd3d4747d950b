import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, findPeer, peerSkip, programs, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';
import { requestThroughProxy } from './http-proxy-request.ts';

const kubectlMissing = peerSkip('kubectl');
const envoyMissing = peerSkip('envoy');

let mesh: TestMesh;
let client: TestWorkload;
let echo: TestWorkload;

before(async () => {
  mesh = await startMesh();
  echo = await mesh.runWorkload(['--service', 'echo', '--version', 'v1', '--', process.execPath, programs.echo], {
    env: { NAME: 'echo', VERSION: 'v1' },
  });
  client = await mesh.runWorkload(['--name', 'client', '--', 'sleep', '1000']);
});

after(async () => {
  await mesh?.stop();
});

test('a call by name goes through both sidecars over mutual TLS with the caller identity', async () => {
  const answer = await eventually(
    async () => {
      const response = await requestThroughProxy(client.httpProxyPort, 'http://echo/hello?x=1');
      return response.status === 200 ? response : undefined;
    },
    { what: 'echo answers through the mesh' },
  );
  const seen = JSON.parse(answer.body) as { url: string; headers: Record<string, string> };
  assert.equal(seen.url, '/hello?x=1');
  assert.equal(seen.headers['host'], 'echo');
  assert.match(seen.headers['x-forwarded-client-cert'] ?? '', /URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/client/);
  assert.match(seen.headers['x-request-id'] ?? '', /^[0-9a-f-]{36}$/);
});

test('a host that exists nowhere is a definite 404 from the sidecar', async () => {
  const response = await requestThroughProxy(client.httpProxyPort, 'http://nowhere.invalid/');
  assert.equal(response.status, 404);
});

test('plaintext to an inbound listener is refused in STRICT mode', { skip: kubectlMissing }, async () => {
  const entry = await mesh.kubectl(['get', 'workloadentry', echo.name, '-o', 'json']);
  const ports = (JSON.parse(entry.stdout) as { spec: { ports: Record<string, number> } }).spec.ports;
  const port = Object.values(ports)[0] ?? 0;
  assert.ok(port > 0);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
});

test('weft status names each proxy with identity and sync state', async () => {
  const result = await mesh.weft(['status', '-o', 'json']);
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /spiffe:\/\/cluster\.local\/ns\/default\/sa\/echo/);
});

test('weft status says how much memory a proxy takes, which comes with its load reports', async () => {
  const memory = await eventually(
    async () => {
      const { stdout } = await mesh.weft(['status', '-o', 'json']);
      return /"memoryBytes":\s*(\d+)/.exec(stdout)?.[1];
    },
    { what: 'the memory of a proxy', timeoutMs: 20_000, intervalMs: 500 },
  );
  assert.ok(Number(memory) > 10_000_000, `${memory} bytes`);
});

test('the same workload runs with stock Envoy, and mutual TLS works in both directions', {
  skip: envoyMissing,
}, async () => {
  const envoyEnv = { WEFT_ENVOY: findPeer('envoy') ?? '', NAME: 'echo-envoy', VERSION: 'v1' };
  await mesh.runWorkload(
    ['--service', 'echo-envoy', '--version', 'v1', '--engine', 'envoy', '--', process.execPath, programs.echo],
    {
      env: envoyEnv,
    },
  );
  const envoyClient = await mesh.runWorkload(['--name', 'client-envoy', '--engine', 'envoy', '--', 'sleep', '1000'], {
    env: envoyEnv,
  });
  for (const [from, to, caller] of [
    [client, 'echo-envoy', 'client'],
    [envoyClient, 'echo', 'client-envoy'],
    [envoyClient, 'echo-envoy', 'client-envoy'],
  ] as const) {
    const answer = await eventually(
      async () => {
        const response = await requestThroughProxy(from.httpProxyPort, `http://${to}/`);
        return response.status === 200 ? response : undefined;
      },
      { what: `${from.name} reaches ${to}` },
    );
    const seen = JSON.parse(answer.body) as { name: string; headers: Record<string, string> };
    assert.equal(seen.name, to);
    assert.match(
      seen.headers['x-forwarded-client-cert'] ?? '',
      new RegExp(`URI=spiffe://cluster.local/ns/default/sa/${caller}(;|,|$)`),
    );
  }
});
