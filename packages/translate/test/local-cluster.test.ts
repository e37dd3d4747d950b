import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KubeObject, parseManifest } from '@weft/resources';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import { clusterLoadAssignment, endpointNames, MeshState, workloadIr, xdsFromIr } from '../src/index.ts';

const local = 'local_cluster';

const web = (name: string, zone: string, more = ''): string => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: ${name}, namespace: shop}
spec: {address: 10.0.0.${name.slice(-1)}, locality: eu/${zone}, labels: {app: web${more}}, ports: {http: 15006}}`;

const service = (name: string, selector: string): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {${selector}}, ports: [{name: http, port: 80}]}`;

const proxy = `
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: {name: web-1, namespace: shop}
spec: {serviceAccount: web, httpProxy: {port: 15001}, inbound: [{name: http, port: 15006, appPort: 8080}]}`;

const rule = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: db, namespace: shop}
spec: {host: db, trafficPolicy: {loadBalancer: {zoneAwareLbSetting: {enabled: true}}}}`;

const db = service('db', 'app: db');

function objectsOf(...texts: readonly string[]): readonly { readonly value: KubeObject }[] {
  const { objects, violations } = parseManifest(texts.join('\n---\n'));
  assert.deepEqual(violations ?? [], []);
  return (objects ?? []).map(({ object }) => ({ value: object }));
}

function stateOf(...texts: readonly string[]): MeshState {
  const state = new MeshState();
  state.apply(objectsOf(...texts));
  return state;
}

function names(state: MeshState): readonly string[] {
  const ir = workloadIr(state, 'shop/web-1', ['db:80']);
  assert.ok(ir !== undefined);
  return [...xdsFromIr(ir).map(({ name }) => name), ...endpointNames(ir)].filter((name) => name === local);
}

/** Addresses by zone. */
function peers(state: MeshState): Readonly<Record<string, readonly string[]>> {
  const { endpoints } = ClusterLoadAssignment.decode(clusterLoadAssignment(state, 'shop/web-1', local).encode());
  return Object.fromEntries(
    endpoints.map(({ locality, lbEndpoints }) => [
      locality?.zone ?? '',
      lbEndpoints.map(({ hostIdentifier }) => {
        assert.ok(hostIdentifier?.$case === 'endpoint');
        const { address } = hostIdentifier.value.address ?? {};
        assert.ok(address?.$case === 'socketAddress');
        return address.value.address;
      }),
    ]),
  );
}

test('a proxy is told of its peers where something is balanced by zone, and only there', () => {
  const base = [proxy, web('web-1', 'a'), service('web', 'app: web'), db];
  assert.deepEqual(names(stateOf(...base)), []);
  assert.deepEqual(names(stateOf(...base, rule)), [local, local]);
  assert.deepEqual(names(stateOf(...base, rule.replace('enabled: true', 'enabled: false'))), []);
  const proxyless = proxy.replace(/spec: .*/, 'spec: {engine: grpc, serviceAccount: web}');
  assert.deepEqual(names(stateOf(proxyless, ...base.slice(1), rule)), [], 'gRPC does not balance by zone');
});

test('peers are the workloads behind all services of the workload, in its region', () => {
  const workloads = [
    web('web-1', 'a', ', version: v1'),
    web('web-2', 'b', ', version: v1'),
    web('web-3', 'b', ', version: v2'),
    web('web-4', 'a', ', version: v1').replace('eu/', 'us/'),
  ];
  const whole = [proxy, ...workloads, service('web', 'app: web')];
  assert.deepEqual(peers(stateOf(...whole)), { a: ['10.0.0.1'], b: ['10.0.0.2', '10.0.0.3'] });
  const byVersion = [...whole, service('web-v1', 'version: v1')];
  assert.deepEqual(peers(stateOf(...byVersion)), { a: ['10.0.0.1'], b: ['10.0.0.2'] });
  assert.deepEqual(peers(stateOf(proxy, ...workloads)), {}, 'no service has it');
});

test('a peer that comes, moves or leaves is told by the short path', () => {
  const state = stateOf(proxy, web('web-1', 'a'), web('web-2', 'b'), service('web', 'app: web'), db, rule);
  assert.deepEqual(peers(state), { a: ['10.0.0.1'], b: ['10.0.0.2'] });
  const [moved] = objectsOf(web('web-2', 'c'));
  const [fresh] = objectsOf(web('web-3', 'a'));
  assert.ok(moved !== undefined && fresh !== undefined);
  for (const [change, expected] of [
    [moved, { a: ['10.0.0.1'], c: ['10.0.0.2'] }],
    [fresh, { a: ['10.0.0.1', '10.0.0.3'], c: ['10.0.0.2'] }],
    [
      { value: undefined, previous: fresh.value },
      { a: ['10.0.0.1'], c: ['10.0.0.2'] },
    ],
  ] as const) {
    const { config, endpointServices } = state.apply([change]);
    assert.deepEqual([config, endpointServices.has(local)], [false, true]);
    assert.deepEqual(peers(state), expected);
  }
});
