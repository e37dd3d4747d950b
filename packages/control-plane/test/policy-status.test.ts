import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, KubeObject } from '@weft/resources';
import { eventually } from '@weft/testkit';
import { startFixture } from './fixture.ts';

/** The status of a BackendTLSPolicy as it is stored. */

const gatewayApi = 'gateway.networking.k8s.io/v1';
const kind = { group: 'gateway.networking.k8s.io', version: 'v1', kind: 'BackendTLSPolicy' };

interface Ancestor {
  readonly ancestorRef: { readonly kind: string; readonly name: string };
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

const policy = (hostname: string): KubeObject & Record<string, unknown> => ({
  apiVersion: gatewayApi,
  kind: 'BackendTLSPolicy',
  metadata: { name: 'pay', namespace: 'shop' },
  spec: {
    targetRefs: [{ group: '', kind: 'Service', name: 'pay' }],
    validation: { hostname, wellKnownCACertificates: 'System' },
  },
});

test('what another controller says of a policy stays, and ours is of the generation that it is about', async (t) => {
  const ancestorRef = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop', name: 'theirs' };
  const theirs = { ancestorRef, controllerName: 'example.com/controller', conditions: [] };
  const { api } = await startFixture(t, {
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'pay', namespace: 'shop' },
        spec: { ports: [{ name: 'https', port: 443 }] },
      },
      { ...policy('a.example'), status: { ancestors: [theirs] } },
    ],
  });
  const found = (): Promise<KubeObject & { readonly status?: { readonly ancestors: readonly Ancestor[] } }> =>
    api.client.get(kind, 'pay', 'shop');
  /** The generations of our conditions of the Service, once there are any. */
  const generations = async (): Promise<readonly unknown[]> => {
    const { status } = await found();
    const own = status?.ancestors.find(({ controllerName }) => controllerName === 'weft.dev/gateway-controller');
    assert.equal(own?.ancestorRef.name, 'pay');
    return (own?.conditions ?? []).map(({ observedGeneration }) => observedGeneration);
  };
  const isOf = (generation: number | undefined): Promise<unknown> =>
    eventually(async () => assert.deepEqual(await generations(), [generation, generation]) === undefined, {
      what: `conditions of generation ${generation}`,
    });
  const first = (await found()).metadata.generation;
  await isOf(first);
  await api.put(policy('b.example'));
  const second = (await found()).metadata.generation;
  assert.notEqual(second, first);
  await isOf(second);
  assert.deepEqual((await found()).status?.ancestors[0], theirs);
});
