import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshError, silentLogger } from '@weft/base';
import { ManualClock } from '@weft/testkit';
import { WriteQueue } from './write-queue.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('marks of one key become one turn, at the earliest time asked for', async () => {
  const clock = new ManualClock();
  const turns: string[] = [];
  const queue = new WriteQueue({
    clock,
    logger: silentLogger,
    what: 'x',
    run: async (key) => {
      turns.push(`${key}@${clock.monotonicMs()}`);
      return undefined;
    },
  });
  queue.mark('a', 1_000);
  queue.mark('a', 200);
  queue.mark('a', 5_000);
  queue.mark('b', 300);
  for (let i = 0; i < 10; i += 1) {
    clock.advance(100);
    await settle();
  }
  assert.deepEqual(turns, ['a@200', 'b@300']);
});

test('a key that is marked during its turn gets another one, never two at the same time', async () => {
  const clock = new ManualClock();
  let running = 0;
  let turns = 0;
  const release: (() => void)[] = [];
  const queue = new WriteQueue({
    clock,
    logger: silentLogger,
    what: 'x',
    run: async () => {
      running += 1;
      turns += 1;
      assert.equal(running, 1);
      await new Promise<void>((resolve) => release.push(resolve));
      running -= 1;
      return undefined;
    },
  });
  queue.mark('a', 0);
  clock.advance(0);
  queue.mark('a', 0);
  clock.advance(1_000);
  assert.equal(turns, 1);
  release.shift()?.();
  await settle();
  clock.advance(0);
  assert.equal(turns, 2);
  release.shift()?.();
});

test('failures are tried again, conflicts soon, and what is gone is left', async () => {
  const clock = new ManualClock();
  const errors = [new MeshError('UNAVAILABLE', 'x'), new MeshError('CONFLICT', 'x'), new MeshError('NOT_FOUND', 'x')];
  const times: number[] = [];
  const queue = new WriteQueue({
    clock,
    logger: silentLogger,
    what: 'x',
    run: async () => {
      times.push(clock.monotonicMs());
      throw errors.shift() ?? new Error('called too often');
    },
  });
  queue.mark('a', 0);
  for (let i = 0; i < 400; i += 1) {
    clock.advance(5);
    if (times.length === 1) {
      queue.mark('a', 0); // Being marked again is no reason to hurry.
    }
    await settle();
  }
  assert.equal(times.length, 3);
  assert.ok((times[1] ?? 0) >= 1_000);
  assert.ok((times[2] ?? 0) - (times[1] ?? 0) <= 20);
});
