import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxBulkBytes, releaseBulkBuffer, takeBulkBuffer } from './bulk-buffers.ts';

function takeAll(): Buffer[] {
  const taken: Buffer[] = [];
  for (let buffer = takeBulkBuffer(); buffer !== undefined; buffer = takeBulkBuffer()) {
    taken.push(buffer);
  }
  return taken;
}

test('no more than the limit are taken, large ones first, and what is given back is taken again', () => {
  const taken = takeAll();
  assert.equal(new Set(taken).size, 76);
  assert.equal(
    taken.reduce((sum, { length }) => sum + length, 0),
    maxBulkBytes,
  );
  assert.equal(maxBulkBytes, 14 * 1024 * 1024);
  assert.equal(taken[0]?.length, 512 * 1024);
  assert.equal(taken.at(-1)?.length, 128 * 1024);
  const [first] = taken;
  assert.ok(first !== undefined);
  assert.ok(releaseBulkBuffer(first));
  assert.equal(takeBulkBuffer(), first);
  assert.equal(takeBulkBuffer(), undefined);
  for (const buffer of taken) {
    releaseBulkBuffer(buffer);
  }
  const again = takeAll();
  assert.equal(again.length, taken.length);
  for (const buffer of again) {
    releaseBulkBuffer(buffer);
  }
});

test('a buffer of another size is none of them', () => {
  assert.equal(releaseBulkBuffer(Buffer.alloc(64 * 1024)), false);
});
