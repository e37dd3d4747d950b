import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { MeshState, workloadIr } from '../src/index.ts';

function object(apiVersion: string, kind: string, name: string, spec: object): KubeObject {
  const metadata = { name, namespace: 'edge', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, spec } as KubeObject;
}

test('an HTTPRoute with 0 attempts is not retried, and its only try may take as long as a try may', () => {
  const state = new MeshState();
  const labels = { 'gateway.networking.k8s.io/gateway-name': 'g' };
  const objects = [
    object('weft.dev/v1alpha1', 'Proxy', 'p', { serviceAccount: 'p', role: 'gateway' }),
    object('networking.istio.io/v1', 'WorkloadEntry', 'p', { address: '127.0.0.1', labels }),
    object('v1', 'Service', 'a', { selector: { app: 'a' }, ports: [{ name: 'http', port: 80 }] }),
    object('gateway.networking.k8s.io/v1', 'Gateway', 'g', {
      gatewayClassName: 'weft',
      listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
    }),
    object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'r', {
      parentRefs: [{ name: 'g' }],
      rules: [{ retry: { attempts: 0 }, timeouts: { backendRequest: '2s' }, backendRefs: [{ name: 'a', port: 80 }] }],
    }),
  ];
  state.apply(objects.map((value) => ({ value })));
  const action = workloadIr(state, 'edge/p', [])?.gateway[0]?.virtualHosts[0]?.routes.routes[0]?.action;
  assert.ok(action?.kind === 'forward');
  assert.deepEqual([action.retry, action.timeoutMs], [undefined, 2_000]);
});
