import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { MeshError } from '@weft/base';
import type { ApiAccess } from './kubeconfig.ts';
import { statusError } from './status-error.ts';

/** One request to the API server. */
export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, beginning with `/`. */
  readonly path: string;
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly accept?: string;
  /** Until the response's head. Default 15,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const maxResponseBytes = 64 * 1024 * 1024;

/** Speaks HTTPS with one API server over kept-alive connections. Errors are MeshErrors; `NOT_RUNNING` when nobody listens. */
export class ApiClient {
  readonly access: ApiAccess;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #base: URL;

  constructor(access: ApiAccess) {
    this.access = access;
    this.#base = new URL(access.server);
    this.#agent =
      this.#base.protocol === 'https:'
        ? new HttpsAgent({
            keepAlive: true,
            maxSockets: 8,
            // Said outright: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment must not give the credentials away.
            rejectUnauthorized: true,
            ...(access.caPem === undefined ? {} : { ca: access.caPem }),
            ...(access.certificatePem === undefined ? {} : { cert: access.certificatePem }),
            ...(access.keyPem === undefined ? {} : { key: access.keyPem }),
          })
        : new HttpAgent({ keepAlive: true, maxSockets: 8 });
  }

  /** The JSON of a 2xx answer. */
  async json<T>(options: ApiRequest): Promise<T> {
    const response = await this.#send(options);
    const text = await readAll(response);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) {
      return parseJson<T>(text, options);
    }
    throw statusError(status, text, `${options.method ?? 'GET'} ${this.access.server}${options.path}`);
  }

  /** The lines of an answer that does not end (watches, event streams), until `signal` aborts or the server closes. */
  async *lines(options: ApiRequest): AsyncGenerator<string> {
    const response = await this.#send(options);
    const status = response.statusCode ?? 0;
    if (status !== 200) {
      throw statusError(
        status,
        await readAll(response),
        `${options.method ?? 'GET'} ${this.access.server}${options.path}`,
      );
    }
    response.setEncoding('utf8');
    let pending = '';
    for await (const chunk of response) {
      pending += chunk;
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      yield* lines;
    }
  }

  /** Closes the kept connections. */
  close(): void {
    this.#agent.destroy();
  }

  #send(options: ApiRequest): Promise<IncomingMessage> {
    const payload =
      options.body === undefined
        ? undefined
        : typeof options.body === 'string'
          ? options.body
          : JSON.stringify(options.body);
    const secure = this.#base.protocol === 'https:';
    const method = options.method ?? 'GET';
    return new Promise((resolve, reject) => {
      const outgoing = (secure ? httpsRequest : httpRequest)(
        {
          agent: this.#agent,
          protocol: this.#base.protocol,
          host: this.#base.hostname.replace(/^\[|\]$/g, ''),
          port: this.#base.port === '' ? (secure ? 443 : 80) : this.#base.port,
          path: options.path,
          method,
          headers: {
            accept: options.accept ?? 'application/json',
            'user-agent': 'weft',
            ...(this.access.token === undefined ? {} : { authorization: `Bearer ${this.access.token}` }),
            ...(payload === undefined
              ? {}
              : {
                  'content-type': options.contentType ?? 'application/json',
                  'content-length': Buffer.byteLength(payload),
                }),
          },
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        },
        (response) => {
          clearTimeout(timer);
          resolve(response);
        },
      );
      const timer = setTimeout(
        () => outgoing.destroy(Object.assign(new Error('the server did not answer in time'), { code: 'ETIMEDOUT' })),
        options.timeoutMs ?? 15_000,
      );
      outgoing.on('error', (error) => {
        clearTimeout(timer);
        reject(connectionError(error, this.access));
      });
      outgoing.end(payload);
    });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += chunk;
    if (text.length > maxResponseBytes) {
      response.destroy();
      throw new MeshError('TOO_LARGE', `the server's answer holds more than ${maxResponseBytes} bytes`);
    }
  }
  return text;
}

function parseJson<T>(text: string, options: ApiRequest): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new MeshError('PROTOCOL_ERROR', `the answer to ${options.path} is not JSON`, { cause: error });
  }
}

const certificateCodes = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|ERR_SSL)/;

function connectionError(error: NodeJS.ErrnoException, access: ApiAccess): MeshError {
  const details = { where: access.server };
  if (error.code === 'ECONNREFUSED') {
    return new MeshError('NOT_RUNNING', `nobody listens at ${access.server}`, {
      cause: error,
      details,
      hint: 'Start the mesh with `npm start` or `weft up`; `weft check` looks for what is wrong.',
    });
  }
  if (error.code !== undefined && certificateCodes.test(error.code)) {
    return new MeshError(
      'CERTIFICATE_INVALID',
      `${access.server} shows a certificate that is not to be trusted: ${error.message}`,
      {
        cause: error,
        details,
        hint: `The kubeconfig ${access.file} may belong to another mesh: each \`weft up\` writes a new one to its state folder.`,
      },
    );
  }
  const known = MeshError.from(error);
  return new MeshError(known.code === 'INTERNAL' ? 'UNAVAILABLE' : known.code, `${access.server}: ${error.message}`, {
    cause: error,
    details,
  });
}
