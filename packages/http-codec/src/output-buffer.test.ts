import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chunkSizeBytes,
  maxFreeChunks,
  maxFreeSmallChunks,
  OutputBuffer,
  releaseChunk,
  smallChunkBytes,
} from './output-buffer.ts';

function drained(out: OutputBuffer): Buffer {
  const parts: Buffer[] = [];
  out.flush((bytes, length) => {
    parts.push(Buffer.from(bytes.subarray(0, length)));
    releaseChunk(bytes);
  });
  return Buffer.concat(parts);
}

test('what goes in comes out, across the borders of chunks', () => {
  const out = new OutputBuffer();
  const expected: Buffer[] = [];
  for (let size = 1; size < 3 * chunkSizeBytes; size *= 3) {
    const bytes = Buffer.alloc(size, String(size));
    out.copy(bytes, 0, bytes.length);
    out.latin1(`text ${size};`);
    expected.push(bytes, Buffer.from(`text ${size};`));
  }
  const all = Buffer.concat(expected);
  assert.equal(out.byteLength, all.length);
  assert.ok(drained(out).equals(all));
  assert.equal(out.byteLength, 0);
});

test('a text longer than a chunk', () => {
  const out = new OutputBuffer();
  const text = 'ä'.repeat(chunkSizeBytes + 5);
  out.latin1('before');
  out.latin1(text);
  assert.equal(drained(out).toString('latin1'), `before${text}`);
});

test('the owner is told of the first bytes', () => {
  let told = 0;
  const out = new OutputBuffer({
    outputReady: () => {
      told += 1;
    },
  });
  out.latin1('a');
  out.latin1('b');
  assert.equal(told, 1);
  drained(out);
  out.latin1('c');
  assert.equal(told, 2);
});

test('a single chunk can be taken without a callback', () => {
  const out = new OutputBuffer();
  out.latin1('abc');
  const chunk = out.takeSingle();
  assert.equal(chunk?.toString('latin1', 0, out.lastTakenLength), 'abc');
  assert.equal(out.byteLength, 0);
  out.copy(Buffer.alloc(2 * chunkSizeBytes), 0, 2 * chunkSizeBytes);
  assert.equal(out.takeSingle(), undefined, 'there are several');
});

test('no more than a bounded number of chunks is kept', () => {
  for (let count = 0; count < maxFreeChunks + 10; count += 1) {
    releaseChunk(Buffer.alloc(chunkSizeBytes));
  }
  for (let count = 0; count < maxFreeSmallChunks + 10; count += 1) {
    releaseChunk(Buffer.alloc(smallChunkBytes));
  }
  const out = new OutputBuffer();
  out.latin1('still works');
  assert.equal(drained(out).toString(), 'still works');
});

test('a field line is its name and value, short or longer than a chunk, at the border of chunks too', () => {
  const out = new OutputBuffer();
  let expected = '';
  for (const length of [0, 1, 12, 13, 200, chunkSizeBytes - 20, chunkSizeBytes, 2 * chunkSizeBytes, 3]) {
    for (const name of ['a', 'x-envoy-attempt-count']) {
      const value = '\u00e9'.repeat(length);
      out.field(name, value);
      expected += `${name}: ${value}\r\n`;
    }
  }
  assert.equal(drained(out).toString('latin1'), expected);
});

test('a few bytes take a small chunk; when more come they are put into a large one', () => {
  const out = new OutputBuffer();
  out.latin1('a'.repeat(smallChunkBytes));
  assert.equal(out.takeSingle()?.length, smallChunkBytes);
  let expected = '';
  for (const add of [
    (text: string) => out.latin1(text),
    (text: string) => out.copy(Buffer.from(text), 0, text.length),
    (text: string) => out.claim(text.length).latin1Write(text, out.claimedAt, text.length),
  ]) {
    out.latin1('begin');
    expected = 'begin';
    for (const size of [smallChunkBytes - 5, 1, 100, chunkSizeBytes - smallChunkBytes - 101]) {
      add('b'.repeat(size));
      expected += 'b'.repeat(size);
    }
    const chunk = out.takeSingle();
    assert.equal(chunk?.length, chunkSizeBytes);
    assert.equal(chunk?.toString('latin1', 0, out.lastTakenLength), expected);
  }
});

test('what was claimed can be changed until something stands behind it, also when its chunk was made larger', () => {
  const out = new OutputBuffer();
  out.claim(1)[out.claimedAt] = 0x61;
  const number = out.claimedIn;
  assert.ok(out.endingAt(number, 1) !== undefined);
  out.copy(Buffer.alloc(smallChunkBytes, 'b'), 0, smallChunkBytes);
  assert.equal(out.endingAt(number, 1), undefined);
  const chunk = out.endingAt(number, 1 + smallChunkBytes);
  assert.equal(chunk?.toString('latin1', 0, 2), 'ab');
  out.discard();
  assert.equal(out.endingAt(number, 1 + smallChunkBytes), undefined);
  out.claim(1);
  assert.equal(out.endingAt(number, 1), undefined, 'another chunk, even if it is the same memory');
});
