import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, rstStream, settings, Type, uint32 } from '../../test/hand-made-frames.ts';
import { block } from '../../test/hpack-blocks.ts';
import {
  exchange,
  GivenResponse,
  linesOf,
  requestHead,
  responseHead,
  TestClient,
  TestServer,
} from '../../test/http2-peers.ts';
import { data, type Fields, framesOf, ofType } from '../../test/raw-frames.ts';
import { maxInformational } from './upstream-stream.ts';

function openClient(...pairs: readonly (readonly [number, number])[]): TestClient {
  const client = new TestClient();
  client.receive(Buffer.concat([settings(...pairs), frame(Type.settings, 1, 0)]));
  framesOf(client);
  return client;
}

function responseFrame(streamId: number, status: string, more: Fields = [], flags = 5): Buffer {
  return frame(Type.headers, flags, streamId, block([[':status', status], ...more]));
}

function get(client: TestClient, path = '/'): GivenResponse {
  return client.request(requestHead('GET', path)).response;
}

function goaway(last: number, code = 0): Buffer {
  return frame(Type.goaway, 0, 0, uint32(last, code));
}

test('streams that may be opened: ours, theirs, and 100 until theirs is known', () => {
  const early = new TestClient({ maxConcurrentStreams: 1000 });
  assert.equal(early.codec.availableStreams, 100);
  const client = openClient([3, 2]);
  assert.equal(client.codec.availableStreams, 2);
  get(client);
  get(client);
  assert.equal(client.codec.availableStreams, 0);
  assert.equal(client.codec.activeStreams, 2);
  const before = client.availableCalls;
  client.receive(responseFrame(1, '204'));
  assert.equal(client.codec.availableStreams, 1);
  assert.equal(client.availableCalls, before + 1);
  client.receive(settings([3, 0]));
  assert.equal(client.codec.availableStreams, 0);
});

test('GOAWAY: what is above the last stream was not processed, the rest goes on', () => {
  const client = openClient();
  const responses = [get(client), get(client), get(client)];
  client.receive(goaway(0x7fff_ffff));
  assert.equal(client.draining, true);
  assert.equal(client.codec.availableStreams, 0);
  assert.equal(responses[2]?.error, undefined);
  client.receive(goaway(3));
  assert.deepEqual([responses[2]?.error, responses[2]?.fate], ['http2.remote_goaway', 'not-processed']);
  assert.equal(client.finished, false);
  client.receive(Buffer.concat([responseFrame(1, '204'), responseFrame(3, '204')]));
  assert.equal(responses[1]?.ended, true);
  assert.equal(client.finished, true);
});

test('an idle connection is of no use after GOAWAY', () => {
  const client = openClient();
  client.receive(goaway(0));
  assert.equal(client.finished, true);
});

test('what comes behind the end in the same read is not answered', () => {
  const client = openClient();
  const response = get(client);
  framesOf(client);
  client.receive(Buffer.concat([goaway(1), responseFrame(1, '204'), data(1, Buffer.from('late')), settings()]));
  assert.equal(response.ended, true);
  assert.equal(client.finished, true);
  assert.deepEqual(framesOf(client), []);
});

test('REFUSED_STREAM was not processed, other resets may have been', () => {
  const client = openClient();
  const [refused, reset] = [get(client), get(client)];
  client.receive(Buffer.concat([rstStream(1, 7), rstStream(3, 2)]));
  assert.deepEqual([refused.error, refused.fate], ['http2.remote_refuse', 'not-processed']);
  assert.deepEqual([reset.error, reset.fate], ['http2.remote_reset', 'unknown']);
  assert.equal(client.codec.activeStreams, 0);
});

test('the end of the connection is the end of all requests', () => {
  const client = openClient();
  const responses = [get(client), get(client)];
  client.codec.receiveEnd();
  for (const { error, fate } of responses) {
    assert.deepEqual([error, fate], ['http2.unexpected_end', 'unknown']);
  }
  assert.equal(client.finished, true);
  assert.equal(client.codec.activeStreams, 0);
});

test('a request that is cancelled is reset, and hears nothing more', () => {
  const client = openClient();
  const { encoder, response } = client.request(requestHead('GET', '/'));
  framesOf(client);
  encoder.cancel();
  const [reset] = framesOf(client);
  assert.deepEqual([reset?.type, reset?.payload.readUInt32BE()], [Type.rstStream, 8]);
  client.receive(Buffer.concat([responseFrame(1, '200', [], 4), data(1, Buffer.from('late'), 1)]));
  assert.equal(response.head, undefined);
  assert.equal(client.codec.counters.headersCbNoStream, 1);
  assert.equal(client.finished, false);
  encoder.cancel();
  assert.equal(client.codec.activeStreams, 0);
});

test('an answer before the request is complete', () => {
  const client = openClient();
  const response = new GivenResponse();
  const encoder = client.codec.open(response);
  encoder.encodeRequest(requestHead('POST', '/'), false);
  framesOf(client);
  client.receive(responseFrame(1, '413'));
  assert.equal(response.ended, true);
  assert.equal(ofType(framesOf(client), Type.rstStream).length, 1);
  encoder.encodeData(Buffer.from('more'), 0, 4);
  encoder.encodeEnd(undefined);
  assert.deepEqual(framesOf(client), []);
  assert.equal(client.codec.activeStreams, 0);
});

for (const [name, bytes] of [
  ['no status', frame(Type.headers, 5, 1, block([['x', 'y']]))],
  ['a request', frame(Type.headers, 5, 1, block([[':method', 'GET']]))],
  ['101', responseFrame(1, '101', [], 4)],
  ['an interim response that ends', responseFrame(1, '103')],
  ['connection', responseFrame(1, '200', [['connection', 'close']])],
  ['DATA before the head', data(1, Buffer.from('x'))],
  ['DATA after an interim response', Buffer.concat([responseFrame(1, '103', [], 4), data(1, Buffer.from('x'))])],
  ['a length and no body', responseFrame(1, '200', [['content-length', '1']])],
  [
    'a body that is too long',
    Buffer.concat([responseFrame(1, '200', [['content-length', '1']], 4), data(1, Buffer.from('xy'), 1)]),
  ],
  [
    'a second head that is no trailers',
    Buffer.concat([responseFrame(1, '200', [], 4), responseFrame(1, '200', [], 5)]),
  ],
  [
    'too many interim responses',
    Buffer.concat(new Array<Buffer>(maxInformational + 1).fill(responseFrame(1, '103', [], 4))),
  ],
] as const) {
  test(`malformed: ${name}`, () => {
    const client = openClient();
    const [response, other] = [get(client), get(client)];
    framesOf(client);
    client.receive(bytes);
    assert.deepEqual([response.error, response.fate], ['http2.violation.of.messaging.rule', 'unknown']);
    assert.equal(ofType(framesOf(client), Type.rstStream).length, 1);
    assert.equal(client.codec.counters.rxMessagingError, 1);
    client.receive(responseFrame(3, '204'));
    assert.equal(other.ended, true);
  });
}

test('HEAD and 304 may name the length of what they do not send', () => {
  const client = openClient();
  const head = client.request(requestHead('HEAD', '/')).response;
  const cached = get(client);
  client.receive(responseFrame(1, '200', [['content-length', '10']]));
  client.receive(responseFrame(3, '304', [['content-length', '10']]));
  assert.equal(head.head?.contentLength, 10);
  assert.equal(head.ended, true);
  assert.equal(cached.ended, true);
});

test('what a server cannot do to a client ends the connection', () => {
  for (const bytes of [
    frame(Type.pushPromise, 4, 1, uint32(2)),
    settings([2, 1]),
    frame(Type.headers, 5, 2, block([[':status', '200']])),
    responseFrame(3, '200'),
    data(3, Buffer.from('x')),
    rstStream(3),
  ]) {
    const client = openClient();
    const response = get(client);
    client.receive(bytes);
    assert.equal(response.error, 'http2.protocol_error');
    assert.equal(client.finished, true);
    assert.equal(client.draining, true);
    assert.equal(ofType(framesOf(client), Type.goaway)[0]?.payload.readUInt32BE(4), 1);
  }
});

test('the first frame of a server is SETTINGS', () => {
  const client = new TestClient();
  client.receive(frame(Type.ping, 0, 0, Buffer.alloc(8)));
  assert.equal(client.finished, true);
});

test('what extensions say is ignored', () => {
  const client = openClient();
  const response = get(client);
  framesOf(client);
  const altsvc = frame(10, 0, 0, Buffer.from('\0\x06a.testh2=":1"', 'latin1'));
  const origin = frame(12, 0, 0, Buffer.from('\0\x0dhttps://a.test', 'latin1'));
  client.receive(Buffer.concat([altsvc, origin, frame(0x50, 0xff, 1, Buffer.alloc(300)), settings([0x99, 7])]));
  client.receive(frame(Type.priority, 0, 1, Buffer.from([0, 0, 0, 0, 16])));
  client.receive(responseFrame(1, '204'));
  assert.equal(response.ended, true);
  assert.equal(client.finished, false);
  assert.deepEqual(
    framesOf(client).map(({ type, flags }) => [type, flags]),
    [[Type.settings, 1]],
  );
});

test('stream ids run out', () => {
  const client = openClient();
  Object.assign(client.codec, { nextStreamId: 0x7fff_ffff });
  assert.equal(client.codec.availableStreams, 100);
  const last = get(client);
  assert.equal(client.codec.availableStreams, 0);
  assert.equal(client.draining, true);
  client.receive(responseFrame(0x7fff_ffff, '204'));
  assert.equal(last.ended, true);
  assert.equal(client.finished, true);
});

test('drain of our own', () => {
  const client = openClient();
  const response = get(client);
  client.codec.beginDrain();
  assert.equal(client.codec.availableStreams, 0);
  assert.equal(ofType(framesOf(client), Type.goaway).length, 1);
  assert.equal(client.finished, false);
  client.receive(responseFrame(1, '204'));
  assert.equal(response.ended, true);
  assert.equal(client.finished, true);
});

function upgradeRequest(): ReturnType<typeof requestHead> {
  const head = requestHead('GET', '/chat', [
    ['upgrade', 'websocket'],
    ['connection', 'upgrade'],
    ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ]);
  head.upgrade = 'websocket';
  return head;
}

test('an upgrade waits until it is known whether the peer takes extended CONNECT', () => {
  const client = new TestClient();
  const { response } = client.request(upgradeRequest());
  const other = get(client);
  assert.equal(client.codec.allowsExtendedConnect, undefined);
  assert.equal(client.codec.activeStreams, 2);
  client.receive(settings([8, 1]));
  assert.equal(client.codec.allowsExtendedConnect, true);
  client.receive(responseFrame(1, '204'));
  assert.equal(other.ended, true);
  client.receive(responseFrame(3, '200', [], 4));
  assert.equal(response.head?.status, 101);
  assert.deepEqual(linesOf(response.head ?? assert.fail()), [
    'upgrade: websocket',
    'sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  ]);
});

test('an upgrade fails, not processed, where the peer does not take it', () => {
  for (const before of [true, false]) {
    const client = new TestClient();
    const begin = (): GivenResponse => client.request(upgradeRequest()).response;
    const early = before ? begin() : undefined;
    client.receive(settings());
    const response = early ?? begin();
    assert.deepEqual([response.error, response.fate], ['http2.extended_connect_not_allowed', 'not-processed']);
    assert.equal(client.codec.activeStreams, 0);
  }
});

test('an upgrade that waits can be given up, and dies with the connection', () => {
  const client = new TestClient();
  const { encoder, response } = client.request(upgradeRequest());
  encoder.cancel();
  assert.equal(client.codec.activeStreams, 0);
  const { response: second } = client.request(upgradeRequest());
  client.codec.receiveEnd();
  assert.equal(response.error, undefined);
  assert.deepEqual([second.error, second.fate], ['http2.unexpected_end', 'not-processed']);
  assert.equal(client.codec.activeStreams, 0);
});

test('an answer to an upgrade that is no tunnel', () => {
  const client = openClient([8, 1]);
  const { response } = client.request(upgradeRequest());
  client.receive(Buffer.concat([responseFrame(1, '403', [], 4), data(1, Buffer.from('no'), 1)]));
  assert.equal(response.head?.status, 403);
  assert.equal(response.body, 'no');
  assert.equal(response.ended, true);
});

test('a tunnel end to end, closed from either side', () => {
  for (const first of ['client', 'server']) {
    const client = new TestClient();
    const server = new TestServer();
    server.answer = ({ encoder }) =>
      encoder.encodeHead(
        responseHead(101, [
          ['upgrade', 'websocket'],
          ['connection', 'upgrade'],
          ['sec-websocket-accept', 'x'],
        ]),
        false,
      );
    const { encoder, response } = client.request(upgradeRequest());
    exchange(client, server);
    assert.equal(response.head?.status, 101);
    assert.equal(response.head?.get('sec-websocket-accept'), 'x');
    const request = server.requests[0] ?? assert.fail();
    assert.equal(request.head.get('sec-websocket-key'), 'dGhlIHNhbXBsZSBub25jZQ==');
    const talk = (): void => {
      encoder.encodeData(Buffer.from('up'), 0, 2);
      request.encoder.encodeData(Buffer.from('down'), 0, 4);
      exchange(client, server);
    };
    talk();
    if (first === 'client') {
      encoder.encodeEnd(undefined);
      exchange(client, server);
      assert.equal(request.ended, true);
      request.encoder.encodeData(Buffer.from('!'), 0, 1);
      request.encoder.encodeEnd(undefined);
    } else {
      request.encoder.encodeData(Buffer.from('!'), 0, 1);
      request.encoder.encodeEnd(undefined);
      exchange(client, server);
      assert.equal(response.ended, true);
      encoder.encodeEnd(undefined);
    }
    exchange(client, server);
    assert.equal(request.body, 'up');
    assert.equal(response.body, 'down!');
    assert.equal(response.ended, true);
    assert.equal(client.codec.activeStreams, 0);
    assert.equal(server.codec.idle, true);
  }
});

test('the scheme is http unless the request says otherwise', () => {
  const client = new TestClient();
  const server = new TestServer();
  const secure = requestHead('GET', '/');
  secure.targetScheme = 'https';
  client.request(secure);
  client.request(requestHead('OPTIONS', '*'));
  exchange(client, server);
  assert.deepEqual(
    server.requests.map(({ head }) => [head.targetScheme, head.path]),
    [
      ['https', '/'],
      ['http', '*'],
    ],
  );
});
