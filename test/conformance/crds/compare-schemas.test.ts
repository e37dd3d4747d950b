import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareSchemas } from './compare-schemas.ts';

test('a difference that is planted is found', () => {
  const differences: string[] = [];
  compareSchemas(
    {
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'string', maxLength: 3, default: 'x' }, b: { type: 'integer', enum: [1, 2] } },
    },
    { type: 'object', properties: { a: { type: 'string' }, c: { type: 'integer' }, b: { type: 'integer' } } },
    'spec',
    differences,
  );
  assert.deepEqual(differences, [
    'spec: required is , not a',
    'spec.c: not in the CRD',
    'spec.a: maxLength is undefined, not 3',
    'spec.a: default is undefined, not "x"',
    'spec.b: enum is , not 1,2',
  ]);
});

test('an escaped slash is a slash, and a pattern may stand for another that is named', () => {
  const differences: string[] = [];
  compareSchemas({ type: 'string', pattern: 'a/b' }, { type: 'string', pattern: 'a\\/b' }, 'a', differences);
  const otherPatterns = { '(x?)*': 'x*' };
  compareSchemas({ type: 'string', pattern: '(x?)*' }, { type: 'string', pattern: 'x*' }, 'b', differences, {
    otherPatterns,
  });
  assert.deepEqual(differences, []);
});
