import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bulkBufferBytes, maxBulkBuffers, releaseBulkBuffer, takeBulkBuffer } from './bulk-buffers.ts';

test('no more than the limit are taken, and what is given back is taken again', () => {
  const taken = Array.from({ length: maxBulkBuffers }, () => takeBulkBuffer());
  assert.equal(new Set(taken).size, maxBulkBuffers);
  assert.ok(taken.every((buffer) => buffer?.length === bulkBufferBytes));
  assert.equal(takeBulkBuffer(), undefined);
  const [first] = taken;
  assert.ok(first !== undefined);
  releaseBulkBuffer(first);
  assert.equal(takeBulkBuffer(), first);
  assert.equal(takeBulkBuffer(), undefined);
  for (const buffer of taken) {
    assert.ok(buffer !== undefined);
    releaseBulkBuffer(buffer);
  }
  assert.ok(takeBulkBuffer() !== undefined);
});
