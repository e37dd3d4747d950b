import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoTable } from './memo-table.ts';
import { Reads } from './reads.ts';

test('a result is made again only when something that it read has changed', () => {
  const reads = new Reads();
  let made = 0;
  const result = (): number =>
    reads.remember('r', [], () => {
      reads.note('a');
      made += 1;
      return made;
    });
  assert.equal(result(), 1);
  reads.touch('b');
  assert.equal(result(), 1);
  reads.touch('a');
  assert.equal(result(), 2);
  assert.equal(result(), 2);
});

test('looking for what is not there counts as reading it', () => {
  const reads = new Reads();
  const map = new Map<string, string>();
  const look = (): string =>
    reads.remember('r', [], () => {
      reads.note('x');
      return map.get('x') ?? 'nothing';
    });
  assert.equal(look(), 'nothing');
  map.set('x', 'something');
  reads.touch('x');
  assert.equal(look(), 'something');
});

test('what an inner result read, the outer one read', () => {
  const reads = new Reads();
  let value = 1;
  const inner = (): number =>
    reads.remember('inner', [], () => {
      reads.note('a');
      return value;
    });
  const outer = (): number => reads.remember('outer', [], () => inner() * 10);
  assert.equal(inner(), 1);
  assert.equal(outer(), 10, 'the inner result came from memory');
  value = 2;
  reads.touch('a');
  assert.equal(outer(), 20);
});

test('other arguments are another question', () => {
  const reads = new Reads();
  const ask = (argument: string): string => reads.remember('r', [argument], () => `answer to ${argument}`);
  assert.equal(ask('a'), 'answer to a');
  assert.equal(ask('b'), 'answer to b');
});

test('a build that throws leaves nothing behind', () => {
  const reads = new Reads();
  assert.throws(() =>
    reads.remember('r', [], () => {
      throw new Error('no');
    }),
  );
  assert.equal(
    reads.remember('r', [], () => 1),
    1,
  );
});

test('a memo compares its inputs by identity', () => {
  const memo = new MemoTable();
  const a = { n: 1 };
  const build = ([input]: readonly [{ readonly n: number }]): { readonly n: number } => ({ n: input.n + 1 });
  const first = memo.get('k', [a], build);
  assert.equal(memo.get('k', [a], build), first);
  assert.notEqual(memo.get('k', [{ n: 1 }], build), first);
});
