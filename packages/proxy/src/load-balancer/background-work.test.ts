import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackgroundWork, runAtOnce, type Steps } from './background-work.ts';

function* count(to: number, name: string, log: string[]): Steps<string> {
  for (let step = 0; step < to; step += 1) {
    log.push(`${name}${step}`);
    yield;
  }
  return name;
}

function* failing(): Steps<void> {
  yield* count(0, '', []);
  throw new Error('planted');
}

function manual(): { work: BackgroundWork; turn: () => boolean } {
  const due: (() => void)[] = [];
  const work = new BackgroundWork((step) => due.push(step));
  return {
    work,
    turn: () => {
      const step = due.shift();
      step?.();
      return step !== undefined;
    },
  };
}

test('jobs take turns, one step in each turn of the event loop', () => {
  const { work, turn } = manual();
  const log: string[] = [];
  work.run(count(2, 'a', log), (name) => log.push(`${name} done`));
  work.run(count(1, 'b', log), (name) => log.push(`${name} done`));
  assert.deepEqual(log, []);
  turn();
  assert.deepEqual(log, ['a0']);
  while (turn()) {}
  assert.deepEqual(log, ['a0', 'b0', 'a1', 'b done', 'a done']);
});

test('a job that was given up does nothing more', () => {
  const { work, turn } = manual();
  const log: string[] = [];
  const cancel = work.run(count(5, 'a', log), () => log.push('done'));
  turn();
  cancel();
  while (turn()) {}
  assert.deepEqual(log, ['a0']);
});

test('a job that fails does not hold up the others', () => {
  const { work, turn } = manual();
  const log: string[] = [];
  work.run(failing(), () => log.push('never'));
  work.run(count(1, 'b', log), (name) => log.push(`${name} done`));
  assert.throws(turn, /planted/);
  while (turn()) {}
  assert.deepEqual(log, ['b0', 'b done']);
});

test('the same job can be done at once', () => {
  assert.equal(runAtOnce(count(3, 'x', [])), 'x');
});
