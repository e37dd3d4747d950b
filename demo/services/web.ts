import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import process from 'node:process';

/** A bookshop service answers one request with this. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a string as HTML. */
  readonly body: unknown;
}

/** One request as the handlers see it. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const maxBodyBytes = 64 * 1024;
const callTimeoutMs = 3_000;

/** Headers that a service passes on to the services it calls: who the reader is, and what ties the calls together. */
const forwarded = ['x-reader', 'x-request-id', 'traceparent', 'tracestate'] as const;

/** Serves HTTP on `PORT` (loopback) until SIGTERM or SIGINT, then finishes what is in flight and exits. */
export function serve(name: string, handle: (call: Call) => Promise<Reply> | Reply): void {
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    answer(incoming, response, handle).catch((error: unknown) => {
      process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
      send(response, { status: 500, body: { error: 'internal error' } });
    });
  });
  server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(
      `${name} listens on port ${typeof address === 'object' ? address?.port : address} (process ${process.pid})\n`,
    );
  });
  stopOnSignal(() => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

/** Runs `stop` once when the process is told to end; gives up waiting after five seconds. */
export function stopOnSignal(stop: () => void): void {
  let stopping = false;
  const once = (): void => {
    if (!stopping) {
      stopping = true;
      setTimeout(() => process.exit(0), 5_000).unref();
      stop();
    }
  };
  process.on('SIGTERM', once);
  process.on('SIGINT', once);
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  handle: (call: Call) => Promise<Reply> | Reply,
): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://shop');
  let body = '';
  for await (const chunk of incoming) {
    body += chunk;
    if (body.length > maxBodyBytes) {
      send(response, { status: 413, body: { error: `a request holds at most ${maxBodyBytes} bytes` } });
      return;
    }
  }
  send(
    response,
    await handle({
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body,
    }),
  );
}

function send(response: ServerResponse, reply: Reply): void {
  const html = typeof reply.body === 'string';
  const text = html ? (reply.body as string) : `${JSON.stringify(reply.body)}\n`;
  response.writeHead(reply.status ?? 200, {
    'content-type': html ? 'text/html; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(text),
    ...reply.headers,
  });
  response.end(text);
}

/** What a called service said; `undefined` body when it could not be reached or did not answer with JSON. */
export interface Answer<T> {
  readonly status: number;
  readonly body: T | undefined;
}

/** Those of `headers` that go along with every call that a request leads to. */
export function forwardedHeaders(headers: IncomingMessage['headers'] | undefined): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of forwarded) {
    const value = headers?.[name];
    if (typeof value === 'string') {
      kept[name] = value;
    }
  }
  return kept;
}

/** Calls another service by its name and reads its JSON. Never throws: a failure is status 0 or the error's status. */
export function call<T>(
  method: 'GET' | 'POST',
  url: string,
  options: { readonly headers?: IncomingMessage['headers']; readonly json?: unknown } = {},
): Promise<Answer<T>> {
  const headers: Record<string, string> = { accept: 'application/json', ...forwardedHeaders(options.headers) };
  const payload = options.json === undefined ? undefined : JSON.stringify(options.json);
  if (payload !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(Buffer.byteLength(payload));
  }
  return new Promise((resolve) => {
    const outgoing = request(url, { method, headers, timeout: callTimeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', () => resolve({ status: 0, body: undefined }));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parse<T>(text) }));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', () => resolve({ status: 0, body: undefined }));
    outgoing.end(payload);
  });
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
