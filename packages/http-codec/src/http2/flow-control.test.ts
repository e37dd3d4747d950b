import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, settings, Type, windowUpdate } from '../../test/hand-made-frames.ts';
import {
  exchange,
  requestHead,
  responseHead,
  type ServedRequest,
  TestClient,
  TestServer,
  taken,
} from '../../test/http2-peers.ts';
import { data, framesOf, headers, ofType, openServer } from '../../test/raw-frames.ts';
import { keptHighBytes, keptLowBytes } from './http2-stream.ts';

function answerWith(bytes: number, hold: ServedRequest[] = []): (request: ServedRequest) => void {
  return (request) => {
    hold.push(request);
    request.encoder.encodeHead(responseHead(200), false);
    request.encoder.encodeData(Buffer.alloc(bytes, 'x'), 0, bytes);
    request.encoder.encodeEnd(undefined);
  };
}

test('what the stream window does not take is kept, and sent when it opens', () => {
  const server = openServer({}, [[4, 10]]);
  server.answer = answerWith(25);
  server.receive(headers(1));
  assert.equal(server.codec.keptBytes, 15);
  assert.equal(server.codec.counters.pendingSendBytes, 15);
  assert.deepEqual(
    ofType(framesOf(server), Type.data).map(({ flags, payload }) => [flags, payload.length]),
    [[0, 10]],
  );
  server.receive(windowUpdate(1, 5));
  assert.deepEqual(
    ofType(framesOf(server), Type.data).map(({ flags, payload }) => [flags, payload.length]),
    [[0, 5]],
  );
  server.receive(windowUpdate(1, 100));
  // END_STREAM stands on the last frame with bytes.
  assert.deepEqual(
    ofType(framesOf(server), Type.data).map(({ flags, payload }) => [flags, payload.length]),
    [[1, 10]],
  );
  assert.equal(server.codec.idle, true);
  assert.equal(server.codec.counters.pendingSendBytes, 0);
});

test('the source is told to stop above 64 KiB and to go on at half of it', () => {
  const held: ServedRequest[] = [];
  const server = openServer({}, [[4, 0]]);
  server.answer = (request) => {
    held.push(request);
    request.encoder.encodeHead(responseHead(200), false);
  };
  server.receive(headers(1));
  const [request] = held;
  assert.ok(request !== undefined);
  const piece = Buffer.alloc(keptHighBytes / 2);
  request.encoder.encodeData(piece, 0, piece.length);
  request.encoder.encodeData(piece, 0, piece.length);
  assert.equal(request.writable, true);
  request.encoder.encodeData(piece, 0, 1);
  assert.equal(request.writable, false);
  server.receive(windowUpdate(1, keptHighBytes - keptLowBytes));
  assert.equal(request.writable, false);
  server.receive(windowUpdate(1, 1));
  assert.equal(request.writable, true);
});

test('a lowered initial window makes windows negative', () => {
  const server = openServer({}, [[4, 100]]);
  server.answer = answerWith(200);
  server.receive(headers(1));
  framesOf(server);
  server.receive(settings([4, 30]));
  server.receive(windowUpdate(1, 70));
  assert.equal(ofType(framesOf(server), Type.data).length, 0);
  server.receive(windowUpdate(1, 1));
  assert.equal(ofType(framesOf(server), Type.data)[0]?.payload.length, 1);
  server.receive(settings([4, 129]));
  assert.equal(ofType(framesOf(server), Type.data)[0]?.payload.length, 99);
  assert.equal(server.codec.idle, true);
});

test('a window that SETTINGS lift above 2^31-1 is an error of the connection', () => {
  const open = openServer({}, [[4, 100]]);
  open.receive(headers(1, undefined, 4));
  open.receive(windowUpdate(1, 0x7fff_ffff - 100));
  open.receive(settings([4, 101]));
  assert.deepEqual(
    open.errors.map(({ detail }) => detail),
    ['http2.flow_control_error'],
  );
});

test('streams that wait for the connection window are served in turn, one frame each', () => {
  const server = openServer({}, [[4, 1_000_000]]);
  server.answer = answerWith(60_000);
  // 65,535 for all streams: the first two use them up.
  server.receive(Buffer.concat([headers(1), headers(3), headers(5), headers(7)]));
  framesOf(server);
  const turns: number[] = [];
  for (let step = 0; step < 40 && !server.codec.idle; step += 1) {
    server.receive(windowUpdate(0, 5000));
    turns.push(...ofType(framesOf(server), Type.data).map(({ streamId }) => streamId));
  }
  assert.equal(server.codec.idle, true);
  const rounds = turns.slice(0, 9);
  assert.deepEqual(rounds, [3, 5, 7, 3, 5, 7, 3, 5, 7]);
});

test('a peer that takes large frames does not let one stream use the whole connection window up', () => {
  const server = openServer({}, [
    [4, 10_000_000],
    [5, 16_777_215],
  ]);
  server.answer = answerWith(1_000_000);
  server.receive(Buffer.concat([headers(1), headers(3), headers(5)]));
  framesOf(server);
  server.receive(windowUpdate(0, 300_000));
  const sent = new Map<number, number>();
  for (const { streamId, payload } of ofType(framesOf(server), Type.data)) {
    sent.set(streamId, (sent.get(streamId) ?? 0) + payload.length);
  }
  assert.deepEqual([...sent.keys()].sort(), [1, 3, 5]);
  assert.ok(Math.max(...sent.values()) - Math.min(...sent.values()) <= 16_384);
});

test('a stream that waits for its own window does not hold up others', () => {
  const server = openServer({}, [[4, 10]]);
  server.answer = answerWith(50);
  server.receive(Buffer.concat([headers(1), headers(3)]));
  server.receive(windowUpdate(3, 40));
  const frames = ofType(framesOf(server), Type.data).filter(({ streamId }) => streamId === 3);
  assert.equal(
    frames.reduce((sum, { payload }) => sum + payload.length, 0),
    50,
  );
});

test('DATA is cut to the frame size of the peer', () => {
  const server = openServer({}, [
    [4, 1_000_000],
    [5, 20_000],
  ]);
  server.answer = answerWith(50_000);
  server.receive(headers(1));
  assert.deepEqual(
    ofType(framesOf(server), Type.data).map(({ payload }) => payload.length),
    [20_000, 20_000, 10_000],
  );
});

test('windows are granted at half, and not while the body is paused', () => {
  const server = openServer({ initialStreamWindowBytes: 100_000, initialConnectionWindowBytes: 400_000 });
  server.receive(headers(1, undefined, 4));
  const [request] = server.requests;
  request?.encoder.pauseRequest(true);
  const send = (bytes: number): void => {
    for (let rest = bytes; rest > 0; rest -= 10_000) {
      server.receive(data(1, Buffer.alloc(10_000)));
    }
  };
  send(40_000);
  assert.deepEqual(ofType(framesOf(server), Type.windowUpdate), []);
  send(60_000);
  assert.deepEqual(ofType(framesOf(server), Type.windowUpdate), []);
  request?.encoder.pauseRequest(false);
  assert.deepEqual(granted(server), [[1, 100_000]]);
  send(50_000);
  assert.deepEqual(granted(server), [[1, 50_000]]);
  // The connection's window is granted whatever becomes of the stream.
  request?.encoder.pauseRequest(true);
  send(50_000);
  assert.deepEqual(granted(server), [[0, 200_000]]);
  assert.equal(
    request?.chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    200_000,
  );
});

function granted(server: TestServer): number[][] {
  return ofType(framesOf(server), Type.windowUpdate).map(({ streamId, payload }) => [streamId, payload.readUInt32BE()]);
}

test('more DATA than was granted is an error of the stream, or of the connection', () => {
  const server = openServer({ initialStreamWindowBytes: 65_535 });
  server.receive(headers(1, undefined, 4));
  server.requests[0]?.encoder.pauseRequest(true);
  for (let index = 0; index < 4; index += 1) {
    server.receive(data(1, Buffer.alloc(16_384)));
  }
  assert.equal(server.requests[0]?.resetBy, 'http2.flow_control_error');
  assert.equal(ofType(framesOf(server), Type.rstStream)[0]?.payload.readUInt32BE(), 3);
  assert.equal(server.finished, false);
  // Padding counts, and so does DATA for streams that are gone.
  const tight = openServer({ initialConnectionWindowBytes: 65_535, maxFrameSizeBytes: 100_000 });
  tight.receive(headers(1, undefined, 4));
  tight.receive(data(1, Buffer.alloc(65_536)));
  assert.deepEqual(
    tight.errors.map(({ detail }) => detail),
    ['http2.flow_control_error'],
  );
});

test('a body may end while its window is below 0, because we lowered it after the bytes were sent', () => {
  const server = new TestServer({ initialStreamWindowBytes: 100 });
  server.receive(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings()]));
  server.receive(headers(1, undefined, 4));
  server.requests[0]?.encoder.pauseRequest(true);
  server.receive(data(1, Buffer.alloc(1500)));
  server.receive(frame(Type.settings, 1, 0));
  server.receive(frame(Type.data, 1, 1));
  assert.equal(server.requests[0]?.resetBy, undefined);
});

test('a window below 65,535 holds from the moment that the client acknowledges it', () => {
  const server = new TestServer({ initialStreamWindowBytes: 1000 });
  server.receive(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings()]));
  server.receive(headers(1, undefined, 4));
  server.receive(data(1, Buffer.alloc(1500)));
  assert.equal(server.requests[0]?.resetBy, undefined);
  server.receive(frame(Type.settings, 1, 0));
  server.receive(headers(3, undefined, 4));
  server.requests[1]?.encoder.pauseRequest(true);
  server.receive(data(3, Buffer.alloc(1000)));
  assert.equal(server.requests[1]?.resetBy, undefined);
  server.receive(data(3, Buffer.alloc(1)));
  assert.equal(server.requests[1]?.resetBy, 'http2.flow_control_error');
});

test('trailers wait behind kept bytes, in a copy', () => {
  const client = new TestClient({ initialStreamWindowBytes: 10 });
  const server = new TestServer();
  server.answer = (request) => {
    const trailers = requestHead('GET', '/', [['grpc-status', '0']]);
    trailers.remove('host');
    request.encoder.encodeHead(responseHead(200), false);
    request.encoder.encodeData(Buffer.alloc(70_000), 0, 70_000);
    request.encoder.encodeEnd(trailers);
    trailers.clear();
  };
  const { response } = client.request(requestHead('GET', '/'));
  exchange(client, server);
  assert.equal(response.body.length, 70_000);
  assert.deepEqual(response.trailers, ['grpc-status: 0']);
});

test('a request that is cancelled gives back what it kept', () => {
  const server = openServer({}, [[4, 0]]);
  server.answer = answerWith(1000);
  server.receive(headers(1));
  assert.equal(server.codec.counters.pendingSendBytes, 1000);
  server.receive(frame(Type.rstStream, 0, 1, Buffer.from([0, 0, 0, 8])));
  assert.equal(server.codec.counters.pendingSendBytes, 0);
  assert.equal(server.codec.keptBytes, 0);
  assert.equal(taken(server.out).length > 0, true);
});
