import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyWords, equalBytes, hasNoControls, viewOf } from './byte-range.ts';

const source = Buffer.from(Array.from({ length: 64 }, (_, index) => 0x41 + index));

test('bytes are compared at any position and length', () => {
  for (let length = 0; length < 20; length += 1) {
    for (let start = 0; start < 5; start += 1) {
      const other = Buffer.concat([Buffer.from('#'), source.subarray(start, start + length), Buffer.from('#')]);
      assert.ok(equalBytes(viewOf(source), start, viewOf(other), 1, length));
      for (let at = 1; at <= length; at += 1) {
        const changed = Buffer.from(other);
        changed[at] = 0;
        assert.equal(equalBytes(viewOf(source), start, viewOf(changed), 1, length), false);
      }
    }
  }
});

test('bytes are copied, and no others', () => {
  for (let length = 0; length < 20; length += 1) {
    const target = Buffer.alloc(40, 0x23);
    copyWords(viewOf(source), 3, viewOf(target), 5, length);
    assert.equal(target.toString(), `#####${source.toString('latin1', 3, 3 + length)}`.padEnd(40, '#'));
    const within = Buffer.from(source);
    copyWords(viewOf(within), 10, viewOf(within), 6, length);
    assert.deepEqual(within.subarray(6, 6 + length), source.subarray(10, 10 + length));
  }
});

test('each control character is found wherever it stands, and nothing else', () => {
  for (let byte = 0; byte < 256; byte += 1) {
    for (let length = 1; length < 14; length += 1) {
      for (let at = 0; at < length; at += 1) {
        const bytes = Buffer.alloc(length + 2, 0);
        bytes.fill(byte === 0x61 ? 0xff : 0x61, 1, 1 + length);
        bytes[1 + at] = byte;
        assert.equal(
          hasNoControls(viewOf(bytes), 1, 1 + length),
          byte >= 0x20 && byte !== 0x7f,
          `${byte} of ${length} at ${at}`,
        );
      }
    }
  }
  assert.ok(hasNoControls(viewOf(Buffer.alloc(2)), 1, 1));
  for (const pair of [0x80, 0xff, 0x20, 0x7e, 0xa0]) {
    assert.ok(hasNoControls(viewOf(Buffer.alloc(9, pair)), 0, 9));
  }
});
