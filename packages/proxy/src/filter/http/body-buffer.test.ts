import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyBuffer, keptRoomBytes } from './body-buffer.ts';

function replayed(body: BodyBuffer): string {
  let text = '';
  body.replay({
    encodeData: (bytes, start, end) => {
      text += bytes.toString('latin1', start, end);
    },
  });
  return text;
}

test('a body comes out as it went in, any number of times, whatever was kept before', () => {
  const body = new BodyBuffer();
  const sizes = [
    [3],
    [keptRoomBytes],
    [keptRoomBytes - 1, 1, 1],
    [1, keptRoomBytes, 2],
    [keptRoomBytes + 1, 5],
    [7, 0],
  ];
  for (const pieces of [...sizes, ...sizes]) {
    let expected = '';
    for (const [index, size] of pieces.entries()) {
      const source = Buffer.alloc(size + 2, String(index));
      body.append(source, 1, 1 + size);
      source.fill('x');
      expected += String(index).repeat(size);
    }
    assert.equal(body.length, expected.length);
    assert.equal(replayed(body), expected);
    assert.equal(replayed(body), expected);
    body.clear();
    assert.equal(body.length, 0);
    assert.equal(replayed(body), '');
  }
});
