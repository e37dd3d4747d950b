import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { ClosedBy, ClosedStreams } from './closed-streams.ts';
import { StreamTable } from './stream-table.ts';

test('a table holds what a Map would, however streams come and go', () => {
  const random = seededRandom(9113);
  const table = new StreamTable<{ readonly id: number }>();
  const map = new Map<number, { readonly id: number }>();
  let next = 1;
  for (let step = 0; step < 20_000; step += 1) {
    if (random() < 0.5) {
      const stream = { id: next };
      next += 2 + 2 * Math.floor(random() * 40);
      table.add(stream);
      map.set(stream.id, stream);
    } else if (map.size > 0) {
      const ids = [...map.keys()];
      const id = ids[Math.floor(random() * ids.length)] ?? 0;
      table.delete(id);
      map.delete(id);
    }
    const probe = 1 + 2 * Math.floor((random() * next) / 2);
    assert.equal(table.get(probe), map.get(probe));
    assert.equal(table.size, map.size);
  }
  assert.deepEqual(
    table.snapshot().map(({ id }) => id),
    [...map.keys()],
  );
});

test('how the streams closed last were closed is remembered', () => {
  const closed = new ClosedStreams();
  assert.equal(closed.howClosed(1), ClosedBy.unknown);
  for (let id = 1; id < 1001; id += 2) {
    closed.add(id, ClosedBy.end);
  }
  closed.add(1001, ClosedBy.ourReset);
  assert.equal(closed.howClosed(1001), ClosedBy.ourReset);
  assert.equal(closed.howClosed(999), ClosedBy.end);
  assert.equal(closed.howClosed(1), ClosedBy.unknown);
});
