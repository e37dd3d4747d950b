import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Background,
  eventually,
  freePort,
  programs,
  startBackground,
  startMesh,
  type TestMesh,
} from '@weft/testkit';

/** What a Gateway says of what is made for it: `spec.infrastructure` and `spec.addresses`. */

let mesh: TestMesh;
const gateways: Background[] = [];

function gateway(name: string, fields: string): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: ${name}, namespace: default}
spec:
  gatewayClassName: weft
  listeners: [{name: http, port: 80, protocol: HTTP}]
${fields}`;
}

before(async () => {
  mesh = await startMesh();
  const objects = [
    gateway(
      'edge',
      `  infrastructure: {labels: {team: shop, app: not-this}, annotations: {example.com/note: "by the Gateway"}}
  addresses: [{value: 127.0.0.1}]`,
    ),
    gateway('elsewhere', '  addresses: [{type: IPAddress, value: 192.0.2.7}]'),
    gateway('unknown', '  infrastructure: {parametersRef: {group: "", kind: ConfigMap, name: settings}}'),
  ];
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input: objects.join('\n---') });
  assert.equal(code, 0, stderr);
  for (const name of ['edge', 'elsewhere', 'unknown']) {
    const args = ['gateway', name, '--port', `80=${await freePort()}`];
    gateways.push(startBackground(process.execPath, [programs.weft, ...args], { env: { ...mesh.env } }));
  }
});

after(async () => {
  await Promise.all(gateways.map((started) => started.stop()));
  await mesh?.stop();
});

async function conditionsOf(name: string): Promise<readonly string[]> {
  const path = `/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways/${name}`;
  const { body } = await mesh.api().request('GET', path);
  const { conditions = [] } =
    (body as { status?: { conditions?: { type: string; status: string; reason: string }[] } }).status ?? {};
  return conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

function says(name: string, ...wanted: readonly string[]): Promise<unknown> {
  return eventually(
    async () => {
      const there = await conditionsOf(name);
      return wanted.every((condition) => there.includes(condition));
    },
    { what: `${name} says ${wanted.join(', ')}`, timeoutMs: 20_000 },
  );
}

test('what is made for a Gateway has its labels and annotations, and keeps its own', async () => {
  await says('edge', 'Accepted True Accepted', 'Programmed True Programmed');
  for (const [group, kind] of [
    ['networking.istio.io/v1', 'workloadentries'],
    ['weft.dev/v1alpha1', 'proxies'],
  ]) {
    const { body } = await mesh.api().request('GET', `/apis/${group}/namespaces/default/${kind}`);
    const { items } = body as {
      items: { metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> } }[];
    };
    const made = items.find(({ metadata }) => metadata.name.startsWith('edge-'));
    assert.equal(made?.metadata.labels?.['team'], 'shop', kind);
    assert.equal(made?.metadata.labels?.['app'], made?.metadata.name, kind);
    assert.equal(made?.metadata.annotations?.['example.com/note'], 'by the Gateway', kind);
  }
  const { body } = await mesh.api().request('GET', '/api/v1/namespaces/default/serviceaccounts/edge');
  assert.equal((body as { metadata: { labels?: Record<string, string> } }).metadata.labels?.['team'], 'shop');
});

test('an address at which no proxy listens is said', async () => {
  await says('elsewhere', 'Accepted True Accepted', 'Programmed False AddressNotUsable');
});

test('a Gateway with parameters that nobody knows is not accepted, and not served', async () => {
  await says('unknown', 'Accepted False InvalidParameters', 'Programmed False Invalid');
});
