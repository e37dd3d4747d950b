import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerDerOf } from './peer-der.ts';

/** An element with a definite length. */
function element(tag: number, ...content: readonly (Buffer | number)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
  const length =
    bytes.length < 0x80
      ? [bytes.length]
      : bytes.length < 0x100
        ? [0x81, bytes.length]
        : [0x82, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
}

const certificate = element(0x30, element(0x04, Buffer.alloc(700, 7)));
const before = [
  element(0x02, 1),
  element(0x02, 3, 4),
  element(0x04, Buffer.alloc(48, 1)),
  element(0xa1, element(0x02, 5)),
];
const session = element(0x30, ...before, element(0xa3, certificate), element(0xa4, element(0x04, 9)));

test('the certificate stands in the session as it is', () => {
  assert.ok(peerDerOf(session)?.equals(certificate));
});

test('a session without a peer has none', () => {
  assert.equal(peerDerOf(element(0x30, ...before, element(0xa4, element(0x04, 9)))), undefined);
});

test('what is cut short or no session at all has none', () => {
  for (let length = 0; length < session.length; length += 1) {
    assert.equal(peerDerOf(session.subarray(0, length)), undefined, `${length} bytes`);
  }
  assert.equal(peerDerOf(Buffer.from('no session')), undefined);
  assert.equal(peerDerOf(element(0x30, element(0xa3, element(0x04, 1)))), undefined, 'no certificate in it');
  assert.equal(peerDerOf(element(0x30, element(0xa3, certificate, 0))), undefined, 'something after it');
  assert.equal(peerDerOf(Buffer.from([0x30, 0x80, 0xa3, 0x02, 0x30, 0x00])), undefined, 'indefinite length');
  assert.equal(
    peerDerOf(Buffer.from([0x30, 0x84, 0, 0, 0, 4, 0xa3, 0x02, 0x30, 0x00])),
    undefined,
    'a length of four bytes',
  );
});
