import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from './backoff.ts';

test('waits grow up to the bound, with full jitter, and start again after a success', () => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 1000, random: () => 0.5 });
  assert.deepEqual(
    Array.from({ length: 6 }, () => backoff.nextDelayMs()),
    [50, 100, 200, 400, 500, 500],
  );
  assert.equal(backoff.attempt, 6);
  backoff.reset();
  assert.equal(backoff.nextDelayMs(), 50);
});

test('a thousand attempts do not overflow', () => {
  const backoff = new Backoff({ random: () => 1 - Number.EPSILON });
  for (let i = 0; i < 1000; i++) {
    assert.ok(backoff.nextDelayMs() < 10_000);
  }
});
