import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonical, canonicalText } from './canonical.ts';
import { mergeOrigins } from './origin.ts';

test('equal content has equal text, in whatever order it was written', () => {
  assert.equal(canonicalText({ b: 1, a: { d: undefined, c: [2, 1] } }), canonicalText({ a: { c: [2, 1] }, b: 1 }));
  assert.equal(canonicalText({ b: 1, a: 2 }), '{"a":2,"b":1}');
});

test('the order of a list counts', () => {
  assert.notEqual(canonicalText([1, 2]), canonicalText([2, 1]));
});

test('bytes are told from text', () => {
  assert.equal(canonical(new Uint8Array([104, 105])), 'base64:aGk=');
});

test('origins are merged: each resource once, sorted', () => {
  const origin = (name: string, generation: number) => ({
    group: '',
    kind: 'Service',
    namespace: 'n',
    name,
    generation,
  });
  assert.deepEqual(mergeOrigins([[origin('b', 1), origin('a', 1)], [origin('b', 2)]]), [
    origin('a', 1),
    origin('b', 2),
  ]);
});
