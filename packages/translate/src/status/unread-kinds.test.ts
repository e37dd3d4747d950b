import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { MeshState, resourceStatus } from '../index.ts';

const object = (kind: string, version: string, spec: unknown): KubeObject =>
  ({
    apiVersion: `networking.istio.io/${version}`,
    kind,
    metadata: { name: 'a', namespace: 'shop', generation: 1 },
    spec,
  }) as KubeObject;

test('a valid object that nothing acts upon says so', () => {
  const state = new MeshState();
  state.apply([
    { value: object('Sidecar', 'v1', { inboundConnectionPool: { tcp: { tcpKeepalive: { probes: 1 } } } }) },
    {
      value: object('ProxyConfig', 'v1beta1', {
        concurrency: 2,
        environmentVariables: { A: 'b' },
        image: { imageType: 'debug' },
      }),
    },
  ]);
  const said = [...resourceStatus(state).values()].map(({ origin, conditions }) => [
    origin.kind,
    conditions.find(({ type }) => type === 'NotYetSupported')?.message,
  ]);
  assert.deepEqual(Object.fromEntries(said), {
    Sidecar: 'valid, but nothing acts on it yet: spec.inboundConnectionPool.tcp.tcpKeepalive.probes',
    ProxyConfig: 'valid, but nothing acts on it yet: spec.environmentVariables, spec.image',
  });
});
