import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResponseEncoder } from '../codec.ts';
import { OutputBuffer } from '../output-buffer.ts';
import { releaseRequestHead } from '../request-head.ts';
import { releaseResponseHead, takeResponseHead } from '../response-head.ts';
import { Http1DownstreamCodec, maxBacklogBytes } from './downstream-codec.ts';
import { defaultHttp1Limits } from './limits.ts';

function setUp(): {
  readonly codec: Http1DownstreamCodec;
  readonly paths: string[];
  readonly pressure: boolean[];
  readonly finished: () => number;
  answer(): void;
} {
  const paths: string[] = [];
  const pressure: boolean[] = [];
  let encoder: ResponseEncoder | undefined;
  let finished = 0;
  const codec = new Http1DownstreamCodec(
    {
      onRequest: (head, given) => {
        paths.push(head.path);
        encoder = given;
        releaseRequestHead(head);
        return { onBodyData() {}, onBodyEnd() {}, onResponseWritable() {}, onReset() {} };
      },
      onCodecError: (detail) => assert.fail(detail),
      onReadPressure: (pause) => void pressure.push(pause),
      onFinished: () => {
        finished += 1;
      },
    },
    new OutputBuffer(),
    defaultHttp1Limits,
    { acceptHttp10: false, allowAbsoluteUrl: true },
  );
  return {
    codec,
    paths,
    pressure,
    finished: () => finished,
    answer: () => {
      const head = takeResponseHead();
      head.status = 204;
      encoder?.encodeHead(head, true);
      releaseResponseHead(head);
      codec.proceed();
    },
  };
}

const request = (path: string): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);

test('requests behind one that is being answered wait, with reading stopped, and come in order', () => {
  const { codec, paths, pressure, answer } = setUp();
  const bytes = Buffer.concat(['/1', '/2', '/3'].map(request));
  codec.receive(bytes, 0, bytes.length);
  assert.deepEqual(paths, ['/1']);
  assert.deepEqual(pressure, [true]);
  answer();
  assert.deepEqual(paths, ['/1', '/2']);
  answer();
  answer();
  assert.deepEqual(paths, ['/1', '/2', '/3']);
  assert.equal(pressure.at(-1), false);
  assert.equal(codec.idle, true);
});

test('a peer that sends on against a stop is cut off at the limit, after its answer', () => {
  const { codec, paths, answer, finished } = setUp();
  const piece = request('/again');
  codec.receive(piece, 0, piece.length);
  for (let sent = 0; sent <= maxBacklogBytes; sent += piece.length) {
    codec.receive(piece, 0, piece.length);
  }
  answer();
  assert.deepEqual(paths, ['/again']);
  assert.equal(finished(), 1);
});
