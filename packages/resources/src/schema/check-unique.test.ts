import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../describe-violation.ts';
import { Place } from '../place.ts';
import { checkUnique } from './check-unique.ts';
import { keyedList, list, map, object, set, text } from './fields.ts';

const schema = object('a', {
  byKey: keyedList('b', object('c', { a: text('d'), b: text('e') }), { listMapKeys: ['a', 'b'] }),
  values: set('f', text('g')),
  plain: list('h', text('i')),
  nested: map('j', list('k', object('l', { values: set('m', text('n')) }))),
});

function problems(value: unknown): string[] {
  const place = Place.root();
  checkUnique(place, schema, value);
  return place.violations.map(describeViolation);
}

test('an item that a merge could not tell from another is reported, at every depth', () => {
  assert.deepEqual(
    problems({
      byKey: [{ a: '1', b: '2' }, { a: '1', b: '3' }, { a: '1', b: '2' }, { a: '1' }, { a: '1' }],
      values: ['a', 'b', 'a'],
      plain: ['a', 'a'],
      nested: { x: [{ values: ['a'] }, { values: ['b', 'b'] }] },
    }),
    [
      'byKey[2].a: Duplicate value: ["1","2"] is there more than once',
      'byKey[4].a: Duplicate value: ["1",null] is there more than once',
      'values[2]: Duplicate value: "a" is there more than once',
      'nested.x[1].values[1]: Duplicate value: "b" is there more than once',
    ],
  );
});

test('a value that is not of the schema is passed over', () => {
  for (const value of [null, 1, { byKey: {}, values: null, nested: [] }, { byKey: [null, 1, null] }]) {
    assert.doesNotThrow(() => problems(value));
  }
});
