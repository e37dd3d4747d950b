import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareConditions, mergeConditions, type WantedCondition } from './conditions.ts';

const wanted: WantedCondition[] = [
  { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' },
  { type: 'Programmed', status: 'True', reason: 'Programmed', message: 'applied by 2 of 2 proxies' },
];
const early = new Date('2026-01-01T00:00:00Z');
const late = new Date('2026-01-02T00:00:00Z');

test('what was written is not written again', () => {
  const stored = mergeConditions([], wanted, 3, early);
  assert.equal(compareConditions(stored, wanted, 3), 'none');
});

test('a new generation, status or reason is substance; other numbers in a message are wording', () => {
  const stored = mergeConditions([], wanted, 3, early);
  assert.equal(compareConditions(stored, wanted, 4), 'substance');
  assert.equal(compareConditions(stored, wanted.slice(1), 3), 'substance');
  assert.equal(compareConditions([], wanted, 3), 'substance');
  const [accepted, programmed] = wanted;
  assert.ok(accepted !== undefined && programmed !== undefined);
  assert.equal(compareConditions(stored, [accepted, { ...programmed, status: 'False' }], 3), 'substance');
  assert.equal(
    compareConditions(stored, [accepted, { ...programmed, message: 'applied by 3 of 3 proxies' }], 3),
    'wording',
  );
});

test('times move with the status only, and the conditions of others stay', () => {
  const foreign = {
    ...wanted[0],
    type: 'Reviewed',
    status: 'True',
    lastTransitionTime: 'x',
    reason: 'r',
    message: 'm',
  } as const;
  const first = mergeConditions([foreign], wanted, 1, early);
  const second = mergeConditions(
    first,
    wanted.map((condition) => (condition.type === 'Programmed' ? { ...condition, status: 'False' } : condition)),
    2,
    late,
  );
  const times = Object.fromEntries(second.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]));
  assert.deepEqual(times, {
    Reviewed: 'x',
    Accepted: '2026-01-01T00:00:00Z',
    Programmed: '2026-01-02T00:00:00Z',
  });
  assert.equal(compareConditions(first, wanted, 1), 'none');
});
