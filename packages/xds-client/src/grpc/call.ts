import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { frameMessage, MessageReader } from './framing.ts';
import { type GrpcStatus, statusFromHttp, statusFromTrailers } from './status.ts';

export interface GrpcCallHandlers {
  /** The connection is up and what was written is on its way. */
  onStart?(): void;
  onMessage(message: Uint8Array): void;
  /** The server will close the connection soon: a new stream would get a new connection, this one goes on for a while. */
  onGoaway?(): void;
  /** The stream is over; called once, last. */
  onEnd(status: GrpcStatus): void;
}

/** Messages written before the connection is up; a client of ours writes a handful. */
const maxQueuedMessages = 256;

/** One call; written messages wait until {@link start}. */
export class GrpcCall {
  readonly #handlers: GrpcCallHandlers;
  #queue: Uint8Array[] | undefined = [];
  #stream: ClientHttp2Stream | undefined;
  #onEnded: () => void = () => {};
  #ended = false;

  constructor(handlers: GrpcCallHandlers) {
    this.#handlers = handlers;
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(session: ClientHttp2Session, path: string, onEnded: () => void): void {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
    });
    this.#stream = stream;
    this.#onEnded = onEnded;
    let status: GrpcStatus | undefined;
    const reader = new MessageReader();
    stream.on('response', (headers: IncomingHttpHeaders & { ':status'?: number }) => {
      const httpStatus = Number(headers[':status']);
      status = statusFromTrailers(headers) ?? (httpStatus === 200 ? undefined : statusFromHttp(httpStatus));
    });
    stream.on('trailers', (headers) => {
      status ??= statusFromTrailers(headers);
    });
    stream.on('data', (chunk: Buffer) => this.#read(reader, chunk));
    stream.on('error', (error: Error) => {
      status ??= { code: 'UNAVAILABLE', details: error.message };
    });
    // The server has said all; our half is still open, so that nothing is closed by itself.
    stream.on('end', () => this.end(status ?? { code: 'UNAVAILABLE', details: 'the stream ended without a status' }));
    stream.on('close', () =>
      this.end(status ?? { code: 'UNAVAILABLE', details: 'the stream was closed without a status' }),
    );
    for (const message of this.#queue ?? []) {
      stream.write(frameMessage(message));
    }
    this.#queue = undefined;
    this.#handlers.onStart?.();
  }

  write(message: Uint8Array): void {
    if (this.#ended) {
      return;
    }
    if (this.#stream !== undefined) {
      this.#stream.write(frameMessage(message));
    } else if (this.#queue !== undefined && this.#queue.length < maxQueuedMessages) {
      this.#queue.push(message);
    } else {
      this.end({
        code: 'RESOURCE_EXHAUSTED',
        details: `more than ${maxQueuedMessages} messages before the connection`,
      });
    }
  }

  cancel(): void {
    this.#finish();
  }

  goaway(): void {
    if (!this.#ended) {
      this.#handlers.onGoaway?.();
    }
  }

  /** Ends the call if it has not ended yet and tells its owner. */
  end(status: GrpcStatus): void {
    if (!this.#ended) {
      this.#finish();
      this.#handlers.onEnd(status);
    }
  }

  #finish(): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#queue = undefined;
      this.#stream?.close(constants.NGHTTP2_CANCEL);
      this.#onEnded();
    }
  }

  #read(reader: MessageReader, chunk: Buffer): void {
    if (this.#ended) {
      return;
    }
    const messages = reader.push(chunk);
    if (typeof messages === 'string') {
      this.end({ code: 'INTERNAL', details: `a message of the server is ${messages}` });
      return;
    }
    for (const message of messages) {
      if (!this.#ended) {
        this.#handlers.onMessage(message);
      }
    }
  }
}
