import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, to } from './test-support.ts';

test('weights that are no percentages, and a destination without one beside others', () => {
  const shares = (...weights: (number | undefined)[]): readonly string[] =>
    findingsOf([
      object('VirtualService', 'a', {
        hosts: ['reviews'],
        http: [
          {
            route: weights.map((weight, index) => ({
              ...to(`r${index}`),
              ...(weight === undefined ? {} : { weight }),
            })),
          },
        ],
      }),
    ]);
  assert.deepEqual(shares(90, 10), []);
  assert.deepEqual(shares(undefined), []);
  assert.deepEqual(shares(50, 20), [
    'a spec.http[0].route: 70: the weights are shares of their sum, which is not 100: the first gets 71.4 %',
  ]);
  assert.deepEqual(shares(100, undefined), [
    'a spec.http[0].route[1]: without a weight beside others that have one it gets nothing',
  ]);
});

test('backends of Gateway API that all have no share', () => {
  const route = object('GRPCRoute', 'g', { rules: [{ backendRefs: [{ name: 'a', port: 1, weight: 0 }] }] });
  assert.deepEqual(findingsOf([route]), ['g spec.rules[0].backendRefs: every weight is 0: the rule leads nowhere']);
});
