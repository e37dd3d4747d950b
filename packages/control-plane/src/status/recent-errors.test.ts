import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import { maxRecentErrors, RecentErrors } from './recent-errors.ts';

test('the same again is one entry, for a minute', () => {
  const clock = new ManualClock();
  const errors = new RecentErrors(clock);
  assert.equal(errors.add('nack', 'a', 'x'), true);
  assert.equal(errors.add('nack', 'a', 'x'), false);
  clock.advance(60_000);
  assert.equal(errors.add('nack', 'a', 'x'), true);
  assert.equal(errors.list(10).length, 2);
  assert.equal(errors.add('nack', 'long', 'x'.repeat(5_000)), true);
  assert.equal(errors.add('nack', 'long', 'x'.repeat(5_000)), false, 'also when it is cut');
});

test('the newest come first and only so many are kept', () => {
  const errors = new RecentErrors(new ManualClock());
  for (let i = 0; i <= maxRecentErrors; i += 1) {
    errors.add('rejected', `subject ${i}`, 'x');
  }
  const kept = errors.list(maxRecentErrors * 2);
  assert.equal(kept.length, maxRecentErrors);
  assert.equal(kept[0]?.subject, `subject ${maxRecentErrors}`);
});
