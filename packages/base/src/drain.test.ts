import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import { Drain } from './drain.ts';

test('a drain ends when the last piece of work leaves', async () => {
  const clock = new ManualClock();
  const drain = new Drain();
  const first = drain.enter();
  const second = drain.enter();
  const done = drain.wait(clock, 1000);
  assert.equal(drain.draining, true);
  first();
  first();
  assert.equal(drain.active, 1);
  second();
  assert.equal(await done, true);
  assert.equal(clock.pendingTimers, 0);
});

test('a drain gives up after its time', async () => {
  const clock = new ManualClock();
  const drain = new Drain();
  drain.enter();
  const done = drain.wait(clock, 1000);
  clock.advance(1000);
  assert.equal(await done, false);
});

test('a drain of nothing is done at once', async () => {
  assert.equal(await new Drain().wait(new ManualClock(), 1000), true);
});
