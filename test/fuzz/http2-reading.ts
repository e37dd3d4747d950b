import assert from 'node:assert/strict';
import type { Http2Counters } from '../../packages/http-codec/src/http2/counters.ts';
import {
  GivenResponse,
  linesOf,
  requestHead,
  responseHead,
  type ServedRequest,
  TestClient,
  TestServer,
  taken,
} from '../../packages/http-codec/test/http2-peers.ts';

/** What our two sides make of any bytes, and what has to hold of it. */

const requestsOfClient = 12;

/** What a codec made of some bytes; the same however they were cut. */
export interface Outcome {
  readonly events: readonly unknown[];
  readonly output: string;
  readonly counters: Http2Counters;
  readonly finished: boolean;
}

function feed(bytes: Buffer, cut: () => number, receive: (bytes: Buffer, start: number, end: number) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.max(1, Math.min(bytes.length - at, cut()));
    const piece = Buffer.from(bytes.subarray(at, at + length));
    receive(piece, 0, length);
    piece.fill(0xee);
    at += length;
  }
}

const bodyOfAnswer = Buffer.alloc(3000, 'a');

function checkFields(lines: readonly string[]): void {
  for (const line of lines) {
    assert.match(line, /^[!#$%&'*+\-.^_`|~0-9a-z]+: [\t\x20-\x7e\x80-\xff]*$/);
  }
}

export function serve(bytes: Buffer, cut: () => number): Outcome {
  const server = new TestServer();
  server.answer = (request) => {
    const reply = (): void => answer(request);
    if (request.ended) {
      reply();
    } else {
      request.onEnd = reply;
    }
  };
  feed(bytes, cut, (piece, start, end) => {
    server.codec.receive(piece, start, end);
    const { counters } = server.codec;
    assert.equal(counters.pendingSendBytes, server.codec.keptBytes);
    assert.equal(counters.streamsActive, server.codec.activeStreams);
    assert.ok(server.codec.activeStreams <= 100);
    assert.ok(server.codec.keptBytes <= 100 * bodyOfAnswer.length);
  });
  assert.equal(
    server.finished,
    server.errors.some(({ encoder }) => encoder === undefined),
  );
  const events = server.requests.map((request) => {
    const lines = linesOf(request.head);
    checkFields(lines);
    checkFields(request.trailers ?? []);
    assert.match(request.head.path, /^$|^[\x21-\x7e\x80-\xff]+$/);
    assert.match(request.head.method, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
    return [
      request.head.method,
      request.head.path,
      lines,
      request.body,
      request.trailers,
      request.ended,
      request.resetBy,
    ];
  });
  return {
    events: [...events, server.errors.map(({ detail }) => detail)],
    output: taken(server.out).toString('hex'),
    counters: server.codec.counters,
    finished: server.finished,
  };
}

function answer(request: ServedRequest): void {
  if (request.resetBy !== undefined) {
    return;
  }
  request.encoder.encodeHead(responseHead(200, [['x-a', 'b']]), false);
  request.encoder.encodeData(bodyOfAnswer, 0, bodyOfAnswer.length);
  request.encoder.encodeEnd(undefined);
}

export function ask(bytes: Buffer, cut: () => number): Outcome {
  const client = new TestClient();
  const responses = Array.from({ length: requestsOfClient }, (_, index) => {
    const response = new GivenResponse();
    const encoder = client.codec.open(response);
    encoder.encodeRequest(requestHead(index % 3 === 0 ? 'HEAD' : 'GET', `/${index}`), index % 2 === 0);
    if (index % 2 === 1) {
      encoder.encodeData(bodyOfAnswer, 0, bodyOfAnswer.length);
      encoder.encodeEnd(undefined);
    }
    return response;
  });
  feed(bytes, cut, (piece, start, end) => {
    client.codec.receive(piece, start, end);
    const { counters } = client.codec;
    assert.equal(counters.pendingSendBytes, client.codec.keptBytes);
    assert.equal(counters.streamsActive, client.codec.activeStreams);
    assert.equal(
      client.codec.activeStreams,
      responses.filter(({ ended, error }) => !ended && error === undefined).length,
    );
  });
  if (client.finished) {
    assert.equal(client.codec.availableStreams, 0);
    assert.ok(responses.every(({ ended, error }) => ended !== (error !== undefined)));
  }
  const events = responses.map((response) => {
    const lines = response.head === undefined ? [] : linesOf(response.head);
    checkFields(lines);
    assert.ok(response.head === undefined || (response.head.status >= 200 && response.head.status <= 999));
    return [
      response.head?.status,
      lines,
      response.body,
      response.trailers,
      response.ended,
      response.error,
      response.fate,
    ];
  });
  return {
    events,
    output: taken(client.out).toString('hex'),
    counters: client.codec.counters,
    finished: client.finished,
  };
}

/** Cut anywhere, the bytes mean what they mean as a whole. */
export function judge(
  read: (bytes: Buffer, cut: () => number) => Outcome,
  bytes: Buffer,
  random: () => number,
): Outcome {
  const whole = read(bytes, () => bytes.length);
  const cut = read(bytes, () => (random() < 0.5 ? 1 + Math.floor(random() * 12) : 1 + Math.floor(random() * 5000)));
  assert.deepEqual(cut.events, whole.events);
  assert.equal(cut.output, whole.output);
  assert.deepEqual({ ...cut.counters }, { ...whole.counters });
  return whole;
}
