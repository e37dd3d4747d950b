import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, parseFrames, preface, rstStream, settings, Type } from '../../test/hand-made-frames.ts';
import { fieldsOf } from '../../test/hpack-blocks.ts';
import { linesOf, requestHead, responseHead, type ServedRequest, TestServer, taken } from '../../test/http2-peers.ts';
import { data, type Fields, framesOf, getFields, headers, ofType, openServer, ping } from '../../test/raw-frames.ts';
import { OutputBuffer } from '../output-buffer.ts';

function withField(name: string, value: string | undefined): Fields {
  const rest = getFields.filter(([field]) => field !== name);
  return value === undefined
    ? rest
    : ([...rest.filter(([field]) => field.startsWith(':')), [name, value]].sort(([left]) =>
        left?.startsWith(':') === true ? -1 : 1,
      ) as Fields);
}

function codesOf(server: TestServer, type: number): number[] {
  return ofType(framesOf(server), type).map(({ payload }) => payload.readUInt32BE(type === Type.goaway ? 4 : 0));
}

// ------------------------------------------------------------------------------------------- requests

test('a request without an authority is answered, not forwarded; one that only has host is served', () => {
  const server = openServer();
  server.receive(headers(1, withField(':authority', undefined)));
  assert.deepEqual(
    server.errors.map(({ detail }) => detail),
    ['missing_host_header'],
  );
  server.errors[0]?.encoder?.encodeHead(responseHead(400), true);
  server.receive(headers(3, [...withField(':authority', undefined), ['host', 'b.test:80']]));
  assert.equal(server.requests[0]?.head.authority, 'b.test:80');
  assert.equal(server.codec.activeStreams, 1);
});

for (const [name, fields] of [
  ['path without slash', withField(':path', 'x')],
  ['asterisk for GET', withField(':path', '*')],
  ['another scheme', withField(':scheme', 'ftp')],
  ['authority with a path', withField(':authority', 'a.test/x')],
  ['authority with user', withField(':authority', 'u@a.test')],
  ['authority of two', withField(':authority', 'a.test:80:81')],
  ['host that differs', [...getFields, ['host', 'b.test']] as Fields],
  ['CONNECT with a path', withField(':method', 'CONNECT')],
  ['protocol without CONNECT', [...getFields, [':protocol', 'websocket']] as Fields],
  ['two lengths', [...getFields, ['content-length', '0'], ['content-length', '0']] as Fields],
  ['a length that is none', [...getFields, ['content-length', '+1']] as Fields],
  ['a length and no body', [...getFields, ['content-length', '1']] as Fields],
  ['transfer-encoding', [...getFields, ['transfer-encoding', 'chunked']] as Fields],
  ['upgrade', [...getFields, ['upgrade', 'h2c']] as Fields],
  ['a line end in a value', [...getFields, ['x', 'a\r\nb: c']] as Fields],
  ['a line end in a path', withField(':path', '/a HTTP/1.1\r\nx: y')],
  ['a colon in a name', [...getFields, ['x:y', 'z']] as Fields],
] as const) {
  test(`malformed: ${name}`, () => {
    const server = openServer();
    server.receive(headers(1, fields));
    assert.equal(server.requests.length, 0);
    assert.deepEqual(codesOf(server, Type.rstStream), [1]);
    assert.equal(server.codec.counters.rxMessagingError, 1);
    server.receive(headers(3));
    assert.equal(server.requests.length, 1);
  });
}

test('what a request says about itself', () => {
  const server = openServer();
  server.receive(
    headers(
      1,
      [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':path', '/a?b'],
        [':authority', 'a.test'],
        ['content-length', '3'],
        ['expect', '100-continue'],
        ['te', 'trailers'],
        ['cookie', 'a=1'],
        ['cookie', 'b=2'],
        ['http2-settings', 'x'],
      ],
      4,
    ),
  );
  const head = server.requests[0]?.head;
  assert.ok(head !== undefined);
  assert.equal(head.targetScheme, 'https');
  assert.equal(head.contentLength, 3);
  assert.equal(head.hasBody, true);
  assert.equal(head.expectContinue, true);
  assert.equal(head.teTrailers, true);
  assert.equal(head.startLineUsable, false);
  const out = new OutputBuffer();
  head.writeFields(out);
  assert.equal(taken(out).toString(), 'host: a.test\r\ncontent-length: 3\r\nte: trailers\r\ncookie: a=1; b=2\r\n');
});

test('a length has one form', () => {
  const server = openServer();
  server.receive(headers(1, [...getFields, ['content-length', '007']], 4));
  const head = server.requests[0]?.head;
  assert.equal(head?.contentLength, 7);
  assert.equal(head?.get('content-length'), '7');
});

test('trailers that frame or route are refused', () => {
  for (const field of ['content-length', 'host', 'expect', 'trailer']) {
    const server = openServer();
    server.receive(Buffer.concat([headers(1, getFields, 4), headers(1, [[field, '1']], 5)]));
    assert.equal(server.requests[0]?.ended, false);
    assert.equal(server.requests[0]?.resetBy, 'http2.violation.of.messaging.rule', field);
  }
});

test('a body that is shorter or longer than its length is never complete', () => {
  for (const body of ['ab', 'abcd']) {
    const server = openServer();
    server.receive(headers(1, [...getFields, ['content-length', '3']], 4));
    server.receive(data(1, Buffer.from(body), 1));
    assert.equal(server.requests[0]?.ended, false);
    assert.equal(server.requests[0]?.resetBy, 'http2.violation.of.messaging.rule');
  }
  const server = openServer();
  server.receive(headers(1, [...getFields, ['content-length', '3']], 4));
  server.receive(data(1, Buffer.from('ab')));
  server.receive(headers(1, [['x', 'y']], 5));
  assert.equal(server.requests[0]?.ended, false);
});

// ------------------------------------------------------------------------------------------ responses

test('a short response is two frames, END_STREAM on the second', () => {
  const server = openServer();
  server.answer = ({ encoder }) => {
    encoder.encodeHead(responseHead(200, [['content-length', '2']]), false);
    encoder.encodeData(Buffer.from('ok'), 0, 2);
    encoder.encodeEnd(undefined);
  };
  server.receive(headers(1));
  assert.deepEqual(
    framesOf(server).map(({ type, flags }) => [type, flags]),
    [
      [Type.headers, 4],
      [Type.data, 1],
    ],
  );
  server.answer = ({ encoder }) => {
    encoder.encodeHead(responseHead(200), false);
    encoder.encodeEnd(undefined);
  };
  server.receive(headers(3));
  assert.deepEqual(
    framesOf(server).map(({ type, flags }) => [type, flags]),
    [[Type.headers, 5]],
  );
});

test('END_STREAM does not go onto a frame of another stream, nor onto one that is out', () => {
  const server = openServer();
  server.receive(Buffer.concat([headers(1), headers(3)]));
  const [first, second] = server.requests;
  first?.encoder.encodeHead(responseHead(200), false);
  second?.encoder.encodeHead(responseHead(200), false);
  first?.encoder.encodeEnd(undefined);
  assert.deepEqual(
    framesOf(server).map(({ type, flags, streamId }) => [type, flags, streamId]),
    [
      [Type.headers, 4, 1],
      [Type.headers, 4, 3],
      [Type.data, 1, 1],
    ],
  );
  second?.encoder.encodeEnd(undefined);
  assert.deepEqual(
    framesOf(server).map(({ type, flags, streamId }) => [type, flags, streamId]),
    [[Type.data, 1, 3]],
  );
});

test('a body in small pieces leaves in one frame, up to the frame size of the peer', () => {
  const server = openServer({}, [[4, 1_000_000]]);
  server.receive(Buffer.concat([headers(1), headers(3)]));
  const [first, second] = server.requests;
  first?.encoder.encodeHead(responseHead(200), false);
  second?.encoder.encodeHead(responseHead(200), false);
  const piece = Buffer.alloc(1000, 'x');
  for (let index = 0; index < 20; index += 1) {
    first?.encoder.encodeData(piece, 0, piece.length);
  }
  second?.encoder.encodeData(piece, 0, piece.length);
  first?.encoder.encodeData(piece, 0, piece.length);
  assert.deepEqual(
    ofType(framesOf(server), Type.data).map(({ streamId, payload }) => [streamId, payload.length]),
    [
      [1, 16_384],
      [1, 3616],
      [3, 1000],
      [1, 1000],
    ],
  );
});

test('fields of the hop do not leave by HTTP/2', () => {
  const server = openServer();
  server.answer = ({ encoder }) =>
    encoder.encodeHead(
      responseHead(200, [
        ['Connection', 'close'],
        ['Keep-Alive', 'timeout=5'],
        ['Transfer-Encoding', 'chunked'],
        ['X-Kept', 'yes'],
      ]),
      true,
    );
  server.receive(headers(1));
  assert.equal(framesOf(server)[0]?.payload.toString('latin1').includes('x-kept'), true);
  assert.equal(server.codec.idle, true);
});

test('an answer before the request is complete ends the stream without an error', () => {
  const server = openServer();
  server.answer = ({ encoder }) => encoder.encodeHead(responseHead(413), true);
  server.receive(headers(1, getFields, 4));
  assert.deepEqual(codesOf(server, Type.rstStream), [0]);
  server.receive(data(1, Buffer.from('late')));
  assert.deepEqual(framesOf(server), []);
  assert.deepEqual(server.requests[0]?.chunks, []);
  assert.equal(server.codec.idle, true);
});

test('nothing can be encoded after a reset', () => {
  const server = openServer();
  server.receive(headers(1));
  server.receive(rstStream(1));
  const { encoder } = server.requests[0] ?? assert.fail();
  encoder.encodeInformational(responseHead(103));
  encoder.encodeHead(responseHead(200), false);
  encoder.encodeData(Buffer.from('x'), 0, 1);
  encoder.encodeEnd(undefined);
  encoder.abort();
  assert.deepEqual(framesOf(server), []);
});

test('heads longer than a frame go out with CONTINUATION', () => {
  const server = openServer();
  server.answer = ({ encoder }) => encoder.encodeHead(responseHead(200, [['x', 'v'.repeat(40_000)]]), true);
  server.receive(headers(1));
  assert.deepEqual(
    framesOf(server).map(({ type, flags }) => [type, flags]),
    [
      [Type.headers, 1],
      [Type.continuation, 0],
      [Type.continuation, 4],
    ],
  );
});

// -------------------------------------------------------------------------------------------- tunnels

const tunnelFields: Fields = [
  [':method', 'CONNECT'],
  [':protocol', 'WebSocket'],
  [':scheme', 'https'],
  [':path', '/chat'],
  [':authority', 'a.test'],
  ['sec-websocket-version', '13'],
];

test('extended CONNECT is an upgrade; what came early waits for 101', () => {
  const server = openServer();
  server.receive(Buffer.concat([headers(1, tunnelFields, 4), data(1, Buffer.from('early'))]));
  const [request] = server.requests;
  assert.ok(request !== undefined);
  assert.deepEqual(linesOf(request.head).slice(0, 3), [
    'host: a.test',
    'sec-websocket-version: 13',
    'upgrade: WebSocket',
  ]);
  assert.equal(request.head.method, 'GET');
  assert.equal(request.head.upgrade, 'websocket');
  assert.equal(request.endedWithHead, true);
  assert.equal(request.body, '');
  request.encoder.encodeHead(
    responseHead(101, [
      ['connection', 'upgrade'],
      ['upgrade', 'websocket'],
    ]),
    false,
  );
  assert.equal(request.body, 'early');
  server.receive(data(1, Buffer.from(' late'), 1));
  assert.equal(request.body, 'early late');
  assert.equal(request.ended, true);
  const [head] = framesOf(server);
  assert.deepEqual([head?.type, head?.flags, head?.payload.toString('hex')], [Type.headers, 4, '88']);
  request.encoder.encodeData(Buffer.from('bye'), 0, 3);
  request.encoder.encodeEnd(undefined);
  assert.equal(server.codec.idle, true);
});

test('two upgrades have different keys, and a key that came is kept', () => {
  const server = openServer();
  server.receive(headers(1, tunnelFields, 4));
  server.receive(headers(3, tunnelFields, 4));
  server.receive(headers(5, [...tunnelFields, ['sec-websocket-key', 'mine']], 4));
  const keys = server.requests.map(({ head }) => head.get('sec-websocket-key'));
  assert.notEqual(keys[0], keys[1]);
  assert.equal(keys[2], 'mine');
});

test('a 2xx to an upgrade is no tunnel and must not look like one', () => {
  const server = openServer();
  server.receive(Buffer.concat([headers(1, tunnelFields, 4), data(1, Buffer.from('early'))]));
  const { encoder } = server.requests[0] ?? assert.fail();
  encoder.encodeHead(responseHead(200, [['content-length', '4']]), false);
  encoder.encodeData(Buffer.from('page'), 0, 4);
  encoder.encodeEnd(undefined);
  const frames = framesOf(server);
  assert.deepEqual(
    frames.map(({ type, flags }) => [type, flags]),
    [
      [Type.headers, 5],
      [Type.rstStream, 0],
    ],
  );
  assert.equal(frames[0]?.payload.toString('latin1').includes('502'), true);
});

test('an upgrade that is refused with an error is passed on with its body', () => {
  const server = openServer();
  server.receive(Buffer.concat([headers(1, tunnelFields, 4), data(1, Buffer.from('early'))]));
  const request = server.requests[0] ?? assert.fail();
  request.encoder.encodeHead(responseHead(403), false);
  request.encoder.encodeData(Buffer.from('no'), 0, 2);
  server.receive(data(1, Buffer.from('more')));
  assert.equal(request.body, '');
  request.encoder.encodeEnd(undefined);
  assert.equal(server.codec.idle, true);
});

test('extended CONNECT is malformed where it was not offered', () => {
  const server = openServer({ allowExtendedConnect: false });
  server.receive(headers(1, tunnelFields, 4));
  assert.deepEqual(codesOf(server, Type.rstStream), [1]);
});

test('CONNECT is a tunnel from 2xx on', () => {
  const server = openServer();
  server.receive(
    headers(
      1,
      [
        [':method', 'CONNECT'],
        [':authority', 'a.test:443'],
      ],
      4,
    ),
  );
  const request = server.requests[0] ?? assert.fail();
  assert.deepEqual([request.head.method, request.head.path, request.head.authority], ['CONNECT', '', 'a.test:443']);
  server.receive(data(1, Buffer.from('hello')));
  request.encoder.encodeHead(responseHead(200), false);
  assert.equal(request.body, 'hello');
  server.receive(rstStream(1));
  assert.equal(request.resetBy, 'http2.remote_reset');
});

// ------------------------------------------------------------------------------------ life of the connection

test('drain: GOAWAY twice around a PING, and the end when all is answered', () => {
  const server = openServer();
  server.receive(headers(1));
  server.codec.beginDrain();
  const [first, probe] = framesOf(server);
  assert.deepEqual([first?.type, first?.payload.readUInt32BE(0), first?.payload.readUInt32BE(4)], [7, 0x7fffffff, 0]);
  assert.equal(probe?.type, Type.ping);
  // What was sent before the client knew is still served.
  server.receive(headers(3));
  assert.equal(server.requests.length, 2);
  server.receive(frame(Type.ping, 1, 0, probe?.payload));
  const [last] = framesOf(server);
  assert.deepEqual([last?.type, last?.payload.readUInt32BE(0)], [7, 3]);
  server.receive(headers(5));
  assert.equal(server.requests.length, 2);
  assert.equal(server.codec.counters.headersCbNoStream, 1);
  server.requests[0]?.encoder.encodeHead(responseHead(204), true);
  assert.equal(server.finished, false);
  server.requests[1]?.encoder.encodeHead(responseHead(204), true);
  assert.equal(server.finished, true);
  assert.equal(server.codec.counters.goawaySent, 2);
  server.codec.beginDrain();
  assert.equal(ofType(framesOf(server), Type.goaway).length, 0);
});

test('drain of an idle connection is over at once', () => {
  const server = openServer();
  server.codec.beginDrain();
  assert.deepEqual(codesOf(server, Type.goaway), [0]);
  assert.equal(server.finished, true);
});

test('closeAfterResponse drains', () => {
  const server = openServer();
  server.answer = ({ encoder }) => {
    encoder.closeAfterResponse();
    encoder.encodeHead(responseHead(204), true);
  };
  server.receive(headers(1));
  const frames = framesOf(server);
  assert.deepEqual(
    frames.map(({ type }) => type),
    [Type.goaway, Type.ping, Type.headers],
  );
  assert.equal(server.finished, false);
  server.receive(frame(Type.ping, 1, 0, frames[1]?.payload));
  assert.equal(server.finished, true);
});

test('keepalive', () => {
  const server = openServer();
  server.codec.sendKeepalive();
  server.codec.sendKeepalive();
  assert.equal(server.codec.keepalivePending, true);
  const pings = ofType(framesOf(server), Type.ping);
  assert.equal(pings.length, 1);
  server.receive(ping(1));
  assert.equal(server.codec.keepalivePending, true);
  server.receive(frame(Type.ping, 1, 0, pings[0]?.payload));
  assert.equal(server.codec.keepalivePending, false);
});

test('a head that takes too long is answered and the connection ends', () => {
  const server = openServer();
  assert.equal(server.codec.headIncomplete, false);
  server.receive(frame(Type.headers, 1, 1, Buffer.from([0x82])));
  assert.equal(server.codec.headIncomplete, true);
  const encoder = server.codec.refuseHead();
  encoder.encodeHead(responseHead(408), true);
  const frames = framesOf(server);
  assert.deepEqual(
    frames.map(({ type, streamId }) => [type, streamId]),
    [
      [Type.goaway, 0],
      [Type.headers, 1],
      [Type.rstStream, 1],
    ],
  );
  assert.equal(server.finished, true);
});

test('a preface that takes too long ends the connection', () => {
  const server = new TestServer();
  server.receive(preface.subarray(0, 10));
  assert.equal(server.codec.headIncomplete, true);
  server.codec.refuseHead().encodeHead(responseHead(408), true);
  assert.deepEqual(
    framesOf(server).map(({ type }) => type),
    [Type.settings, Type.windowUpdate, Type.goaway],
  );
  assert.equal(server.finished, true);
});

test('a client that ends its side gets the answers that are due', () => {
  const server = openServer();
  server.receive(Buffer.concat([headers(1), headers(3, getFields, 4)]));
  server.codec.receiveEnd();
  assert.equal(server.requests[1]?.resetBy, 'http2.unexpected_end');
  assert.equal(server.finished, false);
  server.requests[0]?.encoder.encodeHead(responseHead(204), true);
  assert.equal(server.finished, true);
});

test('h2c by upgrade: the request is stream 1', () => {
  const server = new TestServer();
  const head = requestHead('GET', '/');
  const payload = settings([4, 5]).subarray(9);
  assert.equal(server.codec.acceptUpgrade(head, '!'), false);
  assert.equal(server.codec.acceptUpgrade(head, payload.subarray(1).toString('base64url')), false);
  assert.deepEqual(framesOf(server), []);
  assert.equal(server.codec.acceptUpgrade(head, payload.toString('base64url')), true);
  const request: ServedRequest = server.requests[0] ?? assert.fail();
  assert.equal(request.head, head);
  assert.equal(request.endedWithHead, true);
  server.receive(Buffer.concat([preface, settings()]));
  request.encoder.encodeHead(responseHead(200), false);
  request.encoder.encodeData(Buffer.from('hello world'), 0, 11);
  const frames = parseFrames(taken(server.out));
  assert.equal(frames[0]?.type, Type.settings);
  assert.equal(ofType(frames, Type.data)[0]?.payload.toString(), 'hello');
  server.receive(headers(3));
  assert.equal(server.requests.length, 2);
});

test('a response that came by HTTP/1.1 loses nothing but the hop', () => {
  const server = openServer();
  server.answer = ({ encoder }) => {
    const head = responseHead(200);
    head.copyFrom(
      fieldsOf([
        ['Date', 'now'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ]),
    );
    head.status = 200;
    encoder.encodeHead(head, true);
  };
  server.receive(headers(1));
  const text = framesOf(server)[0]?.payload.toString('latin1') ?? '';
  assert.ok(text.includes('a=1') && text.includes('b=2') && text.includes('now'));
});
