import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, findPeer, peerSkip, programs, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';
import { requestThroughProxy } from './http-proxy-request.ts';
import { sendMany } from './steady-load.ts';

const kubectlMissing = peerSkip('kubectl');

const rules = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: echo, namespace: default }
spec:
  host: echo
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: echo, namespace: default }
spec:
  hosts: [echo]
  http:
    - name: testers
      match: [{ headers: { x-user: { exact: tester } } }]
      route: [{ destination: { host: echo, subset: v2 } }]
    - name: split
      route:
        - { destination: { host: echo, subset: v1 }, weight: 90 }
        - { destination: { host: echo, subset: v2 }, weight: 10 }
`;

let mesh: TestMesh;
const clients = new Map<string, TestWorkload>();
const engines = findPeer('envoy') === undefined ? (['weft'] as const) : (['weft', 'envoy'] as const);

before(async () => {
  mesh = await startMesh();
  for (const version of ['v1', 'v2']) {
    await mesh.runWorkload(['--service', 'echo', '--version', version, '--', process.execPath, programs.echo], {
      env: { NAME: 'echo', VERSION: version },
    });
  }
  for (const engine of engines) {
    const client = await mesh.runWorkload(['--name', `client-${engine}`, '--engine', engine, '--', 'sleep', '1000'], {
      env: { WEFT_ENVOY: findPeer('envoy') ?? '' },
    });
    clients.set(engine, client);
  }
});

after(async () => {
  await mesh?.stop();
});

test('a routing change by kubectl is programmed, and kubectl can wait for that', { skip: kubectlMissing }, async () => {
  const applied = await mesh.kubectl(['apply', '-f', '-'], { input: rules });
  assert.equal(applied.code, 0, applied.stderr);
  const waited = await mesh.kubectl([
    'wait',
    '--for=condition=Programmed',
    '--timeout=10s',
    'virtualservice/echo',
    'destinationrule/echo',
  ]);
  assert.equal(waited.code, 0, waited.stderr);
});

for (const engine of ['weft', 'envoy'] as const) {
  const skip = kubectlMissing || (engine === 'envoy' ? peerSkip('envoy') : false);

  test(`weights 90/10 hold within one point over 10,000 requests (${engine} as the caller's sidecar)`, {
    skip,
  }, async () => {
    const client = clients.get(engine);
    assert.ok(client);
    // The first request for the host makes the sidecar ask for it.
    await eventually(async () => (await requestThroughProxy(client.httpProxyPort, 'http://echo/')).status === 200, {
      what: 'echo is reached',
    });
    const served = { v1: 0, v2: 0, other: 0 };
    const total = 10_000;
    await sendMany({
      proxyPort: client.httpProxyPort,
      url: 'http://echo/',
      total,
      concurrency: 16,
      onResponse: ({ status, headers }) => {
        const version = status === 200 ? String(headers['x-served-by']).replace('echo-', '') : 'other';
        served[version === 'v1' || version === 'v2' ? version : 'other'] += 1;
      },
    });
    assert.equal(served.other, 0);
    // One point of 10,000 requests is 3.3 standard deviations of a fair 90/10 split.
    assert.ok(Math.abs(served.v1 / total - 0.9) <= 0.01, JSON.stringify(served));
  });

  test(`a header chooses version 2 (${engine} as the caller's sidecar)`, { skip }, async () => {
    const client = clients.get(engine);
    assert.ok(client);
    const versions = new Set<string>();
    await sendMany({
      proxyPort: client.httpProxyPort,
      url: 'http://echo/',
      total: 200,
      concurrency: 8,
      headers: { 'x-user': 'tester' },
      onResponse: ({ headers }) => versions.add(String(headers['x-served-by'])),
    });
    assert.deepEqual([...versions], ['echo-v2']);
  });
}

test('kubectl diff shows a change and kubectl edit makes one', { skip: kubectlMissing }, async () => {
  const changed = rules.replace('weight: 90', 'weight: 50').replace('weight: 10', 'weight: 50');
  const diff = await mesh.kubectl(['diff', '-f', '-'], { input: changed });
  assert.equal(diff.code, 1, diff.stderr);
  assert.match(diff.stdout, /^\+\s+weight: 50$/m);
  const edit = await mesh.kubectl(['edit', 'virtualservice/echo'], {
    env: { KUBE_EDITOR: 'sed -i s/testers/friends/' },
  });
  assert.equal(edit.code, 0, edit.stderr);
  const read = await mesh.kubectl(['get', 'virtualservice/echo', '-o', 'jsonpath={.spec.http[0].name}']);
  assert.equal(read.stdout, 'friends');
});

test('kubectl explain knows every field, and kubectl get -w sees a change', { skip: kubectlMissing }, async () => {
  const explained = await mesh.kubectl(['explain', 'virtualservice.spec.http.retries']);
  assert.equal(explained.code, 0, explained.stderr);
  assert.match(explained.stdout, /attempts\s+<integer>/);
  const watching = mesh.kubectl(['get', 'destinationrule', '-w', '--request-timeout=6s'], { timeoutMs: 15_000 });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const labelled = await mesh.kubectl(['label', 'destinationrule/echo', 'seen=yes']);
  assert.equal(labelled.code, 0, labelled.stderr);
  const { stdout } = await watching;
  assert.ok(stdout.split('\n').filter((line) => line.startsWith('echo')).length >= 2, stdout);
});

test('a change that does not validate is refused with every mistake and its place, and traffic goes on as before', {
  skip: kubectlMissing,
}, async () => {
  const wrong = rules.replace('exact: tester', 'regexp: "("').replace('weight: 90', 'weight: -1');
  const refused = await mesh.kubectl(['apply', '-f', '-'], { input: wrong });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /spec\.http\[0\]\.match\[0\]\.headers/);
  assert.match(refused.stderr, /spec\.http\[1\]\.route\[0\]\.weight/);
  const client = clients.get('weft');
  assert.ok(client);
  assert.equal((await requestThroughProxy(client.httpProxyPort, 'http://echo/')).status, 200);
});
