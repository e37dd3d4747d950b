import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestWindow } from './request-window.ts';

test('a request counts for nine to ten tenths of the interval', () => {
  let now = 7_003;
  const window = new RequestWindow(1_000, { monotonicMs: () => now });
  const at = (ms: number): number => {
    now = 7_003 + ms;
    return window.count;
  };
  now += 50;
  window.add();
  window.add();
  now += 100;
  window.add();
  assert.deepEqual([at(160), at(999), at(1_000), at(1_099), at(1_100)], [3, 3, 1, 1, 0]);
  window.add();
  assert.equal(at(60_000), 0, 'after a long silence nothing is left');
  window.add();
  assert.equal(window.count, 1);
});

test('an interval of less than ten milliseconds is counted by the millisecond', () => {
  let now = 0;
  const window = new RequestWindow(5, { monotonicMs: () => now });
  window.add();
  now = 9;
  assert.equal(window.count, 1);
  now = 10;
  assert.equal(window.count, 0);
});
