import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer as createNodeServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { HeadFields } from '../src/head-fields.ts';
import type { Http2Settings } from '../src/http2/settings.ts';
import {
  GivenResponse,
  requestHead,
  responseHead,
  type ServedRequest,
  TestClient,
  TestServer,
  taken,
} from './http2-peers.ts';

/** Node's own HTTP/2 as the peer of each of our sides, over real sockets. */

/** Carries what a side puts out after each event, as the proxy does. */
function attach(socket: Socket, side: TestServer | TestClient): () => void {
  const flush = (): void => {
    const bytes = taken(side.out);
    if (bytes.length > 0 && !socket.destroyed) {
      socket.write(bytes);
    }
    if (side.finished && !socket.writableEnded) {
      socket.end();
    }
  };
  socket.on('data', (bytes) => {
    side.receive(bytes);
    flush();
  });
  socket.on('end', () => {
    side.codec.receiveEnd();
    flush();
  });
  socket.on('error', () => {});
  flush();
  return flush;
}

interface OurServer {
  readonly session: ClientHttp2Session;
  readonly server: TestServer;
  readonly flush: () => void;
  close(): Promise<void>;
}

async function ourServer(
  answer: (request: ServedRequest, flush: () => void) => void,
  settings: Partial<Http2Settings> = {},
): Promise<OurServer> {
  const server = new TestServer(settings);
  let flush = (): void => {};
  server.answer = (request) => answer(request, () => flush());
  const listener: Server = createServer((socket) => {
    flush = attach(socket, server);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const session = connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
  await once(session, 'connect');
  return {
    session,
    server,
    flush: () => flush(),
    async close() {
      session.close();
      session.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

interface NodeAnswer {
  readonly headers: IncomingHttpHeaders & { ':status'?: number | undefined };
  readonly informational: number[];
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | undefined;
}

async function answerOf(stream: ClientHttp2Stream): Promise<NodeAnswer> {
  let headers: NodeAnswer['headers'] = {};
  let trailers: IncomingHttpHeaders | undefined;
  const informational: number[] = [];
  const chunks: Buffer[] = [];
  stream.on('headers', (fields) => informational.push(fields[':status'] ?? 0));
  stream.on('response', (fields) => {
    headers = fields;
  });
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'close');
  return { headers, informational, body: Buffer.concat(chunks), trailers };
}

function fieldsOf(...lines: readonly (readonly [string, string])[]): HeadFields {
  const fields = new HeadFields();
  for (const [name, value] of lines) {
    fields.add(name, value);
  }
  return fields;
}

function echo(request: ServedRequest): void {
  const reply = (): void => {
    const body = Buffer.concat(request.chunks);
    request.encoder.encodeInformational(responseHead(103, [['link', '</style.css>; rel=preload']]));
    request.encoder.encodeHead(
      responseHead(200, [
        ['x-method', request.head.method],
        ['x-path', request.head.path],
      ]),
      false,
    );
    request.encoder.encodeData(body, 0, body.length);
    request.encoder.encodeEnd(fieldsOf(['x-length', String(body.length)]));
  };
  if (request.ended) {
    reply();
  } else {
    request.onEnd = reply;
  }
}

for (const [name, settings] of [
  ['default windows', {}],
  ['tiny windows', { initialStreamWindowBytes: 1000, initialConnectionWindowBytes: 70_000 }],
] as const) {
  test(`Node's client, 100 streams with bodies and trailers: ${name}`, async (context) => {
    const us = await ourServer(echo, { ...settings, maxConcurrentStreams: 100 });
    context.after(() => us.close());
    const answers = Array.from({ length: 100 }, async (_, index) => {
      const stream = us.session.request(
        { ':method': 'POST', ':path': `/${index}`, 'x-index': String(index), cookie: ['a=1', 'b=2'] },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': String(index) }));
      const body = Buffer.alloc(index * 1500, String(index));
      const answer = answerOf(stream);
      stream.end(body);
      const { headers, body: given, trailers, informational } = await answer;
      assert.equal(headers[':status'], 200);
      assert.equal(headers['x-path'], `/${index}`);
      assert.deepEqual(informational, [103]);
      assert.ok(given.equals(body), `${given.length} of ${body.length}`);
      assert.equal(trailers?.['x-length'], String(body.length));
    });
    await Promise.all(answers);
    assert.equal(us.server.requests.length, 100);
    for (const request of us.server.requests) {
      const index = request.head.get('x-index');
      assert.equal(request.head.get('cookie'), 'a=1; b=2');
      assert.deepEqual(request.trailers, [`x-end: ${index}`]);
    }
    assert.equal(us.server.codec.idle, true);
    assert.equal(us.server.codec.counters.pendingSendBytes, 0);
  });
}

test("Node's client, a large body in each direction at once", async (context) => {
  const size = 8 * 1024 * 1024;
  const us = await ourServer((request, flush) => {
    request.encoder.encodeHead(responseHead(200, [['content-length', String(size)]]), false);
    const piece = Buffer.alloc(64 * 1024, 'r');
    let sent = 0;
    const more = (): void => {
      while (request.writable && sent < size) {
        request.encoder.encodeData(piece, 0, piece.length);
        sent += piece.length;
      }
      if (sent === size) {
        sent += 1;
        request.encoder.encodeEnd(undefined);
      }
      flush();
    };
    const { onResponseWritable } = request;
    request.onResponseWritable = (writable): void => {
      onResponseWritable.call(request, writable);
      if (writable) {
        setImmediate(more);
      }
    };
    setImmediate(more);
  });
  context.after(() => us.close());
  const stream = us.session.request({ ':method': 'POST', ':path': '/', 'content-length': String(size) });
  const answer = answerOf(stream);
  stream.end(Buffer.alloc(size, 'q'));
  const { body } = await answer;
  assert.equal(body.length, size);
  assert.equal(
    us.server.requests[0]?.chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    size,
  );
});

test("Node's client resets a stream, and we reset one", async (context) => {
  let seen: ServedRequest | undefined;
  const us = await ourServer((request, flush) => {
    if (request.head.path === '/abort') {
      request.encoder.encodeHead(responseHead(200), false);
      request.encoder.abort();
      flush();
    } else {
      seen = request;
      request.encoder.encodeHead(responseHead(200), false);
      flush();
    }
  });
  context.after(() => us.close());
  const aborted = us.session.request({ ':path': '/abort' });
  await assert.rejects(answerOf(aborted), { code: 'ERR_HTTP2_STREAM_ERROR' });
  assert.equal(aborted.rstCode, constants.NGHTTP2_INTERNAL_ERROR);
  const given = us.session.request({ ':path': '/wait' });
  await once(given, 'response');
  given.close(constants.NGHTTP2_CANCEL);
  await once(given, 'close');
  const ping = new Promise((resolve) => us.session.ping(() => resolve(undefined)));
  await ping;
  assert.equal(seen?.resetBy, 'http2.remote_reset');
  assert.equal(us.server.codec.counters.rxReset, 1);
  assert.equal(us.server.codec.idle, true);
});

test("Node's client is told to go away", async (context) => {
  let held: ServedRequest | undefined;
  const us = await ourServer((request) => {
    held = request;
  });
  context.after(() => us.close());
  const stream = us.session.request({ ':path': '/last' });
  const answer = answerOf(stream);
  const goaways: [number, number][] = [];
  us.session.on('goaway', (code, last) => goaways.push([code, last]));
  await new Promise((resolve) => us.session.ping(() => resolve(undefined)));
  us.server.codec.beginDrain();
  us.flush();
  await new Promise((resolve) => us.session.ping(() => resolve(undefined)));
  held?.encoder.encodeHead(responseHead(204), true);
  us.flush();
  const { headers } = await answer;
  assert.equal(headers[':status'], 204);
  if (!us.session.closed && !us.session.destroyed) {
    await once(us.session, 'close');
  }
  assert.deepEqual(goaways[0], [0, 0x7fffffff]);
  assert.equal(us.server.finished, true);
});

// ----------------------------------------------------------------------------------------- our client

interface OurClient {
  readonly client: TestClient;
  readonly flush: () => void;
  readonly ended: Promise<unknown>;
  close(): Promise<void>;
}

async function ourClient(
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  settings: Partial<Http2Settings> = {},
  nodeSettings: Parameters<typeof createNodeServer>[0] = {},
): Promise<OurClient> {
  const node: Http2Server = createNodeServer(nodeSettings);
  node.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    onStream(stream, headers);
  });
  node.listen(0, '127.0.0.1');
  await once(node, 'listening');
  const socket = netConnect((node.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const client = new TestClient({ maxConcurrentStreams: 1000, ...settings });
  const flush = attach(socket, client);
  return {
    client,
    flush,
    ended: once(socket, 'close'),
    async close() {
      socket.destroy();
      node.close();
      await once(node, 'close');
    },
  };
}

/** A response that can be waited for. */
class AwaitedResponse extends GivenResponse {
  readonly done: Promise<this>;
  #resolve: (response: this) => void = () => {};

  constructor() {
    super();
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  override onResponse(...parameters: Parameters<GivenResponse['onResponse']>): void {
    super.onResponse(...parameters);
    if (parameters[1]) {
      this.#resolve(this);
    }
  }

  override onBodyEnd(...parameters: Parameters<GivenResponse['onBodyEnd']>): void {
    super.onBodyEnd(...parameters);
    this.#resolve(this);
  }

  override onResponseError(...parameters: Parameters<GivenResponse['onResponseError']>): void {
    super.onResponseError(...parameters);
    this.#resolve(this);
  }
}

function nodeEcho(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.additionalHeaders({ ':status': 103, link: '</x>' });
  stream.respond(
    { ':status': 200, 'x-path': headers[':path'], 'set-cookie': ['a=1', 'b=2'] },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-done': 'yes' }));
  stream.pipe(stream);
}

for (const [name, settings, nodeSettings] of [
  ['default windows', {}, {}],
  [
    'tiny windows',
    { initialStreamWindowBytes: 700, initialConnectionWindowBytes: 70_000 },
    { settings: { initialWindowSize: 900 } },
  ],
] as const) {
  test(`Node's server, 100 streams with bodies and trailers: ${name}`, async (context) => {
    const us = await ourClient(nodeEcho, settings, nodeSettings);
    context.after(() => us.close());
    const all = Array.from({ length: 100 }, async (_, index) => {
      const response = new AwaitedResponse();
      const encoder = us.client.codec.open(response);
      const body = Buffer.alloc(index * 1500, String(index));
      encoder.encodeRequest(requestHead('POST', `/${index}`, [['cookie', 'a=1; b=2']]), false);
      encoder.encodeData(body, 0, body.length);
      encoder.encodeEnd(fieldsOf(['x-end', '1']));
      us.flush();
      await response.done;
      assert.equal(response.error, undefined);
      assert.equal(response.head?.status, 200);
      assert.equal(response.head?.get('x-path'), `/${index}`);
      assert.equal(response.head?.get('set-cookie'), 'a=1,b=2');
      assert.equal(response.informational.length, 1);
      assert.ok(Buffer.concat(response.chunks).equals(body));
      assert.deepEqual(response.trailers, ['x-done: yes']);
    });
    await Promise.all(all);
    assert.equal(us.client.codec.activeStreams, 0);
  });
}

test("Node's server refuses, resets and goes away", async (context) => {
  const us = await ourClient((stream, headers) => {
    if (headers[':path'] === '/refuse') {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    } else if (headers[':path'] === '/reset') {
      stream.respond({ ':status': 200 });
      stream.write('part');
      setImmediate(() => stream.destroy(new Error('planned')));
    } else {
      stream.respond({ ':status': 204 }, { endStream: true });
      stream.session?.close();
    }
  });
  context.after(() => us.close());
  const send = (path: string): AwaitedResponse => {
    const response = new AwaitedResponse();
    us.client.codec.open(response).encodeRequest(requestHead('GET', path), true);
    us.flush();
    return response;
  };
  const refused = await send('/refuse').done;
  assert.deepEqual([refused.error, refused.fate], ['http2.remote_refuse', 'not-processed']);
  const reset = await send('/reset').done;
  assert.equal(reset.head?.status, 200);
  assert.deepEqual([reset.error, reset.fate], ['http2.remote_reset', 'unknown']);
  const last = await send('/last').done;
  assert.equal(last.head?.status, 204);
  await us.ended;
  assert.equal(us.client.draining, true);
  assert.equal(us.client.finished, true);
  assert.equal(us.client.codec.availableStreams, 0);
});

test("Node's server with extended CONNECT: a tunnel as 101", async (context) => {
  const us = await ourClient(
    (stream, headers) => {
      assert.equal(headers[':method'], 'CONNECT');
      assert.equal(headers[':protocol'], 'websocket');
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    },
    {},
    { settings: { enableConnectProtocol: true } },
  );
  context.after(() => us.close());
  const response = new AwaitedResponse();
  const encoder = us.client.codec.open(response);
  const head = requestHead('GET', '/chat', [
    ['upgrade', 'websocket'],
    ['connection', 'upgrade'],
    ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ]);
  head.upgrade = 'websocket';
  encoder.encodeRequest(head, true);
  us.flush();
  const began = new Promise<void>((resolve) => {
    const { onResponse } = response;
    response.onResponse = (...parameters): void => {
      onResponse.apply(response, parameters);
      resolve();
    };
  });
  await began;
  assert.equal(response.head?.status, 101);
  assert.equal(response.head?.upgrade, 'websocket');
  assert.equal(response.head?.get('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  encoder.encodeData(Buffer.from('ping'), 0, 4);
  encoder.encodeEnd(undefined);
  us.flush();
  await response.done;
  assert.equal(response.body, 'ping');
  assert.equal(us.client.codec.activeStreams, 0);
});

test("Node's client with extended CONNECT: an upgrade of HTTP/1.1", async (context) => {
  const us = await ourServer((request, flush) => {
    assert.equal(request.head.method, 'GET');
    assert.equal(request.head.upgrade, 'websocket');
    assert.equal(request.head.get('upgrade'), 'websocket');
    assert.match(request.head.get('sec-websocket-key') ?? '', /^[A-Za-z0-9+/]{22}==$/);
    assert.equal(request.endedWithHead, true);
    request.encoder.encodeHead(
      responseHead(101, [
        ['upgrade', 'websocket'],
        ['connection', 'upgrade'],
      ]),
      false,
    );
    const { onBodyData } = request;
    request.onBodyData = (bytes, start, end): void => {
      onBodyData.call(request, bytes, start, end);
      request.encoder.encodeData(bytes, start, end);
      flush();
    };
    request.onEnd = () => {
      request.encoder.encodeEnd(undefined);
      flush();
    };
  });
  context.after(() => us.close());
  if (us.session.remoteSettings?.enableConnectProtocol !== true) {
    await once(us.session, 'remoteSettings');
  }
  const stream = us.session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat' });
  const answer = answerOf(stream);
  stream.write('ping');
  stream.end('pong');
  const { headers, body } = await answer;
  assert.equal(headers[':status'], 200);
  assert.equal(headers['upgrade'], undefined);
  assert.equal(body.toString(), 'pingpong');
});
