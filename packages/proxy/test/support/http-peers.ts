import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** Node's own HTTP/1.1 and HTTP/2 as client and origin, behind one interface. */

export type Version = 'http1' | 'http2';

export interface OriginRequest {
  readonly method: string;
  readonly url: string;
  readonly authority: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly trailers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export type AnyRequest = http.IncomingMessage | http2.Http2ServerRequest;

/** What the responses of both have in common. */
export interface AnyResponse {
  setHeader(name: string, value: string | readonly string[]): void;
  writeHead(status: number): void;
  write(bytes: string | Buffer): boolean;
  addTrailers(trailers: Readonly<Record<string, string>>): void;
  end(bytes?: string | Buffer): void;
  on(event: string, listener: () => void): void;
  once(event: string, listener: () => void): void;
}

/** An origin that hands each request to a handler as it comes. */
export class Origin {
  readonly version: Version;
  readonly port: number;
  connections = 0;
  readonly sockets = new Set<Socket>();
  readonly sessions = new Set<http2.ServerHttp2Session>();
  readonly server: http.Server | http2.Http2Server;

  private constructor(version: Version, server: http.Server | http2.Http2Server) {
    this.version = version;
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(
    t: TestContext,
    version: Version,
    handle: (request: AnyRequest, response: AnyResponse, origin: Origin) => void,
    settings: http2.ServerOptions = {},
  ): Promise<Origin> {
    let origin: Origin | undefined;
    const onRequest = (request: AnyRequest, response: http.ServerResponse | http2.Http2ServerResponse): void => {
      request.on('error', () => {});
      const common = response as unknown as AnyResponse;
      common.on('error', () => {});
      handle(request, common, origin as Origin);
    };
    const server = version === 'http1' ? http.createServer(onRequest) : http2.createServer(settings, onRequest);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const started = new Origin(version, server);
    origin = started;
    server.on('connection', (socket: Socket) => {
      started.connections += 1;
      started.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => started.sockets.delete(socket));
    });
    server.on('session', (session: http2.ServerHttp2Session) => {
      started.sessions.add(session);
      session.on('error', () => {});
      session.on('close', () => started.sessions.delete(session));
    });
    t.after(() => started.close());
    return started;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) {
      socket.destroy();
    }
    return new Promise((resolve) => {
      this.server.close(() => resolve());
    });
  }
}

/** Reads a request to its end. */
export async function received(request: AnyRequest): Promise<OriginRequest> {
  const pieces: Buffer[] = [];
  for await (const piece of request) {
    pieces.push(piece as Buffer);
  }
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    authority: String(request.headers[':authority'] ?? request.headers.host ?? ''),
    headers: request.headers,
    trailers: request.trailers,
    body: Buffer.concat(pieces),
  };
}

/** Cuts a response off where it stands: HTTP/1.1 closes the connection, HTTP/2 resets the stream. */
export function cutOff(response: AnyResponse, code: number = http2.constants.NGHTTP2_INTERNAL_ERROR): void {
  if (response instanceof http2.Http2ServerResponse) {
    response.stream.close(code);
  } else if (response instanceof http.ServerResponse) {
    response.socket?.destroy();
  }
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: Buffer;
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly trailers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request under way. */
export interface Exchange {
  readonly answer: Promise<Answered>;
  /** Resolves with the first bytes of the body. */
  readonly firstBytes: Promise<void>;
  /** The client gives up. */
  reset(): void;
}

/** A client with one HTTP/2 connection, or as many of HTTP/1.1 as it needs. */
export class HttpClient {
  readonly version: Version;
  readonly #port: number;
  readonly #agent = new http.Agent({ keepAlive: true });
  #session: http2.ClientHttp2Session | undefined = undefined;

  constructor(t: TestContext, version: Version, port: number) {
    this.version = version;
    this.#port = port;
    t.after(() => this.close());
  }

  get session(): http2.ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = http2.connect(`http://127.0.0.1:${this.#port}`);
      this.#session.on('error', () => {});
    }
    return this.#session;
  }

  ask(asked: Asked = {}): Promise<Answered> {
    return this.begin(asked).answer;
  }

  begin(asked: Asked = {}): Exchange {
    return this.version === 'http1' ? this.#beginHttp1(asked) : this.#beginHttp2(asked);
  }

  #beginHttp1({ method = 'GET', path = '/', headers = {}, body, trailers }: Asked): Exchange {
    const request = http.request({
      port: this.#port,
      host: '127.0.0.1',
      agent: this.#agent,
      method,
      path,
      headers: {
        host: 'a.test',
        ...headers,
        ...(trailers === undefined ? {} : { trailer: Object.keys(trailers).join(', ') }),
      },
    });
    if (trailers !== undefined) {
      request.addTrailers(trailers);
    }
    let sawBytes = (): void => {};
    const firstBytes = new Promise<void>((resolve) => {
      sawBytes = resolve;
    });
    const answer = new Promise<Answered>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => {
          pieces.push(piece);
          sawBytes();
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            trailers: response.trailers,
            body: Buffer.concat(pieces),
          }),
        );
      });
    });
    answer.catch(() => {});
    request.end(body);
    return { answer, firstBytes, reset: () => request.destroy() };
  }

  #beginHttp2({ method = 'GET', path = '/', headers = {}, body, trailers }: Asked): Exchange {
    const stream = this.session.request(
      { ':method': method, ':path': path, ':authority': 'a.test', ...headers },
      { endStream: body === undefined && trailers === undefined, waitForTrailers: trailers !== undefined },
    );
    if (trailers !== undefined) {
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    }
    let sawBytes = (): void => {};
    const firstBytes = new Promise<void>((resolve) => {
      sawBytes = resolve;
    });
    const answer = new Promise<Answered>((resolve, reject) => {
      let head: http2.IncomingHttpHeaders = {};
      let tail: http2.IncomingHttpHeaders = {};
      const pieces: Buffer[] = [];
      stream.on('response', (fields) => {
        head = fields;
      });
      stream.on('trailers', (fields) => {
        tail = fields;
      });
      stream.on('data', (piece: Buffer) => {
        pieces.push(piece);
        sawBytes();
      });
      stream.on('error', reject);
      stream.on('close', () => {
        if (stream.rstCode !== 0) {
          reject(new Error(`reset with ${stream.rstCode}`));
        }
        resolve({ status: Number(head[':status'] ?? 0), headers: head, trailers: tail, body: Buffer.concat(pieces) });
      });
    });
    answer.catch(() => {});
    if (body !== undefined || trailers !== undefined) {
      stream.end(body);
    }
    return { answer, firstBytes, reset: () => stream.close(http2.constants.NGHTTP2_CANCEL) };
  }

  close(): void {
    this.#agent.destroy();
    this.#session?.destroy();
  }
}
