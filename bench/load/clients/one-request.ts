/** One request after another on one connection, by HTTP/1.1 or HTTP/2, with as little in between as can be. */
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';

/** A connection that carries one request at a time (HTTP/1.1) or many (HTTP/2). */
export interface RequestConnection {
  /** Resolves when the whole answer is there. @throws Error when its status is not 200, or for gRPC its `grpc-status` not 0. */
  request(): Promise<void>;
  close(): void;
}

const http1Request = Buffer.from(
  'GET /catalog/items?page=2 HTTP/1.1\r\nhost: bench\r\nuser-agent: weft-bench\r\naccept: */*\r\n\r\n',
);

/** @throws Error when the connection cannot be made. */
export function connectHttp1(port: number): Promise<RequestConnection> {
  return new Promise((resolve, reject) => {
    let waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
    let received = '';
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true }, () =>
      resolve({
        request: () =>
          new Promise((done, failed) => {
            waiting = { resolve: done, reject: failed };
            received = '';
            socket.write(http1Request);
          }),
        close: () => socket.destroy(),
      }),
    );
    const fail = (error: Error): void => {
      waiting?.reject(error);
      reject(error);
    };
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the connection was closed')));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const headEnd = received.indexOf('\r\n\r\n');
      const length = /\r\ncontent-length: *(\d+)/i.exec(received);
      if (headEnd === -1 || received.length < headEnd + 4 + Number(length?.[1] ?? 0)) {
        return;
      }
      if (received.startsWith('HTTP/1.1 200 ') && length !== null) {
        waiting?.resolve();
      } else {
        waiting?.reject(new Error(`not the answer that was expected: ${received.slice(0, 100)}`));
      }
    });
  });
}

/** @param grpc where and what to send as a unary call; absent for GET. */
export function connectHttp2Client(
  port: number,
  grpc?: { readonly path: string; readonly message: Buffer },
): Promise<RequestConnection> {
  return new Promise((resolve, reject) => {
    const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${port}`);
    session.once('error', reject);
    session.once('connect', () =>
      resolve({
        request: () => http2Request(session, grpc),
        close: () => session.destroy(),
      }),
    );
  });
}

function http2Request(
  session: ClientHttp2Session,
  grpc: { readonly path: string; readonly message: Buffer } | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream =
      grpc === undefined
        ? session.request({ ':path': '/catalog/items?page=2', 'user-agent': 'weft-bench' })
        : session.request({
            ':method': 'POST',
            ':path': grpc.path,
            'content-type': 'application/grpc',
            te: 'trailers',
            'user-agent': 'weft-bench',
          });
    let status: unknown;
    let grpcStatus: unknown;
    let length = 0;
    stream.on('response', (headers) => {
      status = headers[constants.HTTP2_HEADER_STATUS];
      grpcStatus = headers['grpc-status'];
    });
    stream.on('trailers', (headers) => {
      grpcStatus = headers['grpc-status'];
    });
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    stream.on('error', reject);
    stream.on('close', () => {
      const good = status === 200 && length > 0 && (grpc === undefined || Number(grpcStatus ?? -1) === 0);
      if (good) {
        resolve();
      } else {
        reject(new Error(`status ${String(status)}, grpc-status ${String(grpcStatus)}, ${length} bytes`));
      }
    });
    stream.end(grpc?.message);
  });
}
