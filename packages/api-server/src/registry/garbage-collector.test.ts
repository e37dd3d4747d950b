import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, type MemoryRegistry, memoryRegistry } from '../../test/support/memory-registry.ts';
import type { PropagationPolicy } from './removal.ts';

async function family(api: MemoryRegistry): Promise<void> {
  const { uid = '' } = (await api.create(configMap('owner'))).metadata;
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, blockOwnerDeletion: true };
  await api.create(configMap('child', { metadata: { ownerReferences: [reference] } }));
}

function remove(api: MemoryRegistry, name: string, propagationPolicy: PropagationPolicy) {
  const place = { namespace: 'default', name };
  return api.registry.delete(api.resource('configmaps'), place, { propagationPolicy }, api.context());
}

function names(api: MemoryRegistry): string[] {
  return api.registry.list(api.resource('configmaps'), {}).items.map(({ metadata }) => metadata.name);
}

test('background deletion takes the dependents after the owner', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await family(api);
  await remove(api, 'owner', 'Background');
  await api.collector.idle();
  assert.deepEqual(names(api), []);
});

test('foreground deletion keeps the owner until its dependents are gone', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await family(api);
  const place = { namespace: 'default', name: 'child' };
  const hold = { metadata: { finalizers: ['example.com/hold'] } };
  await api.registry.patch(api.resource('configmaps'), place, 'merge', hold, api.context());
  const answer = await remove(api, 'owner', 'Foreground');
  assert.ok('metadata' in answer && 'deletionTimestamp' in answer.metadata);
  await api.collector.idle();
  assert.deepEqual(names(api), ['child', 'owner']);
  const release = { metadata: { finalizers: null } };
  await api.registry.patch(api.resource('configmaps'), place, 'merge', release, api.context());
  await api.collector.idle();
  assert.deepEqual(names(api), []);
});

test('orphaning lets the dependents stay without their reference', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await family(api);
  await remove(api, 'owner', 'Orphan');
  await api.collector.idle();
  assert.deepEqual(names(api), ['child']);
  const child = api.registry.get(api.resource('configmaps'), { namespace: 'default', name: 'child' });
  assert.equal(child.metadata.ownerReferences, undefined);
});

test('a dependent of several owners goes with the last of them', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const reference = (uid: string | undefined, name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name, uid });
  const one = await api.create(configMap('one'));
  const two = await api.create(configMap('two'));
  const ownerReferences = [reference(one.metadata.uid, 'one'), reference(two.metadata.uid, 'two')];
  await api.create(configMap('child', { metadata: { ownerReferences } }));
  await remove(api, 'one', 'Background');
  await api.collector.idle();
  const child = api.registry.get(api.resource('configmaps'), { namespace: 'default', name: 'child' });
  assert.equal(child.metadata.ownerReferences?.length, 1);
  await remove(api, 'two', 'Background');
  await api.collector.idle();
  assert.deepEqual(names(api), []);
});

test('a dependent whose owner never was is collected', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'ghost', uid: 'nobody' };
  await api.create(configMap('child', { metadata: { ownerReferences: [reference] } }));
  await api.collector.idle();
  assert.deepEqual(names(api), []);
});

test('an object with finalizers is marked, stays, and goes with its last finalizer', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await api.create(configMap('a', { metadata: { finalizers: ['example.com/x'] } }));
  await remove(api, 'a', 'Background');
  const place = { namespace: 'default', name: 'a' };
  const resource = api.resource('configmaps');
  assert.equal(api.registry.get(resource, place).metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
  await api.registry.patch(resource, place, 'merge', { metadata: { finalizers: [] } }, api.context());
  assert.deepEqual(names(api), []);
});

test('a namespace takes everything in it along, takes nothing new meanwhile, and waits for finalizers', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const held = { namespace: 'other', finalizers: ['example.com/x'] };
  await api.create(configMap('held', { metadata: held }));
  await api.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'other' } });
  const namespaces = api.resource('namespaces');
  const place = { namespace: undefined, name: 'other' };
  await api.registry.delete(namespaces, place, {}, api.context());
  await api.collector.idle();
  assert.equal((api.registry.get(namespaces, place) as { status?: { phase?: string } }).status?.phase, 'Terminating');
  assert.equal(api.registry.list(api.resource('secrets'), {}).items.length, 0);
  await assert.rejects(api.create(configMap('new', { metadata: { namespace: 'other' } })), {
    code: 403,
    message: /being terminated/,
  });
  const release = { metadata: { finalizers: [] } };
  const inside = { namespace: 'other', name: 'held' };
  await api.registry.patch(api.resource('configmaps'), inside, 'merge', release, api.context());
  await api.collector.idle();
  assert.throws(() => api.registry.get(namespaces, place), { code: 404 });
});
