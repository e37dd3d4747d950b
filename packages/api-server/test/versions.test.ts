import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApi } from './support/api.ts';

const group = '/apis/gateway.networking.k8s.io';
const routes = (version: string, name = ''): string =>
  `${group}/${version}/namespaces/default/httproutes${name === '' ? '' : `/${name}`}`;

const route = (version: string, host: string): Readonly<Record<string, unknown>> => ({
  apiVersion: `gateway.networking.k8s.io/${version}`,
  kind: 'HTTPRoute',
  metadata: { name: 'r' },
  spec: { hostnames: [host], rules: [{ name: 'all', backendRefs: [{ name: 'b', port: 80 }] }] },
});

test('an object that is written in one version is there in every version of its kind', async (t) => {
  const api = await startApi(t);
  const created = await api.admin.request('POST', routes('v1beta1'), route('v1beta1', 'a.example.com'));
  assert.equal(created.status, 201, JSON.stringify(created.body));
  assert.equal(created.body.apiVersion, 'gateway.networking.k8s.io/v1beta1');
  for (const version of ['v1', 'v1beta1']) {
    const apiVersion = `gateway.networking.k8s.io/${version}`;
    assert.equal((await api.admin.get(routes(version, 'r'))).body.apiVersion, apiVersion);
    const { body } = await api.admin.get(routes(version));
    assert.deepEqual([body.apiVersion, body.items[0].apiVersion], [apiVersion, apiVersion]);
  }
  const { body: stored } = await api.admin.get(routes('v1', 'r'));
  const replaced = await api.admin.request('PUT', routes('v1beta1', 'r'), {
    ...stored,
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    spec: { ...stored.spec, hostnames: ['b.example.com'] },
  });
  assert.equal(replaced.status, 200, JSON.stringify(replaced.body));
  assert.equal(replaced.body.apiVersion, 'gateway.networking.k8s.io/v1beta1');
  assert.deepEqual((await api.admin.get(routes('v1', 'r'))).body.spec.hostnames, ['b.example.com']);
  const wrong = await api.admin.request('POST', routes('v1'), route('v1beta1', 'a.example.com'));
  assert.equal(wrong.status, 400);
});

test('a watch tells its events in the version that it asks for', async (t) => {
  const api = await startApi(t);
  const watch = await api.admin.watch(`${routes('v1beta1')}?watch=true`);
  await api.admin.request('POST', routes('v1'), route('v1', 'a.example.com'));
  const { type, object } = await watch.next();
  assert.deepEqual([type, object.apiVersion], ['ADDED', 'gateway.networking.k8s.io/v1beta1']);
  watch.close();
});

test('an applier stays one owner when it goes to another version', async (t) => {
  const api = await startApi(t);
  const apply = (version: string, host: string) =>
    api.admin.request('PATCH', `${routes(version, 'r')}?fieldManager=me`, route(version, host), {
      'content-type': 'application/apply-patch+yaml',
    });
  assert.equal((await apply('v1beta1', 'a.example.com')).status, 201);
  const { status, body } = await apply('v1', 'b.example.com');
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(
    body.metadata.managedFields.map((entry: { manager: string; apiVersion: string }) => [
      entry.manager,
      entry.apiVersion,
    ]),
    [['me', 'gateway.networking.k8s.io/v1']],
  );
  assert.deepEqual(body.spec.rules[0].matches, [{ path: { type: 'PathPrefix', value: '/' } }], 'defaults are there');
});

test('a client of a deprecated version is told so, in answers of every sort', async (t) => {
  const api = await startApi(t);
  const path = (version: string): string => `${group}/${version}/namespaces/default/backendtlspolicies`;
  const policy = (version: string) => ({
    apiVersion: `gateway.networking.k8s.io/${version}`,
    kind: 'BackendTLSPolicy',
    metadata: { name: `of-${version}` },
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: 'a' }],
      validation: { hostname: 'a.com', wellKnownCACertificates: 'System' },
    },
  });
  const told = '299 - "BackendTLSPolicy v1alpha3 is deprecated; fix: Use gateway.networking.k8s.io/v1."';
  for (const [version, warning] of [
    ['v1', undefined],
    ['v1alpha3', told],
  ] as const) {
    const answers = [
      await api.admin.request('POST', path(version), policy(version)),
      await api.admin.get(path(version)),
      await api.admin.get(`${path(version)}/of-v1`),
    ];
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers['warning']]),
      [
        [201, warning],
        [200, warning],
        [200, warning],
      ],
    );
  }
});

test('a Gateway waits for its controller, and what it says is all of its status', async (t) => {
  const api = await startApi(t);
  const gateways = `${group}/v1/namespaces/default/gateways`;
  const gateway = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'g' },
    spec: { gatewayClassName: 'weft', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
    status: { attachedListenerSets: 3 },
  };
  const { body } = await api.admin.request('POST', gateways, gateway);
  assert.deepEqual(
    body.status.conditions.map((condition: { type: string; status: string }) => [condition.type, condition.status]),
    [
      ['Accepted', 'Unknown'],
      ['Programmed', 'Unknown'],
    ],
  );
  assert.equal(body.status.attachedListenerSets, undefined);
  assert.deepEqual(body.spec.listeners[0].allowedRoutes, { namespaces: { from: 'Same' } });
  const condition = {
    type: 'Accepted',
    status: 'True',
    reason: 'Accepted',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const patched = await api.admin.request(
    'PATCH',
    `${gateways}/g/status?fieldManager=controller`,
    { ...gateway, metadata: { name: 'g' }, spec: undefined, status: { conditions: [condition] } },
    { 'content-type': 'application/merge-patch+json' },
  );
  assert.equal(patched.status, 200, JSON.stringify(patched.body));
  assert.deepEqual(patched.body.status.conditions, [condition]);
  assert.equal(patched.body.metadata.generation, 1);
  const changed = await api.admin.request(
    'PATCH',
    `${gateways}/g`,
    { spec: { gatewayClassName: 'other' } },
    { 'content-type': 'application/merge-patch+json' },
  );
  assert.deepEqual([changed.body.metadata.generation, changed.body.status.conditions], [2, [condition]]);
});
