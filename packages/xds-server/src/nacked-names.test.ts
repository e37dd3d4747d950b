import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesIn } from './nacked-names.ts';

test('names stand as whole words in what clients write', () => {
  const names = ['a', 'outbound|80||reviews', 'outbound|80||reviews.shop.svc', 'l'];
  const message = 'Error adding/updating cluster(s) outbound|80||reviews.shop.svc: unknown field; l: bad address.';
  assert.deepEqual(namesIn(message, names), ['outbound|80||reviews.shop.svc', 'l']);
});

test('a name at the end of a sentence counts, a part of a longer name does not', () => {
  assert.deepEqual(namesIn('Duplicate listener a.', ['a', 'listen']), ['a']);
  assert.deepEqual(namesIn("resource 'a.b' is bad", ['a', 'b', 'a.b']), ['a.b']);
  assert.deepEqual(namesIn('a-b/c', ['a', 'b', 'c', '']), []);
});
