import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { MeshState, workloadIr } from '../src/index.ts';

/** What is spoken to a port that declares nothing. */

function object(apiVersion: string, kind: string, name: string, spec: object): KubeObject {
  const metadata = { name, namespace: 'shop', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, spec } as KubeObject;
}

const gatewayApi = 'gateway.networking.k8s.io/v1';
const route = (kind: string): KubeObject =>
  object(gatewayApi, kind, kind.toLowerCase(), {
    parentRefs: [{ name: 'g' }],
    hostnames: [`${kind.toLowerCase()}.example`],
    rules: [{ backendRefs: [{ name: 'a', port: 80 }] }],
  });

function protocolWith(routes: readonly KubeObject[], proxy: object, observed: readonly string[] = []): unknown {
  const state = new MeshState();
  const objects = [
    object('weft.dev/v1alpha1', 'Proxy', 'p', { serviceAccount: 'p', ...proxy }),
    object('networking.istio.io/v1', 'WorkloadEntry', 'p', {
      address: '127.0.0.1',
      labels: { 'gateway.networking.k8s.io/gateway-name': 'g' },
    }),
    object('v1', 'Service', 'a', { selector: { app: 'a' }, ports: [{ port: 80 }] }),
    object(gatewayApi, 'Gateway', 'g', {
      gatewayClassName: 'weft',
      listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
    }),
    ...routes,
  ];
  state.apply(objects.map((value) => ({ value })));
  return workloadIr(state, 'shop/p', observed)?.clusters.map(({ protocol }) => protocol);
}

const gateway = { role: 'gateway' };

test('a gateway speaks HTTP/1.1 to it, whatever its clients speak', () => {
  assert.deepEqual(protocolWith([route('HTTPRoute')], gateway), ['http1']);
});

test('with a GRPCRoute it speaks HTTP/2, also where an HTTPRoute leads there as well', () => {
  assert.deepEqual(protocolWith([route('GRPCRoute')], gateway), ['http2']);
  assert.deepEqual(protocolWith([route('GRPCRoute'), route('HTTPRoute')], gateway), ['http2']);
  assert.deepEqual(protocolWith([route('HTTPRoute'), route('GRPCRoute')], gateway), ['http2']);
});

test('a sidecar goes by its workload, which knows what it calls', () => {
  assert.deepEqual(protocolWith([], { httpProxy: { port: 15_080 } }, ['a']), ['http-as-downstream']);
});
