import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { Reads } from './reads.ts';
import { type KubeRoute, RouteIndex } from './route-index.ts';

function route(kind: string, name: string, day: number): KubeRoute {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind,
    metadata: { name, namespace: 'n', creationTimestamp: `2026-01-0${day}T00:00:00Z` },
    spec: { parentRefs: [{ name: 'g' }] },
  } as unknown as KubeRoute;
}

test('routes of a parent are in the order of their age, name and kind, in whichever order they come and go', () => {
  const random = seededRandom(7);
  const all = ['GRPCRoute', 'HTTPRoute'].flatMap((kind) =>
    ['a', 'b', 'c', 'd', 'e'].map((name, index) => route(kind, name, 1 + (index % 2))),
  );
  const wanted = all.map(({ kind, metadata }) => `${metadata.creationTimestamp} ${metadata.name} ${kind}`).sort();
  for (let round = 0; round < 20; round += 1) {
    const index = new RouteIndex(new Reads());
    const shuffled = all.map((value) => ({ value, at: random() })).sort((a, b) => a.at - b.at);
    for (const { value } of shuffled) {
      index.set(`${value.kind}/n/${value.metadata.name}`, value);
    }
    const [again] = shuffled;
    if (again !== undefined) {
      const id = `${again.value.kind}/n/${again.value.metadata.name}`;
      index.set(id, undefined);
      assert.equal(index.attachedTo('Gateway/n/g').length, all.length - 1);
      index.set(id, again.value);
    }
    const seen = index
      .attachedTo('Gateway/n/g')
      .map(({ kind, metadata }) => `${metadata.creationTimestamp} ${metadata.name} ${kind}`);
    assert.deepEqual(seen, wanted);
  }
});
