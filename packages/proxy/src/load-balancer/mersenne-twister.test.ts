import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MersenneTwister } from './mersenne-twister.ts';

test('the 10,000th number of seed 5489 is the one that C++ demands (ISO 14882, rand.predef)', () => {
  const twister = new MersenneTwister();
  twister.seed(5489);
  assert.equal(twister.next(), 3_499_211_612);
  for (let count = 2; count < 10_000; count += 1) {
    twister.next();
  }
  assert.equal(twister.next(), 4_123_659_995);
});

test('a seed gives the same numbers again, all below the bound', () => {
  const twister = new MersenneTwister();
  const draw = (): number[] => {
    twister.seed(7);
    return Array.from({ length: 1000 }, () => twister.below(10));
  };
  const numbers = draw();
  assert.deepEqual(draw(), numbers);
  assert.deepEqual([...new Set(numbers)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
