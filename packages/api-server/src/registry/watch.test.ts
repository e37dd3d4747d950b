import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, memoryRegistry } from '../../test/support/memory-registry.ts';
import type { WatchedEvent } from './watch.ts';

function short(event: WatchedEvent): string {
  return event.type === 'BOOKMARK'
    ? `BOOKMARK${event.initialEventsEnd ? ' initial' : ''}`
    : `${event.type} ${event.object.metadata.name}`;
}

test('a watch from a version sees each later change once, in order', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  const place = { namespace: 'default', name: 'a' };
  const { resourceVersion } = (await api.create(configMap('a'))).metadata;
  await api.create(configMap('b'));
  const seen: string[] = [];
  const stop = api.registry.watch(resource, { namespace: 'default', resourceVersion }, (event) =>
    seen.push(short(event)),
  );
  await api.registry.patch(resource, place, 'merge', { data: { x: 'y' } }, api.context());
  await api.create(configMap('elsewhere', { metadata: { namespace: 'other' } }));
  await api.registry.delete(resource, place, {}, api.context());
  stop();
  await api.create(configMap('late'));
  assert.deepEqual(seen, ['ADDED b', 'MODIFIED a', 'DELETED a']);
});

test('an object that comes to match a selector is ADDED, one that ceases to is DELETED', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  const label = (value: string | null) =>
    api.registry.patch(
      resource,
      { namespace: 'default', name: 'a' },
      'merge',
      { metadata: { labels: { on: value } } },
      api.context(),
    );
  const { resourceVersion } = (await api.create(configMap('a'))).metadata;
  const seen: string[] = [];
  const query = { labelSelector: 'on=yes', resourceVersion };
  t.after(api.registry.watch(resource, query, (event) => seen.push(short(event))));
  await label('yes');
  await api.registry.patch(resource, { namespace: 'default', name: 'a' }, 'merge', { data: { k: 'v' } }, api.context());
  await label('no');
  await label(null);
  assert.deepEqual(seen, ['ADDED a', 'MODIFIED a', 'DELETED a']);
});

test('a watch without a version begins with the state, and a streaming list ends it with a bookmark', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  await api.create(configMap('a'));
  const plain: string[] = [];
  t.after(api.registry.watch(resource, {}, (event) => plain.push(short(event))));
  assert.deepEqual(plain, ['ADDED a']);
  const streamed: string[] = [];
  const query = { sendInitialEvents: true, allowBookmarks: true };
  t.after(api.registry.watch(resource, query, (event) => streamed.push(short(event))));
  assert.deepEqual(streamed, ['ADDED a', 'BOOKMARK initial']);
  assert.throws(() => api.registry.watch(resource, { sendInitialEvents: true }, () => undefined), { code: 400 });
});

test('bookmarks tell the latest version at their interval, and stop with the watch', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  const seen: WatchedEvent[] = [];
  const query = { allowBookmarks: true, sendInitialEvents: false };
  const stop = api.registry.watch(resource, query, (event) => seen.push(event));
  await api.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' } });
  api.clock.advance(60_000);
  assert.deepEqual(seen, [{ type: 'BOOKMARK', resourceVersion: String(api.store.revision), initialEventsEnd: false }]);
  stop();
  api.clock.advance(120_000);
  assert.equal(seen.length, 1);
});

test('a version that history has forgotten answers 410, one of the future 504', async (t) => {
  const api = await memoryRegistry({ maxHistoryEvents: 4 });
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  const { resourceVersion } = (await api.create(configMap('a'))).metadata;
  for (let index = 0; index < 10; index += 1) {
    await api.create(configMap(`more-${index}`));
  }
  assert.throws(() => api.registry.watch(resource, { resourceVersion }, () => undefined), { code: 410 });
  assert.throws(() => api.registry.watch(resource, { resourceVersion: '9999' }, () => undefined), { code: 504 });
});
