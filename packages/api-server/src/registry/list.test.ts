import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, memoryRegistry } from '../../test/support/memory-registry.ts';

test('a paged list shows one state, whatever is written meanwhile', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await api.create(configMap(name));
  }
  const first = api.registry.list(resource, { namespace: 'default', limit: 2 });
  assert.deepEqual(names(first.items), ['a', 'b']);
  assert.equal(first.metadata.remainingItemCount, 3);
  await api.registry.delete(resource, { namespace: 'default', name: 'c' }, {}, api.context());
  await api.create(configMap('bb'));
  await api.registry.patch(resource, { namespace: 'default', name: 'd' }, 'merge', { data: { x: 'y' } }, api.context());
  const second = api.registry.list(resource, {
    namespace: 'default',
    limit: 2,
    continue: first.metadata.continue,
  });
  assert.deepEqual(names(second.items), ['c', 'd']);
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.equal((second.items[1] as { data?: unknown }).data, undefined);
  const third = api.registry.list(resource, { namespace: 'default', limit: 2, continue: second.metadata.continue });
  assert.deepEqual(names(third.items), ['e']);
  assert.equal(third.metadata.continue, undefined);
  assert.deepEqual(names(api.registry.list(resource, { namespace: 'default' }).items), ['a', 'b', 'bb', 'd', 'e']);
});

test('a list goes by namespace and selectors, sorted by namespace and name', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  await api.create(configMap('z', { metadata: { labels: { x: '1' } } }));
  await api.create(configMap('a', { metadata: { namespace: 'other', labels: { x: '1' } } }));
  await api.create(configMap('b'));
  assert.deepEqual(names(api.registry.list(resource, {}).items), ['b', 'z', 'a']);
  assert.deepEqual(names(api.registry.list(resource, { labelSelector: 'x=1' }).items), ['z', 'a']);
  assert.deepEqual(names(api.registry.list(resource, { fieldSelector: 'metadata.name=a' }).items), ['a']);
});

test('exact versions are served from history, 410 beyond it and 504 ahead of it', async (t) => {
  const api = await memoryRegistry({ maxHistoryEvents: 4 });
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  const { resourceVersion } = (await api.create(configMap('a'))).metadata;
  await api.create(configMap('b'));
  const exact = { resourceVersion, resourceVersionMatch: 'Exact' };
  assert.deepEqual(names(api.registry.list(resource, exact).items), ['a']);
  for (let index = 0; index < 10; index += 1) {
    await api.create(configMap(`more-${index}`));
  }
  assert.throws(() => api.registry.list(resource, exact), { code: 410, reason: 'Expired' });
  assert.throws(() => api.registry.list(resource, { resourceVersion: '999999' }), { code: 504 });
  assert.equal(api.registry.list(resource, { resourceVersion, resourceVersionMatch: 'NotOlderThan' }).items.length, 12);
});

test('what is no version, token or match is refused with 400', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  assert.throws(() => api.registry.list(resource, { resourceVersion: 'x' }), { code: 400 });
  assert.throws(() => api.registry.list(resource, { continue: 'x' }), { code: 400 });
  assert.throws(() => api.registry.list(resource, { resourceVersionMatch: 'Roughly' }), { code: 400 });
});

function names(items: readonly { readonly metadata: { readonly name: string } }[]): string[] {
  return items.map((item) => item.metadata.name);
}
