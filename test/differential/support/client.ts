import http from 'node:http';
import http2 from 'node:http2';
import { idField } from './backends.ts';
import type { GeneratedRequest } from './configuration.ts';
import { fieldsOf } from './fields.ts';

export interface Answer {
  /** 0: no answer, the connection was cut; `body` says how. */
  readonly status: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly elapsedMs: number;
}

/** Sends generated requests to one proxy. */
export interface Client {
  send(request: GeneratedRequest, id: string): Promise<Answer>;
  close(): void;
}

/** Time after which a request counts as never answered. */
const limitMs = 20_000;

/** @param agentField is given the id of each request, too. */
export function createClient(version: 'http1' | 'http2', port: number, agentField?: string): Client {
  const client = version === 'http1' ? new Http1Client(port) : new Http2Client(port);
  return agentField === undefined
    ? client
    : {
        send: (request, id) => client.send({ ...request, headers: [...request.headers, [agentField, id]] }, id),
        close: () => client.close(),
      };
}

class Http1Client implements Client {
  readonly #port: number;
  readonly #agent = new http.Agent({ keepAlive: true });

  constructor(port: number) {
    this.#port = port;
  }

  send(generated: GeneratedRequest, id: string): Promise<Answer> {
    const { method, path, host, headers, body } = generated;
    const start = performance.now();
    return new Promise((resolve) => {
      const failed = (error: Error & { readonly code?: string }): void => {
        if (request.reusedSocket && error.code === 'ECONNRESET') {
          // The proxy had closed this connection before it could see the request.
          resolve(this.send(generated, id));
          return;
        }
        resolve({ status: 0, headers: {}, body: error.message, elapsedMs: performance.now() - start });
      };
      const raw = ['host', host, idField, id, ...headers.flat()];
      if (body !== undefined || !['GET', 'HEAD', 'OPTIONS'].includes(method)) {
        // Otherwise Node would send an empty chunked body, which a proxy that answers at once cuts off.
        raw.push('content-length', String(Buffer.byteLength(body ?? '')));
      }
      const request = http.request(
        {
          host: '127.0.0.1',
          port: this.#port,
          agent: this.#agent,
          method,
          path,
          headers: raw,
          setHost: false,
          timeout: limitMs,
        },
        (response) => {
          const pieces: Buffer[] = [];
          response.on('data', (piece: Buffer) => pieces.push(piece));
          response.on('error', failed);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: fieldsOf(response.rawHeaders),
              body: Buffer.concat(pieces).toString('latin1'),
              elapsedMs: performance.now() - start,
            }),
          );
        },
      );
      request.on('timeout', () => request.destroy(new Error('timeout')));
      request.on('error', failed);
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

class Http2Client implements Client {
  readonly #port: number;
  #session: http2.ClientHttp2Session | undefined = undefined;

  constructor(port: number) {
    this.#port = port;
  }

  send({ method, path, host, headers, body }: GeneratedRequest, id: string): Promise<Answer> {
    const start = performance.now();
    const fields: Record<string, string | string[]> = {
      ':method': method,
      ':path': path,
      ':authority': host,
      ':scheme': 'http',
      [idField]: id,
    };
    for (const [name, value] of headers) {
      const before = fields[name.toLowerCase()];
      fields[name.toLowerCase()] =
        before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
    }
    return new Promise((resolve) => {
      let status = 0;
      let answered: Record<string, string[]> = {};
      const pieces: Buffer[] = [];
      const stream = this.#connected().request(fields, { endStream: body === undefined });
      stream.setTimeout(limitMs, () => stream.close(http2.constants.NGHTTP2_CANCEL));
      stream.on('response', (head, _flags, raw: readonly string[]) => {
        status = head[':status'] ?? 0;
        answered = fieldsOf(raw);
        delete answered[':status'];
      });
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('error', () => {});
      stream.on('close', () =>
        resolve({
          status: stream.rstCode === 0 ? status : 0,
          headers: answered,
          body: stream.rstCode === 0 ? Buffer.concat(pieces).toString('latin1') : `reset ${stream.rstCode}`,
          elapsedMs: performance.now() - start,
        }),
      );
      if (body !== undefined) {
        stream.end(body);
      }
    });
  }

  #connected(): http2.ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = http2.connect(`http://127.0.0.1:${this.#port}`);
      this.#session.on('error', () => {});
    }
    return this.#session;
  }

  close(): void {
    this.#session?.destroy();
  }
}
