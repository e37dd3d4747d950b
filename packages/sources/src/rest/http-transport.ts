import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { type ErrorCode, MeshError } from '@weft/base';
import type { ApiConnection } from './connection.ts';

/** Largest answer to a request that is not a watch. */
const maxResponseBytes = 256 * 1024 * 1024;
const requestTimeoutMs = 30_000;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly contentType?: string;
  readonly body?: unknown;
}

/** HTTPS to one API server, with connections that are kept. */
export class HttpTransport {
  readonly #connection: ApiConnection;
  readonly #agent: Agent;
  readonly #base: string;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
    this.#base = connection.server.replace(/\/+$/, '');
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 64,
      minVersion: 'TLSv1.2',
      // Said outright: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment must not give the credentials away.
      rejectUnauthorized: true,
      ...(connection.caPem === undefined ? {} : { ca: connection.caPem }),
      ...(connection.clientCertificatePem === undefined ? {} : { cert: connection.clientCertificatePem }),
      ...(connection.clientKeyPem === undefined ? {} : { key: connection.clientKeyPem }),
      ...(connection.serverName === undefined ? {} : { servername: connection.serverName }),
    });
  }

  /** @throws MeshError by the status of the answer; `UNAVAILABLE` when there is none. */
  async json<T>(apiRequest: ApiRequest): Promise<T> {
    const response = await this.open(apiRequest, requestTimeoutMs);
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response) {
        size += (chunk as Buffer).length;
        if (size > maxResponseBytes) {
          throw new MeshError('TOO_LARGE', `the answer to ${apiRequest.path} is above ${maxResponseBytes} bytes`);
        }
        chunks.push(chunk as Buffer);
      }
    } catch (error) {
      throw MeshError.from(error, 'UNAVAILABLE');
    }
    const text = Buffer.concat(chunks).toString('utf8');
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) {
      throw errorOfStatus(status, text, apiRequest);
    }
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new MeshError('PROTOCOL_ERROR', `the answer to ${apiRequest.path} is not JSON`, { cause: error });
    }
  }

  /** The answer as a stream, whatever its status. @param timeoutMs of silence; 0: none. */
  open({ method, path, query = {}, contentType, body }: ApiRequest, timeoutMs: number): Promise<IncomingMessage> {
    const url = new URL(this.#base + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== '') {
        url.searchParams.set(name, value);
      }
    }
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const token = this.#connection.token?.();
    return new Promise((resolve, reject) => {
      const outgoing = request(url, {
        method,
        agent: this.#agent,
        timeout: timeoutMs,
        headers: {
          accept: 'application/json',
          'user-agent': 'weft',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(payload === undefined
            ? {}
            : { 'content-type': contentType ?? 'application/json', 'content-length': payload.length }),
        },
      });
      outgoing.once('response', resolve);
      outgoing.once('timeout', () => outgoing.destroy(new MeshError('TIMEOUT', `${method} ${path} was not answered`)));
      outgoing.once('error', (error) =>
        reject(
          error instanceof MeshError
            ? error
            : new MeshError('UNAVAILABLE', `${method} ${url.origin}${path}: ${error.message}`, { cause: error }),
        ),
      );
      outgoing.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  422: 'INVALID',
  429: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'TIMEOUT',
};

/** A Kubernetes `Status` as a MeshError. */
export function errorOfStatus(status: number, text: string, { method, path }: ApiRequest): MeshError {
  let message = `${status}`;
  try {
    const parsed = JSON.parse(text) as { readonly message?: unknown };
    message = typeof parsed.message === 'string' ? parsed.message : message;
  } catch {
    // Not a Status: the code has to do.
  }
  const code = codes[status] ?? (status >= 500 ? 'UNAVAILABLE' : 'PROTOCOL_ERROR');
  return new MeshError(code, `${method} ${path}: ${message}`, { details: { status } });
}
