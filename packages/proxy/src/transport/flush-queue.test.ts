import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemClock } from '@weft/base';
import { EventClock } from './event-clock.ts';
import { type Flushable, FlushQueue } from './flush-queue.ts';

class Recorder implements Flushable {
  flushed = 0;
  readonly faults: unknown[] = [];
  readonly #error: Error | undefined;

  constructor(error?: Error) {
    this.#error = error;
  }

  flush(): void {
    this.flushed += 1;
    if (this.#error !== undefined) {
      throw this.#error;
    }
  }

  fault(error: unknown): void {
    this.faults.push(error);
  }
}

test('what one connection throws when it writes reaches that connection, and the others are written', async () => {
  const queue = new FlushQueue(new EventClock(systemClock));
  const error = new Error('planted');
  const broken = new Recorder(error);
  const sound = new Recorder();
  queue.enter();
  queue.add(broken);
  queue.add(sound);
  queue.leave();
  assert.deepEqual(broken.faults, [error]);
  assert.equal(sound.flushed, 1);
  queue.addForTurn(broken);
  queue.addForTurn(sound);
  await nextTurn();
  assert.deepEqual(broken.faults, [error, error]);
  assert.equal(sound.flushed, 2);
  // Nothing is left over.
  queue.enter();
  queue.leave();
  await nextTurn();
  assert.equal(sound.flushed, 2);
});
