import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestHead } from '@weft/http-codec';
import { grpcTimeoutMs, grpcTimeoutText } from './grpc-request.ts';
import { encodeGrpcMessage, grpcStatusNumber, grpcStatusOfHttp, httpStatusOfGrpc } from './grpc-status.ts';
import { MessageCounter } from './message-counter.ts';

test('a local reply tells a gRPC client the status that stands for its HTTP status', () => {
  const expected = { 200: 0, 400: 13, 401: 16, 403: 7, 404: 12, 408: 2, 429: 14, 500: 2, 502: 14, 503: 14, 504: 14 };
  for (const [http, grpc] of Object.entries(expected)) {
    assert.equal(grpcStatusOfHttp(Number(http)), grpc, http);
  }
  const failures = Array.from({ length: 17 }, (_, status) => status).filter(
    (status) => httpStatusOfGrpc(status) >= 500,
  );
  assert.deepEqual(failures, [2, 4, 12, 13, 14, 15]);
  assert.equal(httpStatusOfGrpc(99), 500);
  assert.deepEqual(['0', '16', '', 'x', '1e1', undefined].map(grpcStatusNumber), [0, 16, -1, -1, -1, -1]);
});

test('a grpc-message keeps printable ASCII and encodes the rest', () => {
  assert.equal(encodeGrpcMessage('no healthy upstream'), 'no healthy upstream');
  assert.equal(encodeGrpcMessage('100 % ü\n'), '100 %25 %C3%BC%0A');
});

test('grpc-timeout is at most 99,999,999 of one unit', () => {
  const cases: Readonly<Record<string, number | undefined>> = {
    '1S': 1000,
    '2M': 120_000,
    '1H': 3_600_000,
    '250m': 250,
    '500u': 1,
    '1100000u': 1100,
    '1000001n': 2,
    '000000005S': 5000,
    '0S': 0,
    '123456789m': undefined,
    '1s': undefined,
    '-1S': undefined,
    '': undefined,
  };
  for (const [text, expected] of Object.entries(cases)) {
    const head = new RequestHead();
    head.add('grpc-timeout', text);
    assert.equal(grpcTimeoutMs(head), expected, text);
  }
  assert.equal(grpcTimeoutMs(new RequestHead()), undefined);
});

test('a timeout is written in the smallest unit in which it has eight digits', () => {
  const cases: Readonly<Record<number, string>> = {
    1: '1m',
    99999999: '99999999m',
    100000999: '100000S',
    360000000000: '6000000M',
    9e12: '2500000H',
    9e17: '99999999H',
  };
  for (const [timeoutMs, text] of Object.entries(cases)) {
    assert.equal(grpcTimeoutText(Number(timeoutMs)), text);
  }
});

test('messages are counted wherever the pieces of a body are cut', () => {
  const message = (length: number): Buffer => {
    const bytes = Buffer.alloc(5 + length, 1);
    bytes.writeUInt32BE(length, 1);
    return bytes;
  };
  const body = Buffer.concat([message(0), message(3), message(300), message(0), message(70_000)]);
  for (const size of [1, 2, 4, 5, 6, 7, 1000, body.length]) {
    const counter = new MessageCounter();
    for (let at = 0; at < body.length; at += size) {
      counter.scan(body, at, Math.min(body.length, at + size));
    }
    assert.equal(counter.count, 5, `pieces of ${size}`);
    counter.reset();
    assert.equal(counter.count, 0);
  }
});
