import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionRate } from './connection-rate.ts';

const limit = { maxTokens: 3, tokensPerFill: 2, fillIntervalMs: 1000 };

function taken(rate: ConnectionRate, nowMs: number, of = limit): number {
  return Array.from({ length: 10 }, () => rate.admits(of, nowMs)).filter(Boolean).length;
}

test('a burst up to the maximum, then as many as are filled in', () => {
  const rate = new ConnectionRate();
  assert.deepEqual(
    [0, 499, 500, 1500, 60_000].map((nowMs) => taken(rate, nowMs)),
    [3, 0, 1, 2, 3],
  );
});

test('the same limit in a new version goes on, another one begins anew', () => {
  const rate = new ConnectionRate();
  assert.equal(taken(rate, 0), 3);
  assert.equal(taken(rate, 0, { ...limit }), 0);
  assert.equal(taken(rate, 0, { ...limit, maxTokens: 5 }), 5);
});
