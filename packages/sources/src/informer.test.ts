import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Backoff, silentLogger } from '@weft/base';
import type { KubeObject, ListResult, ResourceClient, WatchHandlers } from '@weft/resources';
import { ManualClock } from '@weft/testkit';
import { createInformer } from './informer.ts';

const kind = { group: '', version: 'v1', kind: 'Service' };

function service(name: string, resourceVersion: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop', resourceVersion, uid: `uid-${name}` },
  };
}

/** An API that a test plays by hand: lists are answered in turn, watches are recorded. */
class ScriptedApi {
  readonly lists: (ListResult | Error)[] = [];
  readonly watches: { readonly resourceVersion: string; readonly handlers: WatchHandlers; stopped: boolean }[] = [];
  readonly client: ResourceClient;

  constructor() {
    const refuse = (): never => {
      throw new Error('not part of this script');
    };
    this.client = {
      list: async <T extends KubeObject>() => {
        const next = this.lists.shift();
        if (next === undefined || next instanceof Error) {
          throw next ?? new Error('no list left');
        }
        return next as ListResult<T>;
      },
      watch: (_kind, options, handlers) => {
        const watch = {
          resourceVersion: options.resourceVersion,
          handlers: handlers as unknown as WatchHandlers,
          stopped: false,
        };
        this.watches.push(watch);
        return () => {
          watch.stopped = true;
        };
      },
      get: refuse,
      create: refuse,
      update: refuse,
      patch: refuse,
      apply: refuse,
      delete: refuse,
    };
  }

  get watch(): (typeof this.watches)[number] {
    const last = this.watches.at(-1);
    assert.ok(last !== undefined, 'no watch was opened');
    return last;
  }
}

function setUp(t: TestContext, ...lists: (ListResult | Error)[]) {
  const api = new ScriptedApi();
  api.lists.push(...lists);
  const clock = new ManualClock();
  const informer = createInformer({
    client: api.client,
    kind,
    logger: silentLogger,
    clock,
    backoff: new Backoff({ random: () => 0.5 }),
  });
  t.after(() => informer.stop());
  return { api, clock, informer };
}

/** Lets what is already resolved run on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('lists first, then follows the watch from the version of the list', async (t) => {
  const { api, informer } = setUp(t, { items: [service('a', '1')], resourceVersion: '5' });
  await informer.synced;
  assert.deepEqual(
    [...informer.objects.entries()].map(([key]) => key),
    ['shop/a'],
  );
  assert.equal(api.watch.resourceVersion, '5');
  api.watch.handlers.onEvent({ type: 'ADDED', object: service('b', '6') });
  api.watch.handlers.onEvent({ type: 'DELETED', object: service('a', '7') });
  assert.deepEqual(
    [...informer.objects.entries()].map(([key]) => key),
    ['shop/b'],
  );
  api.watch.handlers.onEvent({ type: 'BOOKMARK', resourceVersion: '9' });
  assert.equal(informer.resourceVersion, '9');
});

test('a watch that ends is resumed from the last version, without a list', async (t) => {
  const { api, clock, informer } = setUp(t, { items: [], resourceVersion: '5' });
  await informer.synced;
  api.watch.handlers.onEvent({ type: 'ADDED', object: service('b', '6') });
  api.watch.handlers.onEnd({ code: 0, message: 'timeout' });
  assert.equal(api.watches.length, 1);
  clock.advance(100);
  assert.equal(api.watches.length, 2);
  assert.equal(api.watch.resourceVersion, '6');
});

test('410 Gone lists again; what is unchanged keeps its identity, what vanished meanwhile goes', async (t) => {
  const { api, informer } = setUp(
    t,
    { items: [service('a', '1'), service('b', '2')], resourceVersion: '5' },
    { items: [service('a', '1'), service('c', '8')], resourceVersion: '9' },
  );
  await informer.synced;
  const before = informer.objects.get('shop/a');
  const changes: string[] = [];
  informer.objects.subscribe((batch) => changes.push(...batch.map(({ key }) => key)));
  api.watch.handlers.onEnd({ code: 410, message: 'too old' });
  await settle();
  assert.deepEqual(changes.toSorted(), ['shop/b', 'shop/c']);
  assert.equal(informer.objects.get('shop/a'), before);
  assert.equal(api.watch.resourceVersion, '9');
});

test('a list that fails is tried again, and the last good state stays', async (t) => {
  const { api, clock, informer } = setUp(t, { items: [service('a', '1')], resourceVersion: '5' }, new Error('away'), {
    items: [service('a', '1'), service('b', '2')],
    resourceVersion: '6',
  });
  await informer.synced;
  api.watch.handlers.onEnd({ code: 410, message: 'too old' });
  await settle();
  assert.equal(informer.objects.size, 1);
  clock.advance(10_000);
  await settle();
  assert.equal(informer.objects.size, 2);
});

test('after stop neither events nor timers change anything', async (t) => {
  const { api, clock, informer } = setUp(t, { items: [], resourceVersion: '5' });
  await informer.synced;
  const { handlers } = api.watch;
  informer.stop();
  assert.equal(api.watch.stopped, true);
  handlers.onEvent({ type: 'ADDED', object: service('b', '6') });
  handlers.onEnd({ code: 410, message: 'too old' });
  clock.advance(10_000);
  await settle();
  assert.equal(informer.objects.size, 0);
  assert.equal(api.watches.length, 1);
});
