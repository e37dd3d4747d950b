import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectClientHello, maxClientHelloBytes, maxHelloRecords } from './client-hello.ts';

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const prefixed = (bytes: Buffer): Buffer => Buffer.concat([uint16(bytes.length), bytes]);

/** A ClientHello message with a server name, ALPN and `padding` bytes of another extension. */
function helloMessage(padding = 0): Buffer {
  const name = Buffer.from('Shop.Example');
  const serverName = prefixed(prefixed(Buffer.concat([Buffer.from([0]), prefixed(name)])));
  const alpn = prefixed(prefixed(Buffer.from('\x02h2\x08http/1.1', 'latin1')));
  const extensions = Buffer.concat([
    uint16(0),
    serverName,
    uint16(16),
    alpn,
    ...(padding === 0 ? [] : [uint16(21), prefixed(Buffer.alloc(padding))]),
  ]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    prefixed(Buffer.from([0x13, 0x01])),
    Buffer.from([1, 0]),
    prefixed(extensions),
  ]);
  return Buffer.concat([Buffer.from([1, 0]), uint16(body.length), body]);
}

/** The message in records of at most `size` bytes. */
function records(message: Buffer, size: number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    pieces.push(Buffer.from([0x16, 3, 1]), prefixed(message.subarray(at, at + size)));
  }
  return Buffer.concat(pieces);
}

const found = { kind: 'tls', serverName: 'shop.example', alpn: ['h2', 'http/1.1'] };

test('a ClientHello may be spread over records, and the first may even split its head', () => {
  const message = helloMessage();
  for (const size of [message.length, 50, 10]) {
    assert.deepEqual(inspectClientHello(records(message, size)), found);
  }
  const split = Buffer.concat([records(message.subarray(0, 1), 1), records(message.subarray(1), 100)]);
  assert.deepEqual(inspectClientHello(split), found);
  for (let cut = 0; cut < split.length; cut += 1) {
    assert.equal(inspectClientHello(split.subarray(0, cut)).kind, 'need-more');
  }
});

test('over more records than the limit it is refused', () => {
  const message = helloMessage();
  const size = Math.ceil(message.length / maxHelloRecords);
  assert.deepEqual(inspectClientHello(records(message, size)), found);
  assert.equal(
    inspectClientHello(records(message, Math.floor(message.length / (maxHelloRecords + 1)))).kind,
    'invalid',
  );
});

test('a long one is read up to the limit', () => {
  const empty = helloMessage(1).length - 4 - 1;
  assert.deepEqual(inspectClientHello(records(helloMessage(maxClientHelloBytes - empty), 16_000)), found);
  assert.equal(inspectClientHello(records(helloMessage(maxClientHelloBytes - empty + 1), 16_000)).kind, 'invalid');
});

test('empty and over-long records, and extensions that overrun, are refused', () => {
  assert.equal(inspectClientHello(Buffer.from([0x16, 3, 1, 0, 0])).kind, 'invalid');
  assert.equal(inspectClientHello(Buffer.from([0x16, 3, 1, 0x41, 0x01])).kind, 'invalid');
  const message = helloMessage();
  const overrun = Buffer.from(message);
  overrun.writeUInt16BE(0xffff, message.length - 11 - 4);
  assert.equal(inspectClientHello(records(overrun, 1000)).kind, 'invalid');
});
