import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { huffman } from '../../../test/hpack-blocks.ts';
import { decodeHuffman, endOfString, huffmanCodes, maxDecodedLength } from './huffman.ts';

function decode(bytes: Buffer): string | undefined {
  const target = Buffer.alloc(maxDecodedLength(bytes.length) + 1, 0x7e);
  const end = decodeHuffman(bytes, 0, bytes.length, target, 0);
  assert.ok(end <= maxDecodedLength(bytes.length));
  assert.equal(target[maxDecodedLength(bytes.length)], 0x7e, 'no byte behind the room that was asked for');
  return end < 0 ? undefined : target.toString('latin1', 0, end);
}

test('the code is complete: each bit string begins with exactly one symbol', () => {
  let share = 0;
  for (const length of huffmanCodes.lengths) {
    share += 2 ** -length;
  }
  assert.equal(share, 1);
  assert.equal(huffmanCodes.codes[endOfString], 0x3fff_ffff);
  assert.equal(huffmanCodes.lengths[endOfString], 30);
});

test('some codes are those of RFC 7541 appendix B', () => {
  const known: readonly (readonly [number, number, number])[] = [
    [0, 0x1ff8, 13],
    [0x0a, 0x3fff_fffc, 30],
    [0x20, 0x14, 6],
    [0x30, 0x0, 5],
    [0x5c, 0x7fff0, 19],
    [0x7a, 0x7b, 7],
    [0x80, 0xfffe6, 20],
    [0xff, 0x3ff_ffee, 26],
  ];
  for (const [symbol, code, length] of known) {
    assert.equal(huffmanCodes.codes[symbol], code);
    assert.equal(huffmanCodes.lengths[symbol], length);
  }
});

test('each byte, and texts of all bytes, come back', () => {
  for (let byte = 0; byte < 256; byte += 1) {
    const text = String.fromCharCode(byte);
    assert.equal(decode(huffman(text)), text);
    assert.equal(decode(huffman(`${text}a${text}`)), `${text}a${text}`);
  }
  const random = seededRandom(11);
  for (let run = 0; run < 500; run += 1) {
    const text = Buffer.from(
      Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)),
    ).toString('latin1');
    assert.equal(decode(huffman(text)), text);
  }
});

test('padding has to be ones, and fewer than eight', () => {
  assert.equal(decode(Buffer.from([0x07])), '0');
  assert.equal(decode(Buffer.from([0x00])), undefined, 'zeros');
  assert.equal(decode(Buffer.from([0x06])), undefined, 'a zero at the end');
  assert.equal(decode(Buffer.from([0x07, 0xff])), undefined, 'eleven ones');
  assert.equal(decode(Buffer.from([0xff])), undefined, 'nothing but eight ones');
  assert.equal(decode(Buffer.alloc(0)), '');
});

test('EOS is refused wherever it stands', () => {
  assert.equal(decode(Buffer.from([0xff, 0xff, 0xff, 0xff])), undefined);
  assert.equal(decode(Buffer.from([0x07, 0xff, 0xff, 0xff, 0xff, 0xff])), undefined);
});
