import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttp2Server, type Http2ServerRequest } from 'node:http2';
import { type Duplex, Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * An application of HTTP/1.1 or of HTTP/2 (cleartext, prior knowledge), with the same pages on both:
 * `/hello` says what it was asked and in which version; `/echo` sends the body back as it comes; `/bytes/N` is N bytes of
 * the pattern that {@link patternDigest} sums up; `/events?count=N&gapMs=M&first=F` are server-sent events, with a silence of M ms behind the first F;
 * `/wait/ID` is answered when somebody asks for `/release/ID`; `/page` is HTML. A WebSocket gets its messages back.
 */
export interface WebApp {
  /** As the first word of `/hello`. */
  readonly version: 'HTTP/1.1' | 'HTTP/2.0';
  /** Requests so far, by version and method. */
  readonly seen: ReadonlyMap<string, number>;
  /** On loopback. */
  listen(port: number): Promise<void>;
  stop(): void;
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = Writable & {
  writeHead(status: number, fields?: Record<string, string>): unknown;
  readonly closed: boolean;
};

const blockBytes = 65_521;
/** Of a length that no buffer or frame has, so that a piece in the wrong place is seen. */
const block = Buffer.from(Array.from({ length: blockBytes }, (_, index) => (index * 31 + (index >> 8) * 7) & 0xff));

/** What `/bytes/N` sends, piece by piece. */
function* patternBytes(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= blockBytes) {
    yield left < blockBytes ? block.subarray(0, left) : block;
  }
}

/** SHA-256 in hexadecimal of what `/bytes/N` sends. */
export function patternDigest(size: number): string {
  const hash = createHash('sha256');
  for (const piece of patternBytes(size)) {
    hash.update(piece);
  }
  return hash.digest('hex');
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function sendEvents(query: URLSearchParams, lastId: number, response: Response): Promise<void> {
  const count = Number(query.get('count') ?? 5);
  const silenceAfter = Number(query.get('first') ?? 0);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write('retry: 50\n\n');
  for (let id = lastId + 1; id <= lastId + count && !response.closed; id += 1) {
    response.write(`id: ${id}\ndata: event ${id}\n\n`);
    if (id === lastId + silenceAfter) {
      await pause(Number(query.get('gapMs') ?? 0));
    }
  }
  response.end();
}

function serve(waiting: Map<string, () => void>, request: Request, response: Response): void {
  const url = new URL(request.url ?? '/', 'http://app');
  const [, page, argument = ''] = url.pathname.split('/');
  const text = (body: string, type = 'text/plain'): void => {
    response.writeHead(200, { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  // A client that goes away ends whatever was sent to it.
  const quietly = (work: Promise<void>): void => void work.catch(() => response.destroy());
  switch (page) {
    case 'echo':
      response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' });
      quietly(pipeline(request, response));
      return;
    case 'bytes':
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': argument });
      quietly(pipeline(Readable.from(patternBytes(Number(argument))), response));
      return;
    case 'events':
      quietly(sendEvents(url.searchParams, Number(request.headers['last-event-id'] ?? 0), response));
      return;
    case 'wait':
      waiting.set(argument, () => text('released'));
      return;
    case 'release':
      waiting.get(argument)?.();
      text(waiting.delete(argument) ? 'done' : 'nobody waits');
      return;
    case 'page':
      text('<!doctype html><title>Real page</title><h1>Through the mesh</h1>', 'text/html');
      return;
    default:
      text(`HTTP/${request.httpVersion} ${request.method} ${request.url}\n`);
  }
}

const longLength = 126;
const longerLength = 127;

/** One frame of RFC 6455 from a client, unmasked; undefined when it is not all there. */
function readFrame(
  bytes: Buffer,
): { readonly first: number; readonly payload: Buffer; readonly end: number } | undefined {
  let at = 2;
  let length = (bytes[1] ?? 0) & 0x7f;
  if (bytes.length < 14 && bytes.length < 6 + (length < longLength ? length : 8)) {
    return undefined;
  }
  if (length === longLength) {
    length = bytes.readUInt16BE(at);
    at += 2;
  } else if (length === longerLength) {
    length = Number(bytes.readBigUInt64BE(at));
    at += 8;
  }
  const mask = bytes.subarray(at, at + 4);
  const end = at + 4 + length;
  if (bytes.length < end) {
    return undefined;
  }
  const payload = Buffer.from(bytes.subarray(at + 4, end));
  for (let index = 0; index < length; index += 1) {
    payload[index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return { first: bytes[0] ?? 0, payload, end };
}

function frame(first: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(payload.length < longLength ? 2 : payload.length < 65_536 ? 4 : 10);
  head[0] = first;
  if (head.length === 2) {
    head[1] = payload.length;
  } else if (head.length === 4) {
    head[1] = longLength;
    head.writeUInt16BE(payload.length, 2);
  } else {
    head[1] = longerLength;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

const closeOpcode = 8;

/** Every frame comes back with the same opcode; a close frame is the last. */
function echoWebSocket(stream: Duplex, early: Buffer): void {
  let pending = early;
  stream.on('error', () => stream.destroy());
  stream.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let found = readFrame(pending); found !== undefined; found = readFrame(pending)) {
      pending = pending.subarray(found.end);
      stream.write(frame(found.first, found.payload));
      if ((found.first & 0xf) === closeOpcode) {
        stream.end();
        return;
      }
    }
  });
}

const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export function createWebApp(version: WebApp['version']): WebApp {
  const seen = new Map<string, number>();
  const waiting = new Map<string, () => void>();
  const handle = (request: Request, response: Response): void => {
    const key = `HTTP/${request.httpVersion} ${request.method}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    serve(waiting, request, response);
  };
  const open = new Set<{ destroy(): unknown }>();
  const server =
    version === 'HTTP/1.1'
      ? createServer({ keepAliveTimeout: 600_000 }, handle).on('upgrade', (request, socket, head) => {
          const key = `${request.headers['sec-websocket-key']}${webSocketGuid}`;
          const accept = createHash('sha1').update(key).digest('base64');
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
          );
          echoWebSocket(socket, head);
        })
      : createHttp2Server({ settings: { enableConnectProtocol: true } }, handle).on('connect', (_request, response) => {
          response.stream.respond({ ':status': 200 });
          echoWebSocket(response.stream, Buffer.alloc(0));
        });
  server.on('connection', (socket: Duplex) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  return {
    version,
    seen,
    listen: (port) => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
    stop() {
      server.close();
      for (const socket of open) {
        socket.destroy();
      }
    },
  };
}
