import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { gatewayApiStatus, MeshState, resourceStatus } from '../src/index.ts';

/** A change of one Proxy must not have the status of every other object look through all Proxies. */

const size = 60;

function object(apiVersion: string, kind: string, name: string, namespace: string, spec: object): KubeObject {
  const metadata = { name, namespace, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, spec } as KubeObject;
}

/** A mesh with as many Services, Sidecars, Gateways and Proxies, each in a namespace of its own, and how often the Proxies were looked at. */
function watchedMesh(): { readonly state: MeshState; readonly looks: () => number; readonly change: () => void } {
  let looks = 0;
  const proxy = (index: number, port: number): KubeObject => {
    const spec = { serviceAccount: 'a', httpProxy: { port } };
    const made = object('weft.dev/v1alpha1', 'Proxy', 'p', `ns-${index}`, spec);
    return Object.defineProperty(made, 'spec', {
      enumerable: true,
      get: () => {
        looks += 1;
        return spec;
      },
    });
  };
  const state = new MeshState();
  for (let index = 0; index < size; index += 1) {
    const namespace = `ns-${index}`;
    const objects = [
      object('v1', 'Service', 's', namespace, { selector: { app: 's' }, ports: [{ name: 'http', port: 80 }] }),
      object('networking.istio.io/v1', 'WorkloadEntry', 'p', namespace, { address: '10.0.0.1' }),
      object('networking.istio.io/v1', 'Sidecar', 'sidecar', namespace, { egress: [{ hosts: ['./*'] }] }),
      object('networking.istio.io/v1', 'ProxyConfig', 'config', namespace, { concurrency: 2 }),
      object('gateway.networking.k8s.io/v1', 'Gateway', 'g', namespace, {
        gatewayClassName: 'weft',
        listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
      }),
      object('networking.istio.io/v1', 'Gateway', 'g', namespace, {
        selector: { istio: 'gateway' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
      }),
      proxy(index, 15_080),
    ];
    state.apply(objects.map((value) => ({ value })));
  }
  return { state, looks: () => looks, change: () => void state.apply([{ value: proxy(7, 15_081) }]) };
}

test('statuses after a change of one Proxy look at each Proxy some times, not once for each object', () => {
  const { state, looks, change } = watchedMesh();
  const before = [...resourceStatus(state), ...gatewayApiStatus(state)];
  change();
  const start = looks();
  const after = [...resourceStatus(state), ...gatewayApiStatus(state)];
  assert.equal(after.length, before.length);
  assert.ok(looks() > start, 'the Proxies are watched');
  assert.ok(looks() - start < 30 * size, `${looks() - start} looks at ${size} Proxies`);
});
