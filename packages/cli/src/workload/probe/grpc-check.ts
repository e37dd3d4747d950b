import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { healthCheckPath, healthCheckRequest, saysServing } from '@weft/http-codec';

/** An answer is a few bytes; one that is longer than this is none. */
const maxAnswerBytes = 1024;

export interface GrpcCheck {
  readonly host: string;
  readonly port: number;
  /** Whose health is asked for; empty: that of the whole server. */
  readonly service: string;
}

/** Whether the workload says SERVING when it is asked by `grpc.health.v1.Health/Check`, in plaintext. Never rejects. */
export async function saysServingByGrpc({ host, port, service }: GrpcCheck, signal: AbortSignal): Promise<boolean> {
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const session = connect(`http://${authority}`);
  const abandon = (): void => session.destroy();
  signal.addEventListener('abort', abandon);
  try {
    return await ask(session, service);
  } finally {
    signal.removeEventListener('abort', abandon);
    session.destroy();
  }
}

function ask(session: ClientHttp2Session, service: string): Promise<boolean> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': healthCheckPath,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let isGrpc = false;
    let status: IncomingHttpHeaders[string];
    let body: Buffer = Buffer.alloc(0);
    stream.on('response', (headers) => {
      isGrpc = headers[':status'] === 200 && (headers['content-type'] ?? '').startsWith('application/grpc');
      // A call that fails at once has everything in one block ("Trailers-Only").
      status = headers['grpc-status'];
    });
    stream.on('trailers', (headers) => {
      status = headers['grpc-status'];
    });
    stream.on('data', (chunk: Buffer) => {
      body = Buffer.concat([body, chunk]);
      if (body.length > maxAnswerBytes) {
        resolve(false);
      }
    });
    stream.on('end', () => resolve(isGrpc && status === '0' && saysServing(body)));
    stream.on('error', () => resolve(false));
    stream.on('close', () => resolve(false));
    session.on('error', () => resolve(false));
    session.on('close', () => resolve(false));
    stream.end(healthCheckRequest(service));
  });
}
