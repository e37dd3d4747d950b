import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import { clusterLoadAssignment, MeshState, resourceStatus, workloadIr, type XdsMessage, xdsFromIr } from '../index.ts';

/** What is shared between before and after a change, and which changes take the short path. */

function object(apiVersion: string, kind: string, name: string, spec: unknown, generation = 1): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: 'shop', generation }, spec } as KubeObject;
}

const service = (name: string): KubeObject =>
  object('v1', 'Service', name, { selector: { app: name }, ports: [{ name: 'http', port: 80 }] });
const entry = (name: string, address: string, account = name): KubeObject =>
  object('networking.istio.io/v1', 'WorkloadEntry', `${name}-1`, {
    address,
    ports: { http: 15_001 },
    labels: { app: name },
    serviceAccount: account,
  });
const route = (name: string, status: number, generation: number): KubeObject =>
  object(
    'networking.istio.io/v1',
    'VirtualService',
    name,
    { hosts: [name], http: [{ directResponse: { status } }] },
    generation,
  );
const web = object('weft.dev/v1alpha1', 'Proxy', 'web-1', {
  serviceAccount: 'web',
  httpProxy: { port: 15_080 },
  upstreams: [{ host: 'b', port: 80, listenPort: 15_200 }],
});

const observed = ['a', 'b', 'c'];
const endpointsOfA = 'outbound|80||a.shop.svc.cluster.local';
let state: MeshState;

beforeEach(() => {
  state = new MeshState();
  state.apply(
    [web, ...['a', 'b', 'c'].flatMap((name, index) => [service(name), entry(name, `10.0.0.${index + 1}`)])].map(
      (value) => ({ value }),
    ),
  );
});

function messages(): Map<string, XdsMessage> {
  const ir = workloadIr(state, 'shop/web-1', observed);
  assert.ok(ir !== undefined);
  return new Map(xdsFromIr(ir).map((message) => [`${short(message.typeUrl)} ${message.name}`, message]));
}

function short(typeUrl: TypeUrl): string {
  return Object.entries(typeUrls).find(([, url]) => url === typeUrl)?.[0] ?? typeUrl;
}

function changedBy(change: () => void): readonly string[] {
  const before = messages();
  change();
  return [...messages()].filter(([name, message]) => before.get(name) !== message).map(([name]) => name);
}

test('nothing changed: the same IR, the same messages, the same status', () => {
  const ir = workloadIr(state, 'shop/web-1', observed);
  assert.equal(workloadIr(state, 'shop/web-1', [...observed]), ir);
  assert.deepEqual(
    changedBy(() => {}),
    [],
  );
  assert.equal(resourceStatus(state), resourceStatus(state));
});

test('a new route makes only its own virtual host again', () => {
  assert.deepEqual(
    changedBy(() => {
      const effect = state.apply([{ value: route('a', 200, 1) }]);
      assert.equal(effect.config, true);
    }),
    ['virtualHost http-proxy/a'],
  );
});

test('a route of a declared upstream does not touch its listener', () => {
  assert.deepEqual(
    changedBy(() => void state.apply([{ value: route('b', 200, 1) }])),
    [
      'routeConfiguration upstream|80||b.shop.svc.cluster.local',
      'virtualHost http-proxy/b',
      'virtualHost http-proxy/b:80',
    ],
  );
});

test('a new address takes the short path', () => {
  const before = clusterLoadAssignment(state, 'shop/web-1', endpointsOfA);
  assert.deepEqual(
    changedBy(() => {
      const effect = state.apply([{ value: entry('a', '10.0.0.99') }]);
      assert.equal(effect.config, false);
      assert.deepEqual([...effect.endpointServices], [endpointsOfA]);
    }),
    [],
  );
  assert.notEqual(clusterLoadAssignment(state, 'shop/web-1', endpointsOfA), before);
});

test('a new identity behind a service is a change of its cluster', () => {
  assert.deepEqual(
    changedBy(() => {
      const effect = state.apply([{ value: entry('a', '10.0.0.1', 'somebody-else') }]);
      assert.equal(effect.config, true);
    }),
    [`cluster ${endpointsOfA}`],
  );
});

test('a proxy that loses its stream makes its endpoint unhealthy, by the short path', () => {
  state.apply([{ value: object('weft.dev/v1alpha1', 'Proxy', 'a-1', { serviceAccount: 'a' }) }]);
  const lost = state.setProxyConnected('shop/a-1', false);
  assert.deepEqual([lost.config, [...lost.endpointServices]], [false, [endpointsOfA]]);
  const again = state.setProxyConnected('shop/a-1', false);
  assert.equal(again.endpointServices.size, 0, 'saying it twice changes nothing');
  const back = state.setProxyConnected('shop/a-1', true);
  assert.deepEqual([back.config, [...back.endpointServices]], [false, [endpointsOfA]]);
});

test('writing a status is not a change, except for the health of a workload', () => {
  const healthy = (status: string): KubeObject =>
    ({ ...entry('a', '10.0.0.1'), status: { conditions: [{ type: 'Healthy', status }] } }) as KubeObject;
  const written = { ...web, status: { connected: true } } as KubeObject;
  const none = state.apply([{ value: written }, { value: healthy('True') }]);
  assert.deepEqual([none.config, none.endpointServices.size], [false, 0]);
  const failing = state.apply([{ value: healthy('False') }]);
  assert.deepEqual([failing.config, [...failing.endpointServices]], [false, [endpointsOfA]]);
});

test('an object that was never there can be deleted', () => {
  const effect = state.apply([{ value: undefined, previous: service('nobody') }]);
  assert.deepEqual([effect.config, effect.endpointServices.size], [false, 0]);
});

test('kinds that translation does not know are passed over', () => {
  const effect = state.apply([{ value: object('v1', 'ServiceAccount', 'x', undefined) }]);
  assert.equal(effect.config, false);
});

test('there is no IR of a proxy that is not there', () => {
  assert.equal(workloadIr(state, 'shop/nobody', []), undefined);
  state.apply([{ value: undefined, previous: web }]);
  assert.equal(workloadIr(state, 'shop/web-1', []), undefined);
});
