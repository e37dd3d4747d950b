import {
  type ClientHttp2Session,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import type { ConnectionOptions } from 'node:tls';
import { type Clock, type ErrorCode, MeshError } from '@weft/base';
import type { HostPort } from '../bootstrap/bootstrap.ts';

/** Largest answer, bytes: a few certificates. */
const MAX_RESPONSE_BYTES = 256 * 1024;

export interface UnaryCall {
  readonly address: HostPort;
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'minVersion'>;
  /** `/package.Service/Method` */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly request: Uint8Array;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** One gRPC call with one message each way, on a connection of its own (the calls are hours apart). */
export function callUnary(call: UnaryCall): Promise<Uint8Array> {
  const { host, port } = call.address;
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    let session: ClientHttp2Session | undefined;
    const timer = call.clock.setTimeout(
      () => finish(new MeshError('TIMEOUT', `no answer from ${authority} in ${call.timeoutMs} ms`)),
      call.timeoutMs,
    );
    let done = false;
    const finish = (result: Uint8Array | MeshError): void => {
      if (done) {
        return;
      }
      done = true;
      timer.cancel();
      session?.destroy();
      if (result instanceof MeshError) {
        reject(result);
      } else {
        resolve(result);
      }
    };
    const unreachable = (error: Error): void =>
      finish(
        new MeshError('UNAVAILABLE', `cannot talk to ${authority}: ${error.message}`, {
          cause: error,
          details: { address: authority },
        }),
      );
    // Said outright: NODE_TLS_REJECT_UNAUTHORIZED=0 of a developer's shell must not give the token away.
    session = connect(`https://${authority}`, { ...call.tls, ALPNProtocols: ['h2'], rejectUnauthorized: true });
    session.on('error', unreachable);
    session.on('close', () => unreachable(new Error('the connection was closed')));
    const stream = session.request({
      ':method': 'POST',
      ':path': call.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${Math.ceil(call.timeoutMs)}m`,
      ...call.headers,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    let head: ResponseHead = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('error', unreachable);
    stream.on('response', (headers) => {
      head = headers;
    });
    stream.on('trailers', (headers) => {
      trailers = headers;
    });
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_RESPONSE_BYTES) {
        stream.close(constants.NGHTTP2_CANCEL);
        finish(new MeshError('TOO_LARGE', `the answer of ${authority} has more than ${MAX_RESPONSE_BYTES} bytes`));
        return;
      }
      chunks.push(chunk);
    });
    stream.on('end', () => finish(messageOf(authority, head, trailers, Buffer.concat(chunks))));
    stream.end(frame(call.request));
  });
}

type ResponseHead = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** gRPC's length-prefixed message: a flag (0: not compressed), the length in four bytes, the message. */
function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(5 + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
}

const codes: Readonly<Record<string, ErrorCode>> = {
  3: 'INVALID',
  4: 'TIMEOUT',
  7: 'FORBIDDEN',
  8: 'TOO_LARGE',
  14: 'UNAVAILABLE',
  16: 'TOKEN_INVALID',
};

function messageOf(
  authority: string,
  head: ResponseHead,
  trailers: IncomingHttpHeaders,
  body: Buffer,
): Uint8Array | MeshError {
  if (head[':status'] !== 200) {
    return new MeshError('PROTOCOL_ERROR', `${authority} answered with the HTTP status ${head[':status'] ?? 'none'}`);
  }
  // A call that fails at once has everything in one block ("Trailers-Only").
  const status = trailers['grpc-status'] ?? head['grpc-status'];
  if (status !== '0') {
    const raw = trailers['grpc-message'] ?? head['grpc-message'];
    const text = typeof raw === 'string' ? decodeMessage(raw) : 'no message';
    const code = typeof status === 'string' ? (codes[status] ?? 'UNAVAILABLE') : 'PROTOCOL_ERROR';
    return new MeshError(code, `${authority} refused: ${text}`, { details: { grpcStatus: String(status) } });
  }
  if (body.length < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.length - 5) {
    return new MeshError('PROTOCOL_ERROR', `${authority} did not answer with one message`);
  }
  return body.subarray(5);
}

/** `grpc-message` is percent-encoded; what is malformed stays as it is. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
