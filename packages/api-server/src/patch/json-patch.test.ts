import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyJsonPatch, maxCopiedLength, maxMovedEntries, maxOperations } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';

test('the operations of RFC 6902 do what its appendix shows', () => {
  const cases: readonly (readonly [unknown, unknown, unknown])[] = [
    [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
    [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    [{ foo: ['a'] }, [{ op: 'add', path: '/foo/-', value: 'b' }], { foo: ['a', 'b'] }],
    [{ baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    [{ foo: ['a', 'b', 'c'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['a', 'c'] }],
    [{ a: 1 }, [{ op: 'replace', path: '/a', value: 2 }], { a: 2 }],
    [{ a: { x: 1 }, b: {} }, [{ op: 'move', from: '/a/x', path: '/b/y' }], { a: {}, b: { y: 1 } }],
    [{ l: [1, 2, 3] }, [{ op: 'move', from: '/l/0', path: '/l/2' }], { l: [2, 3, 1] }],
    [{ a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }],
    [
      { 'a/b': 1, 'c~d': 2 },
      [
        { op: 'replace', path: '/a~1b', value: 3 },
        { op: 'remove', path: '/c~0d' },
      ],
      { 'a/b': 3 },
    ],
    [{ a: { b: [1, { c: 2 }] } }, [{ op: 'test', path: '/a/b', value: [1, { c: 2 }] }], { a: { b: [1, { c: 2 }] } }],
    [{ a: null }, [{ op: 'test', path: '/a', value: null }], { a: null }],
  ];
  for (const [document, patch, expected] of cases) {
    const frozen = structuredClone(document);
    assert.deepEqual(applyJsonPatch(document, patch), expected);
    assert.deepEqual(document, frozen, 'the input is left as it was');
  }
});

test('a JSON patch that does not fit, or is none, says where', () => {
  const refused = (patch: unknown, sort: string): void => {
    assert.throws(() => applyJsonPatch({ a: [1], b: { c: 1 } }, patch), { sort }, JSON.stringify(patch)?.slice(0, 80));
  };
  for (const operation of [
    { op: 'remove', path: '/none' },
    { op: 'add', path: '/a/5', value: 1 },
    { op: 'add', path: '/a/01', value: 1 },
    { op: 'add', path: '/none/x', value: 1 },
    { op: 'test', path: '/b/c', value: 2 },
    { op: 'replace', path: '/b/d', value: 2 },
    { op: 'move', from: '/b', path: '/b/c' },
    { op: 'add', path: '/b/c/d', value: 1 },
    { op: 'remove', path: '' },
    { op: 'add', path: '/__proto__/x', value: 1 },
  ]) {
    refused([operation], 'inapplicable');
  }
  for (const patch of [
    {},
    [1],
    [{ op: 'nope', path: '/a' }],
    [{ op: 'add', path: '/a' }],
    [{ op: 'add', path: 'a', value: 1 }],
    [{ op: 'add', path: '/a~2', value: 1 }],
    [{ op: 'copy', path: '/a' }],
    Array.from({ length: maxOperations + 1 }, () => ({ op: 'test', path: '/b/c', value: 1 })),
  ]) {
    refused(patch, 'malformed');
  }
});

test('a small patch cannot ask for much: copies of copies, and long lists rebuilt again and again', () => {
  const malformed = { name: 'PatchError', sort: 'malformed' };
  const doubling = Array.from({ length: 60 }, (_, index) => ({ op: 'copy', from: '/a', path: `/a/${index}` }));
  assert.throws(() => applyJsonPatch({ a: {} }, doubling), { ...malformed, message: /copies/ });
  const long = { a: 'x'.repeat(maxCopiedLength / 4) };
  const copies = Array.from({ length: 4 }, (_, index) => ({ op: 'copy', from: '/a', path: `/${index}` }));
  assert.throws(() => applyJsonPatch(long, copies), { ...malformed, message: /copies/ });
  assert.doesNotThrow(() => applyJsonPatch(long, copies.slice(1)));
  const list = { a: Array(maxMovedEntries / 10).fill(0) };
  const inserts = Array.from({ length: 11 }, () => ({ op: 'add', path: '/a/0', value: 0 }));
  assert.throws(() => applyJsonPatch(list, inserts), { ...malformed, message: /moves more/ });
  assert.doesNotThrow(() => applyJsonPatch(list, inserts.slice(2)));
});

test('a merge patch does what RFC 7386 shows', () => {
  const cases: readonly (readonly [unknown, unknown, unknown])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, expected] of cases) {
    assert.deepEqual(applyMergePatch(target, patch), expected);
  }
});
