import type { ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';

export type BytesCall = ServerDuplexStream<Buffer, Buffer>;
export type StatusName = keyof typeof status;

/** Ends a stream with a status other than OK. */
export function endCall(call: BytesCall, code: StatusName, message: string): void {
  if (!call.destroyed && !call.cancelled) {
    call.emit('error', Object.assign(new Error(message), { code: status[code], details: message }));
  }
}

/** What a handler does with a stream; the transport's events are turned into these calls. */
export interface CallHandler {
  /** One message. Throwing means that its bytes are malformed: the stream ends with INVALID_ARGUMENT. */
  onMessage(bytes: Buffer): void;
  /** The stream is over, whoever ended it. Called exactly once. */
  onClosed(): void;
}

/** Feeds `handler` until the stream is over. */
export function serveCall(call: BytesCall, handler: CallHandler): void {
  let open = true;
  const close = (): void => {
    if (open) {
      open = false;
      handler.onClosed();
    }
  };
  call.on('data', (bytes: Buffer) => {
    if (!open) {
      return;
    }
    try {
      handler.onMessage(bytes);
    } catch (error) {
      endCall(call, 'INVALID_ARGUMENT', `the request cannot be decoded: ${String(error)}`);
    }
  });
  call.on('end', () => {
    close();
    call.end();
  });
  call.on('cancelled', close);
  call.on('close', close);
  call.on('error', close);
}
