import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameMessage, MessageReader } from './framing.ts';

/** `bytes` in pieces, cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...places].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [...sorted, bytes.length].map((end, index) => bytes.subarray(sorted[index - 1] ?? 0, end));
}

test('messages come out as they went in, however the bytes are cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
  fc.assert(
    fc.property(messages, fc.array(fc.nat(), { maxLength: 12 }), (sent, places) => {
      const reader = new MessageReader();
      const received = cut(Buffer.concat(sent.map(frameMessage)), places).flatMap((chunk) => {
        const read = reader.push(chunk);
        assert.ok(Array.isArray(read));
        return read;
      });
      assert.deepEqual(received.map(Buffer.from), sent.map(Buffer.from));
      assert.equal(reader.incomplete, false);
    }),
  );
});

test('a message above the limit is refused by its head', () => {
  const reader = new MessageReader(100);
  assert.equal(reader.push(frameMessage(new Uint8Array(101)).subarray(0, 5)), 'too-large');
  assert.equal((new MessageReader(100).push(frameMessage(new Uint8Array(100))) as Buffer[]).length, 1);
});

test('a compressed message is refused: none was offered', () => {
  assert.equal(new MessageReader().push(Buffer.from([1, 0, 0, 0, 0])), 'compressed');
});

test('any bytes are read without an exception', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (chunks) => {
      const reader = new MessageReader(64);
      for (const chunk of chunks) {
        if (typeof reader.push(Buffer.from(chunk)) === 'string') {
          return;
        }
      }
    }),
  );
});
