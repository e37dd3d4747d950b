import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MapChange, Watch, WatchMap } from './watch.ts';

test('a Watch tells its listeners of another value, and not of the same', () => {
  const watch = new Watch(1);
  const seen: number[] = [];
  const stop = watch.subscribe((value) => seen.push(value), { now: true });
  watch.set(1);
  watch.set(2);
  stop();
  watch.set(3);
  assert.deepEqual(seen, [1, 2]);
  assert.equal(watch.value, 3);
});

test('a WatchMap reports one batch for an update, with previous values, and nothing for no change', () => {
  const map = new WatchMap<string, number>();
  const batches: (readonly MapChange<string, number>[])[] = [];
  map.subscribe((changes) => batches.push(changes));
  map.update([
    ['a', 1],
    ['b', 2],
  ]);
  map.update([['a', 1]]);
  map.update([
    ['a', undefined],
    ['b', 3],
    ['c', undefined],
  ]);
  assert.deepEqual(batches, [
    [
      { key: 'a', value: 1, previous: undefined },
      { key: 'b', value: 2, previous: undefined },
    ],
    [
      { key: 'a', value: undefined, previous: 1 },
      { key: 'b', value: 3, previous: 2 },
    ],
  ]);
});

test('replaceAll removes what is not wanted', () => {
  const map = new WatchMap<string, number>();
  map.update([
    ['a', 1],
    ['b', 2],
  ]);
  map.replaceAll(
    new Map([
      ['b', 2],
      ['c', 3],
    ]),
  );
  assert.deepEqual(
    [...map.entries()],
    [
      ['b', 2],
      ['c', 3],
    ],
  );
});
