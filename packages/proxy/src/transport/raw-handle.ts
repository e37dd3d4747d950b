import { Socket } from 'node:net';

/**
 * The one place that knows Node's stream handles. Writing through `net.Socket` costs 2–3 µs a write in stream
 * machinery; a handle's `writeBuffer` costs the system call. When a Node version has another shape of handle, `available` is false
 * and connections write through the socket.
 */

/** A write request of libuv. One whose write did not complete at once must not be used again: the process would end. */
export interface WriteRequest {
  handle?: StreamHandle;
  oncomplete?: (status: number) => void;
  owner?: unknown;
  chunk?: Buffer | undefined;
  chunks?: readonly Buffer[] | undefined;
}

/** The native side of a socket. */
export interface StreamHandle {
  /** @returns 0 or a negative error number. What the kernel does not take at once is queued. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  /** The same for several pieces in one system call. @param allBuffers each piece is bytes. */
  writev(request: WriteRequest, pieces: readonly Uint8Array[], allBuffers: boolean): number;
  /** Whether the socket wants to read; kept by `net`. */
  readonly reading: boolean;
  readStop(): number;
  readStart(): number;
  /** Bytes queued by libuv. */
  readonly writeQueueSize: number;
}

type WriteRequestConstructor = new () => WriteRequest;

const WriteRequestClass = captureWriteRequest();
const { state: streamState, index: lastWriteIndex } = findStreamState();

/** Whether handles can be written to directly. */
const rawHandlesAvailable: boolean = WriteRequestClass !== undefined;

/**
 * Whether the write begun last is still under way, or only told of later. The length of libuv's queue does not say so: what did not go at once
 * may have gone by the time that it is asked, and still the request is in use.
 * @returns undefined when this version of Node does not tell: then no request may be used again.
 */
export function lastWriteWasAsync(): boolean | undefined {
  return streamState === undefined ? undefined : streamState[lastWriteIndex] !== 0;
}

/** A new write request; only when `rawHandlesAvailable`. */
export function createWriteRequest(): WriteRequest {
  if (WriteRequestClass === undefined) {
    throw new TypeError('this version of Node has no write requests that we know');
  }
  return new WriteRequestClass();
}

/** The handle of a connected socket, or undefined if it has not the shape that we know. */
export function handleOf(socket: Socket): StreamHandle | undefined {
  const handle = (socket as unknown as { _handle?: Partial<StreamHandle> | null })._handle;
  return rawHandlesAvailable &&
    typeof handle?.writeBuffer === 'function' &&
    typeof handle.writev === 'function' &&
    typeof handle.writeQueueSize === 'number' &&
    typeof handle.readStop === 'function'
    ? (handle as StreamHandle)
    : undefined;
}

/**
 * Moves the handle of an accepted, paused socket into a new one that reads into a buffer of ours, so that reading allocates
 * nothing.
 * @param nextBuffer is asked at first and after each read; undefined: go on with the same.
 * @returns undefined when that is not possible; then `socket` is still usable.
 */
export function adoptWithBuffer(
  socket: Socket,
  nextBuffer: () => Buffer | undefined,
  callback: (length: number, buffer: Buffer) => void,
): Socket | undefined {
  const internal = socket as unknown as { _handle: unknown; _server: unknown; server: unknown };
  if (handleOf(socket) === undefined || socket.readableLength > 0) {
    return undefined;
  }
  const handle = internal._handle;
  internal._handle = null;
  if (socket.readableEnded) {
    // Who adopts it is to be told of the end as well: it reads again.
    const reader = handle as { readStop(): number; reading: boolean };
    reader.readStop();
    reader.reading = false;
  }
  const adopted = new Socket({
    handle,
    allowHalfOpen: true,
    onread: {
      buffer: nextBuffer,
      callback: (length: number, buffer: Buffer) => {
        callback(length, buffer);
        return true;
      },
    },
  } as object);
  const adoptedInternal = adopted as unknown as { _server: unknown; server: unknown };
  // So that the server's count of connections goes down when this one closes.
  adoptedInternal._server = internal._server;
  adoptedInternal.server = internal.server;
  return adopted;
}

function captureWriteRequest(): WriteRequestConstructor | undefined {
  let captured: WriteRequestConstructor | undefined;
  const handle = {
    reading: false,
    readStart: () => 0,
    readStop: () => 0,
    getAsyncId: () => 0,
    shutdown: () => 0,
    close: (done?: () => void) => done?.(),
    writeBuffer: (request: WriteRequest) => {
      captured = request.constructor as WriteRequestConstructor;
      return 0;
    },
  };
  try {
    const probe = new Socket({ handle, readable: false, writable: true } as object);
    probe.on('error', () => {});
    probe.write(Buffer.from('x'));
    probe.destroy();
  } catch {
    return undefined;
  }
  return captured;
}

/** The numbers that a write leaves behind, as `net` reads them. */
function findStreamState(): { readonly state: Int32Array | undefined; readonly index: number } {
  try {
    const { binding } = process as unknown as { binding?: (name: string) => Record<string, unknown> };
    const { streamBaseState: state, kLastWriteWasAsync: index } = binding?.('stream_wrap') ?? {};
    return state instanceof Int32Array && typeof index === 'number' && index < state.length
      ? { state, index }
      : { state: undefined, index: 0 };
  } catch {
    return { state: undefined, index: 0 };
  }
}
