import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRequestId } from './request-id.ts';

test('request ids are random UUIDs of version 4, each another one', () => {
  const ids = new Set<string>();
  const seen = new Set<string>();
  for (let count = 0; count < 1000; count += 1) {
    const id = newRequestId();
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    ids.add(id);
    [...id].forEach((digit, place) => {
      seen.add(`${place}${digit}`);
    });
  }
  assert.equal(ids.size, 1000);
  // Each place takes each value: 30 digits of 16, the version, 4 variants, 4 hyphens.
  assert.equal(seen.size, 30 * 16 + 1 + 4 + 4);
});
