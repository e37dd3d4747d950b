import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, rstStream, settings, Type, uint32, windowUpdate } from '../../test/hand-made-frames.ts';
import { block, indexed, literal } from '../../test/hpack-blocks.ts';
import { responseHead, type ServedRequest, type TestServer } from '../../test/http2-peers.ts';
import { data, framesOf, getFields, headers, ofType, openServer, ping } from '../../test/raw-frames.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import type { Http2Counters } from './counters.ts';
import {
  maxContinuationFrames,
  maxEmptyFrames,
  maxOutboundControlFrames,
  maxOutboundFrames,
  maxPrematureResets,
  maxPriorityFramesPerStream,
  maxWindowUpdatesAtStart,
  maxWindowUpdatesPerDataFrame,
  maxWindowUpdatesPerStream,
  resetsPerAnswer,
} from './flood-limits.ts';

/** Each limit is approached, and then passed. */

function assertServes(server: TestServer): void {
  assert.deepEqual(server.errors, []);
  assert.equal(server.finished, false);
}

function assertEnded(server: TestServer, detail: CodecErrorDetail, counter: keyof Http2Counters): void {
  assert.deepEqual(
    server.errors.map((error) => error.detail),
    [detail],
  );
  assert.equal(server.errors[0]?.encoder, undefined);
  assert.equal(server.finished, true);
  const goaway = ofType(framesOf(server), Type.goaway).at(-1);
  assert.equal(goaway?.payload.readUInt32BE(4), 11, 'ENHANCE_YOUR_CALM');
  assert.ok(goaway?.payload.toString('latin1', 8).startsWith(`${detail}: `));
  assert.equal(server.codec.counters[counter], 1);
  assert.equal(server.codec.counters.goawaySent, 1);
  assert.equal(server.codec.counters.streamsActive, 0);
  // Nothing is read any more.
  const before = server.requests.length;
  server.receive(headers(9001));
  assert.equal(server.requests.length, before);
}

function answerAtOnce({ encoder }: ServedRequest): void {
  encoder.encodeHead(responseHead(204), true);
}

test('rapid reset', () => {
  const server = openServer();
  let id = 1;
  const attack = (times: number): void => {
    for (let index = 0; index < times; index += 1) {
      server.receive(Buffer.concat([headers(id), rstStream(id)]));
      id += 2;
    }
  };
  attack(maxPrematureResets);
  assertServes(server);
  assert.equal(server.codec.activeStreams, 0);
  // Whoever gets answers may reset more.
  server.answer = answerAtOnce;
  for (let index = 0; index < 10; index += 1, id += 2) {
    server.receive(headers(id));
  }
  server.answer = () => {};
  attack(10 * resetsPerAnswer);
  assertServes(server);
  attack(1);
  assertEnded(server, 'http2.inbound_reset_frames_flood', 'inboundResetFramesFlood');
  assert.equal(
    server.requests.filter(({ resetBy }) => resetBy === 'http2.remote_reset').length,
    maxPrematureResets + 10 * resetsPerAnswer + 1,
  );
});

test('resets that the client makes us send count alike', () => {
  const server = openServer();
  for (let index = 0; index < maxPrematureResets; index += 1) {
    server.receive(Buffer.concat([headers(1 + 2 * index), windowUpdate(1 + 2 * index, 0)]));
    framesOf(server);
  }
  assertServes(server);
  server.receive(headers(9001 - 2, [[':method', 'GET']]));
  assertEnded(server, 'http2.inbound_reset_frames_flood', 'inboundResetFramesFlood');
});

test('a client that resets what is answered already is no attacker', () => {
  const server = openServer({}, [[4, 0]]);
  server.answer = ({ encoder }) => encoder.encodeHead(responseHead(200), true);
  for (let index = 0; index < 3 * maxPrematureResets; index += 1) {
    server.receive(Buffer.concat([headers(1 + 2 * index), rstStream(1 + 2 * index)]));
  }
  assertServes(server);
});

test('CONTINUATION: too many frames', () => {
  const whole = block([...getFields, ...Array.from({ length: 20 }, (_, index) => [`x-${index}`, 'v'] as const)]);
  const pieces = (count: number): Buffer => {
    const parts = [frame(Type.headers, 1, 1, whole.subarray(0, 50))];
    for (let index = 0; index < count; index += 1) {
      const last = index === count - 1;
      parts.push(frame(9, last ? 4 : 0, 1, whole.subarray(50 + index, last ? undefined : 51 + index)));
    }
    return Buffer.concat(parts);
  };
  const good = openServer();
  good.receive(pieces(maxContinuationFrames));
  assertServes(good);
  assert.equal(good.requests.length, 1);
  const server = openServer();
  server.receive(pieces(maxContinuationFrames + 1));
  assertEnded(server, 'http2.inbound_continuation_frames_flood', 'inboundContinuationFramesFlood');
});

test('CONTINUATION: too many bytes', () => {
  const limit = 61_440;
  const send = (server: TestServer, length: number): void => {
    const overhead = block(getFields).length + literal('x', 'a'.repeat(50_000)).length - 50_000;
    const whole = Buffer.concat([block(getFields), literal('x', 'a'.repeat(length - overhead))]);
    assert.equal(whole.length, length);
    server.receive(frame(Type.headers, 1, 1, whole.subarray(0, 16_000)));
    for (let at = 16_000; at < length; at += 16_000) {
      server.receive(frame(9, at + 16_000 < length ? 0 : 4, 1, whole.subarray(at, at + 16_000)));
    }
  };
  const good = openServer();
  send(good, limit);
  assertServes(good);
  assert.equal(good.requests.length, 1);
  const server = openServer();
  send(server, limit + 1);
  assertEnded(server, 'http2.inbound_continuation_frames_flood', 'inboundContinuationFramesFlood');
});

for (const [name, attack] of [
  ['PING', ping()],
  ['SETTINGS', settings([3, 7])],
  ['frames on closed streams', data(1, Buffer.from('x'), 1)],
] as const) {
  test(`answers to ${name} that are not taken`, () => {
    const server = openServer();
    server.answer = answerAtOnce;
    server.receive(headers(1));
    framesOf(server);
    const many = Buffer.concat(new Array<Buffer>(maxOutboundControlFrames).fill(attack));
    server.receive(many);
    assertServes(server);
    // A client that takes them may go on.
    framesOf(server);
    server.receive(many);
    assertServes(server);
    server.receive(attack);
    assertEnded(server, 'http2.outbound_control_frames_flood', 'outboundControlFlood');
  });
}

test('answers that the kernel has not taken count too', () => {
  const server = openServer();
  for (let index = 0; index < maxOutboundControlFrames; index += 1) {
    server.receive(ping());
    framesOf(server);
    server.inSocket += 17;
  }
  assertServes(server);
  server.receive(ping());
  assertEnded(server, 'http2.outbound_control_frames_flood', 'outboundControlFlood');
});

test('a client that reads slowly but reads is never counted up', () => {
  const server = openServer();
  for (let index = 0; index < 20 * maxOutboundControlFrames; index += 1) {
    server.receive(ping());
    framesOf(server);
    // It is always 100 frames behind.
    server.inSocket = Math.min(1700, server.inSocket + 17);
  }
  assertServes(server);
});

test('frames of any kind that are not taken', () => {
  const server = openServer();
  server.answer = ({ encoder }) => encoder.encodeHead(responseHead(200), true);
  for (let index = 0; index < maxOutboundFrames; index += 1) {
    server.receive(headers(1 + 2 * index));
  }
  assertServes(server);
  server.receive(headers(1 + 2 * maxOutboundFrames));
  assertServes(server);
  server.receive(headers(3 + 2 * maxOutboundFrames));
  assertEnded(server, 'http2.outbound_frames_flood', 'outboundFlood');
});

for (const [name, empty] of [
  ['DATA', data(1, Buffer.alloc(0))],
  ['padded DATA', frame(Type.data, 8, 1, Buffer.from([3, 0, 0, 0]))],
] as const) {
  test(`empty ${name}`, () => {
    const server = openServer();
    server.receive(headers(1, getFields, 4));
    const attack = (count: number): void => server.receive(Buffer.concat(new Array<Buffer>(count).fill(empty)));
    attack(maxEmptyFrames);
    assertServes(server);
    server.receive(data(1, Buffer.from('x')));
    attack(maxEmptyFrames);
    assertServes(server);
    attack(1);
    assertEnded(server, 'http2.inbound_empty_frames_flood', 'inboundEmptyFramesFlood');
  });
}

test('empty HEADERS and CONTINUATION', () => {
  const server = openServer();
  server.receive(frame(Type.headers, 0, 1));
  for (let index = 1; index < maxEmptyFrames; index += 1) {
    server.receive(frame(9, 0, 1));
  }
  assertServes(server);
  server.receive(frame(9, 0, 1));
  assertEnded(server, 'http2.inbound_empty_frames_flood', 'inboundEmptyFramesFlood');
});

for (const [name, attack] of [
  ['PRIORITY', frame(Type.priority, 0, 9001, Buffer.alloc(5))],
  ['PRIORITY_UPDATE', frame(16, 0, 0, Buffer.concat([uint32(1), Buffer.from('u=1')]))],
] as const) {
  test(name, () => {
    const server = openServer();
    server.answer = answerAtOnce;
    server.receive(headers(1));
    server.receive(Buffer.concat(new Array<Buffer>(2 * maxPriorityFramesPerStream).fill(attack)));
    assertServes(server);
    server.receive(attack);
    assertEnded(server, 'http2.inbound_priority_frames_flood', 'inboundPriorityFramesFlood');
  });
}

test('WINDOW_UPDATE', () => {
  const server = openServer();
  server.answer = ({ encoder }) => {
    encoder.encodeHead(responseHead(200), false);
    encoder.encodeData(Buffer.from('x'), 0, 1);
    encoder.encodeEnd(undefined);
  };
  server.receive(headers(1));
  const allowed = maxWindowUpdatesAtStart + maxWindowUpdatesPerStream + maxWindowUpdatesPerDataFrame;
  server.receive(Buffer.concat(new Array<Buffer>(allowed).fill(windowUpdate(0, 1))));
  assertServes(server);
  server.receive(windowUpdate(0, 1));
  assertEnded(server, 'http2.inbound_window_update_frames_flood', 'inboundWindowUpdateFramesFlood');
});

test('a head that is small on the wire and large when decoded gets 431, and the connection goes on', () => {
  const server = openServer();
  const big = literal('x', 'a'.repeat(3000), 'indexing');
  const bomb = Buffer.concat([block(getFields), big, ...new Array<Buffer>(40).fill(indexed(62))]);
  server.receive(frame(Type.headers, 5, 1, bomb));
  assert.deepEqual(
    server.errors.map(({ detail }) => detail),
    ['http2.headers_too_large'],
  );
  const encoder = server.errors[0]?.encoder;
  assert.ok(encoder !== undefined);
  encoder.encodeHead(responseHead(431), true);
  assert.equal(server.codec.counters.headerOverflow, 1);
  assert.equal(server.codec.idle, true);
  server.receive(headers(3));
  assert.equal(server.requests.length, 1);
  assert.equal(server.finished, false);
});

test('too many fields', () => {
  const many = (count: number): [string, string][] => Array.from({ length: count }, (_, index) => [`x-${index}`, 'v']);
  const server = openServer();
  server.receive(headers(1, [...getFields, ...many(99)]));
  assert.equal(server.requests.length, 1);
  server.receive(headers(3, [...getFields, ...many(100)]));
  assert.equal(server.requests.length, 1);
  assert.deepEqual(
    server.errors.map(({ detail }) => detail),
    ['http2.headers_too_large'],
  );
});

test('more streams than are allowed are refused, and may be tried again', () => {
  const server = openServer({ maxConcurrentStreams: 3 });
  server.receive(Buffer.concat([headers(1), headers(3), headers(5), headers(7)]));
  assert.equal(server.requests.length, 3);
  const [refusal] = ofType(framesOf(server), Type.rstStream);
  assert.deepEqual([refusal?.streamId, refusal?.payload.readUInt32BE()], [7, 7]);
  assert.equal(server.codec.counters.streamRefusedErrors, 1);
  // What was under way for it is ignored.
  server.receive(data(7, Buffer.from('x')));
  assert.deepEqual(framesOf(server), []);
  server.requests[0]?.encoder.encodeHead(responseHead(204), true);
  server.receive(headers(9));
  assert.equal(server.requests.length, 4);
  assertServes(server);
});
