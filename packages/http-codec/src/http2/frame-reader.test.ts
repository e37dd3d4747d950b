import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FrameHandler, FrameReader } from './frame-reader.ts';

/** Writes down what it is told; bytes are copied. */
class Log implements FrameHandler {
  readonly lines: string[] = [];
  #data = '';

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.lines.push(`${type} ${flags} ${streamId} ${bytes.toString('hex', start, end)}`);
  }

  onDataFrame(flags: number, streamId: number, length: number, dataLength: number): void {
    this.lines.push(`data ${flags} ${streamId} ${length} ${dataLength}`);
    this.#data = '';
  }

  onDataPiece(bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#data += bytes.toString('hex', start, end);
    if (last) {
      this.lines.push(`= ${this.#data}`);
    }
  }

  onUnknownFrame(type: number): void {
    this.lines.push(`unknown ${type}`);
  }

  onStreamFrameError(streamId: number, code: number): void {
    this.lines.push(`stream error ${streamId} ${code}`);
  }

  onFrameError(code: number): void {
    this.lines.push(`error ${code}`);
  }
}

function frame(type: number, flags: number, streamId: number, payload: string): Buffer {
  const bytes = Buffer.from(payload, 'hex');
  const header = Buffer.from([0, bytes.length >>> 8, bytes.length, type, flags, 0, 0, 0, streamId]);
  return Buffer.concat([header, bytes]);
}

function read(pieces: readonly Buffer[]): string[] {
  const log = new Log();
  const reader = new FrameReader(log, 16_384);
  for (const piece of pieces) {
    // Bytes around the piece, which are not to be looked at.
    const around = Buffer.concat([Buffer.from('~~'), piece, Buffer.from('~~~')]);
    reader.read(around, 2, 2 + piece.length);
  }
  return log.lines;
}

const stream = Buffer.concat([
  frame(4, 0, 0, '000300000064'),
  frame(1, 0, 1, '8286'),
  frame(9, 4, 1, '84'),
  frame(0, 0, 1, '616263'),
  frame(0, 8, 1, '0261620000'),
  frame(0, 9, 1, '0161'.padEnd(6, '0')),
  frame(0, 8, 1, '00'),
  frame(0, 0, 1, ''),
  frame(0x2a, 7, 3, 'ffff'),
  frame(0x2a, 7, 3, ''),
  frame(4, 1, 0, ''),
  frame(2, 0, 3, '00'),
  frame(8, 0, 3, '00000001'),
  frame(6, 0, 0, '0102030405060708'),
]);

const expected = [
  '4 0 0 000300000064',
  '1 0 1 8286',
  '9 4 1 84',
  'data 0 1 3 3',
  '= 616263',
  'data 8 1 5 2',
  '= 6162',
  'data 9 1 3 1',
  '= 61',
  'data 8 1 1 0',
  '= ',
  'data 0 1 0 0',
  '= ',
  'unknown 42',
  'unknown 42',
  '4 1 0 ',
  'stream error 3 6',
  '8 0 3 00000001',
  '6 0 0 0102030405060708',
];

test('frames come out alike however the bytes are cut', () => {
  assert.deepEqual(read([stream]), expected);
  for (let first = 0; first <= stream.length; first += 1) {
    assert.deepEqual(read([stream.subarray(0, first), stream.subarray(first)]), expected, `cut at ${first}`);
  }
  assert.deepEqual(read(Array.from(stream, (byte) => Buffer.from([byte]))), expected);
});

test('nothing is read after an error', () => {
  assert.deepEqual(read([Buffer.concat([frame(6, 0, 0, '01'), frame(4, 1, 0, '')])]), ['error 6']);
  assert.deepEqual(read([Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1])]), ['error 6']);
  assert.deepEqual(read([frame(0, 8, 1, '')]), ['error 6']);
  assert.deepEqual(read([frame(0, 8, 1, '0300')]), ['error 1']);
});

test('it knows whose head is not complete', () => {
  const reader = new FrameReader(new Log(), 16_384);
  const head = frame(1, 0, 5, '8286');
  assert.equal(reader.headStreamId, 0);
  reader.read(head, 0, 5);
  assert.equal(reader.headStreamId, 0);
  reader.read(head, 5, 10);
  assert.equal(reader.headStreamId, 5);
  reader.read(head, 10, 11);
  assert.equal(reader.headStreamId, 5);
  const rest = frame(9, 4, 5, '');
  reader.read(rest, 0, rest.length);
  assert.equal(reader.headStreamId, 0);
});
