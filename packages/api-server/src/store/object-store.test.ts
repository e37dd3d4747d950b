import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshError, silentLogger } from '@weft/base';
import { configMap } from '../../test/support/memory-registry.ts';
import { openSqliteStorage } from '../storage/sqlite-storage.ts';
import type { Storage, StorageChange } from '../storage/storage.ts';
import { ObjectStore } from './object-store.ts';

/** Counts commits and can be told to fail. */
class CountingStorage implements Storage {
  readonly #inner = openSqliteStorage({ path: ':memory:' });
  readonly commits: number[] = [];
  failure: MeshError | undefined;

  load() {
    return this.#inner.load();
  }

  async commit(changes: readonly StorageChange[], revision: number): Promise<void> {
    this.commits.push(changes.length);
    if (this.failure !== undefined) {
      throw this.failure;
    }
    await this.#inner.commit(changes, revision);
  }

  close() {
    return this.#inner.close();
  }
}

async function open(storage: Storage, maxPendingWrites = 1_000): Promise<ObjectStore> {
  const resources = ['configmaps'];
  return ObjectStore.open({ storage, resources, maxHistoryEvents: 100, maxPendingWrites, logger: silentLogger });
}

const put = (store: ObjectStore, name: string) =>
  store.write((transaction) => transaction.put('configmaps', configMap(name)));

test('writes that arrive together share one commit', async (t) => {
  const storage = new CountingStorage();
  const store = await open(storage);
  t.after(() => store.close());
  const done = await Promise.all(Array.from({ length: 100 }, (_, index) => put(store, `c${index}`)));
  assert.deepEqual(storage.commits, [100]);
  assert.equal(new Set(done.map(({ metadata }) => metadata.resourceVersion)).size, 100);
});

test('a write sees what earlier ones of its batch did; one that throws leaves nothing behind', async (t) => {
  const storage = new CountingStorage();
  const store = await open(storage);
  t.after(() => store.close());
  const first = put(store, 'a');
  const refused = store.write((transaction) => {
    transaction.put('configmaps', configMap('b'));
    throw new Error('no');
  });
  const second = store.write((transaction) => ({
    a: transaction.get('configmaps', 'default', 'a') !== undefined,
    b: transaction.get('configmaps', 'default', 'b') !== undefined,
    listed: transaction.list('configmaps', 'default').length,
  }));
  await first;
  await assert.rejects(refused, /no/);
  assert.deepEqual(await second, { a: true, b: false, listed: 1 });
  assert.equal(store.collection('configmaps').list().length, 1);
});

test('a batch that cannot be stored is refused as a whole, is not seen, and the next goes on', async (t) => {
  const storage = new CountingStorage();
  const store = await open(storage);
  t.after(() => store.close());
  const events: string[] = [];
  store.collection('configmaps').subscribe((event) => events.push(event.key));
  storage.failure = new MeshError('DISK_FULL', 'full');
  const revision = store.revision;
  const answers = await Promise.allSettled([put(store, 'a'), put(store, 'b')]);
  assert.ok(answers.every((answer) => answer.status === 'rejected' && answer.reason === storage.failure));
  assert.equal(store.revision, revision);
  assert.deepEqual(events, []);
  storage.failure = undefined;
  await put(store, 'a');
  assert.deepEqual(events, ['default/a']);
});

test('more writes than may wait are refused with 429', async (t) => {
  const store = await open(new CountingStorage(), 3);
  t.after(() => store.close());
  const accepted = ['a', 'b', 'c'].map((name) => put(store, name));
  await assert.rejects(put(store, 'd'), { code: 429 });
  await Promise.all(accepted);
  await put(store, 'd');
});

test('what is handed out is frozen, and closing waits for accepted writes and takes no new ones', async () => {
  const store = await open(new CountingStorage());
  const pending = put(store, 'a');
  const closed = store.close();
  const stored = await pending;
  assert.ok(Object.isFrozen(stored) && Object.isFrozen(stored.metadata));
  await closed;
  await assert.rejects(put(store, 'b'), { code: 'UNAVAILABLE' });
});
