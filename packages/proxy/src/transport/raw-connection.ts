import { connect, type Socket } from 'node:net';
import { releaseChunk } from '@weft/http-codec';
import type { BindAddress } from '../runtime-config/config.ts';
import { releaseBulkBuffer, takeBulkBuffer } from './bulk-buffers.ts';
import { Connection, type TransportContext } from './connection.ts';
import { runEvent } from './guarded-event.ts';
import {
  adoptWithBuffer,
  createWriteRequest,
  handleOf,
  lastWriteWasAsync,
  type StreamHandle,
  type WriteRequest,
} from './raw-handle.ts';
import { keepSocketAlive, type TcpKeepalive } from './tcp-keepalive.ts';

/** All plain sockets read into one buffer: whoever needs bytes after the event copies them. Those that relay bulk data have their own. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Those whose bytes are encrypted during the delivery share a larger one. */
let encryptBuffer: Buffer | undefined;

/** A read of this size makes a relaying connection one of bulk data, one below the other ends that, bytes. */
const bulkFromBytes: number = 32 * 1024;
const bulkUntilBytes: number = 8 * 1024;

/**
 * What one connection may bring in a row, bytes, while others wait. A larger number costs less CPU a byte; at 512 KiB it is some 8 % more
 * than without an end, and somebody else's round among four bulk transfers takes a fifth of the time.
 */
const maxBurstBytes: number = 512 * 1024;

/** What is gathered at most before it is written, bytes. */
const maxGatheredBytes: number = 256 * 1024;

/** Pieces that are gathered, bytes: a record of TLS. */
const gatherFromBytes: number = 16 * 1024;

/** The request for the next write; used again as long as writes complete at once. */
let spareRequest: WriteRequest | undefined;

/** A plain TCP connection or pipe. */
export class RawConnection extends Connection {
  readonly #socket: Socket;
  #handle: StreamHandle | undefined;
  #error: Error | undefined = undefined;
  /** Writes that libuv has not finished. */
  #writing = 0;
  #ending = false;
  /** What the socket reads into, if it is not the shared buffer. */
  #own: Buffer | undefined = undefined;
  /** Read since the buffer was last not filled, or others had their turn. */
  #burstBytes = 0;
  /** After how much others have their turn, bytes: what is encrypted is written once in a turn. */
  #burstLimitBytes: number = maxBurstBytes;
  /** What it is to read into from now on; undefined: as before. */
  #next: Buffer | undefined = undefined;

  constructor(context: TransportContext, socket: Socket) {
    super(context, socket);
    this.#socket = socket;
    this.#handle = context.portable ? undefined : handleOf(socket);
    socket.on('end', () => this.deliverEnd());
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => {
      this.#handle = undefined;
      this.#releaseOwn();
      this.deliverClose(this.#error);
    });
  }

  /** @internal what the socket read into the shared buffer or its own. */
  received(bytes: Buffer, length: number): void {
    if (this.closed) {
      return;
    }
    this.deliverData(bytes, 0, length);
    if (length === bytes.length) {
      this.#yieldAfter(length);
    } else {
      this.#burstBytes = 0;
    }
    const target = this.relaysTo;
    if (target !== undefined && !this.closed) {
      this.#chooseBuffer(bytes, length, target.relayUnitBytes);
    }
  }

  /** The buffer was filled, so libuv reads on at once, up to 32 times: after some of it others have their turn. */
  #yieldAfter(length: number): void {
    this.#burstBytes += length;
    const handle = this.#handle;
    if (
      this.#burstBytes >= this.#burstLimitBytes &&
      handle !== undefined &&
      handle.reading &&
      !this.#socket.destroyed
    ) {
      this.#burstBytes = 0;
      handle.readStop();
      setImmediate(readOn, handle);
    }
  }

  #chooseBuffer(bytes: Buffer, length: number, unitBytes: number): void {
    if (length >= bulkFromBytes && bytes === readBuffer) {
      if (unitBytes > 0) {
        encryptBuffer ??= Buffer.allocUnsafeSlow(unitBytes);
        this.#next = encryptBuffer;
        this.#burstLimitBytes = unitBytes;
      } else {
        this.#own = takeBulkBuffer();
        this.#next = this.#own;
      }
    } else if (length < bulkUntilBytes && bytes !== readBuffer) {
      this.#releaseOwn();
      this.#next = readBuffer;
    }
  }

  #releaseOwn(): void {
    if (this.#own !== undefined) {
      releaseBulkBuffer(this.#own);
      this.#own = undefined;
    }
  }

  /** @internal the buffer for the next read; undefined: the same as before. */
  nextBuffer(): Buffer | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  override lend(bytes: Buffer): boolean {
    if (bytes !== this.#own) {
      return false;
    }
    this.#own = takeBulkBuffer();
    this.#next = this.#own ?? readBuffer;
    return true;
  }

  override relay(source: Connection, bytes: Buffer, start: number, end: number): void {
    const handle = this.#handle;
    if (
      handle === undefined ||
      start !== 0 ||
      this.output.byteLength > 0 ||
      this.#error !== undefined ||
      this.#ending ||
      this.#socket.destroyed ||
      !source.lend(bytes)
    ) {
      this.#gather(bytes, start, end);
      return;
    }
    this.bytesWritten += end;
    this.#write(handle, bytes, end);
  }

  /** A buffer that was filled is followed by more at once: that is written together, at the end of the turn at the latest. */
  #gather(bytes: Buffer, start: number, end: number): void {
    const { output } = this;
    const { flushQueue } = this.context;
    const length = end - start;
    if (length !== bytes.length || length < gatherFromBytes || output.byteLength + length > maxGatheredBytes) {
      flushQueue.add(this);
    } else if (!this.dirty) {
      flushQueue.addForTurn(this);
    }
    this.dirty = true;
    output.copy(bytes, start, end);
  }

  get queuedBytes(): number {
    return this.output.byteLength + (this.#handle?.writeQueueSize ?? this.#socket.writableLength);
  }

  flush(): void {
    this.dirty = false;
    if (this.closed || this.#socket.destroyed) {
      this.output.discard();
      return;
    }
    const length = this.output.byteLength;
    if (length === 0) {
      return;
    }
    this.bytesWritten += length;
    const handle = this.#handle;
    if (handle === undefined) {
      this.output.flush((chunk, size) => this.#writeThroughSocket(chunk, size));
      this.#checkPressure(this.#socket.writableLength);
      return;
    }
    const single = this.output.takeSingle();
    if (single !== undefined) {
      this.#write(handle, single, this.output.lastTakenLength);
    } else {
      this.#writeAll(handle);
    }
  }

  #write(handle: StreamHandle, chunk: Buffer, length: number): void {
    if (this.#error !== undefined) {
      releaseWritten(chunk);
      return;
    }
    const request = takeRequest();
    // A plain view is made in a third of the time that `Buffer.subarray` takes.
    const view = new Uint8Array(chunk.buffer, chunk.byteOffset, length);
    if (this.#isUnderWay(handle, request, handle.writeBuffer(request, view))) {
      request.chunk = chunk;
      this.#checkPressure(handle.writeQueueSize);
    } else {
      releaseWritten(chunk);
    }
  }

  /** All chunks of the output in one system call. */
  #writeAll(handle: StreamHandle): void {
    const chunks: Buffer[] = [];
    const views: Uint8Array[] = [];
    this.output.flush((chunk, length) => {
      chunks.push(chunk);
      views.push(new Uint8Array(chunk.buffer, chunk.byteOffset, length));
    });
    if (this.#error !== undefined) {
      chunks.forEach(releaseWritten);
      return;
    }
    const request = takeRequest();
    if (this.#isUnderWay(handle, request, handle.writev(request, views, true))) {
      request.chunks = chunks;
      this.#checkPressure(handle.writeQueueSize);
    } else {
      chunks.forEach(releaseWritten);
    }
  }

  /** Looks at what became of a write that was begun just now. @returns false when it has ended, well or badly. */
  #isUnderWay(handle: StreamHandle, request: WriteRequest, status: number): boolean {
    if (status !== 0) {
      this.#fail(status);
      return false;
    }
    const isAsync = lastWriteWasAsync();
    if (isAsync === false || (isAsync === undefined && handle.writeQueueSize === 0)) {
      spareRequest = isAsync === false ? request : undefined;
      return false;
    }
    request.handle = handle;
    request.owner = this;
    request.oncomplete = completeWrite;
    this.#writing += 1;
    return true;
  }

  #writeThroughSocket(chunk: Buffer, length: number): void {
    this.#socket.write(chunk.subarray(0, length), () => {
      releaseWritten(chunk);
      this.#relieve(this.#socket.writableLength);
    });
  }

  #fail(status: number): void {
    this.#error = Object.assign(new Error(`write failed: ${status}`), { code: status === -32 ? 'EPIPE' : 'EWRITE' });
    this.#socket.destroy();
  }

  /** @internal libuv finished a write that had to wait. */
  writeCompleted(status: number): void {
    this.#writing -= 1;
    if (this.closed) {
      return;
    }
    if (status < 0) {
      if (this.#error === undefined && !this.#socket.destroyed) {
        this.#fail(status);
      }
      return;
    }
    this.#relieve(this.#handle?.writeQueueSize ?? 0);
  }

  #checkPressure(queued: number): void {
    if (!this.blocked && queued > this.bufferLimitBytes) {
      this.blocked = true;
      this.deliverWritable(false);
    }
  }

  #relieve(queued: number): void {
    if (this.blocked && queued <= this.bufferLimitBytes / 2) {
      this.blocked = false;
      this.deliverWritable(true);
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#ending || this.closed) {
      return;
    }
    this.#ending = true;
    this.flush();
    this.#socket.end();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
  }

  override reset(): void {
    if (this.localPort === 0) {
      // A pipe has no reset.
      this.#socket.destroy();
    } else {
      this.#socket.resetAndDestroy();
    }
  }

  protected override whenFinished(action: () => void): void {
    if (this.#socket.writableFinished) {
      action();
    } else {
      this.#socket.once('finish', action);
    }
  }
}

/** Reading goes on after a turn of the others, unless it was paused meanwhile. */
function readOn(handle: StreamHandle): void {
  if (handle.reading) {
    handle.readStart();
  }
}

function takeRequest(): WriteRequest {
  const request = spareRequest ?? createWriteRequest();
  spareRequest = undefined;
  return request;
}

function completeWrite(this: WriteRequest, status: number): void {
  const connection = this.owner as RawConnection;
  const { chunk, chunks } = this;
  this.owner = undefined;
  this.chunks = undefined;
  this.chunk = undefined;
  if (chunk !== undefined) {
    releaseWritten(chunk);
  }
  chunks?.forEach(releaseWritten);
  connection.writeCompleted(status);
}

function releaseWritten(chunk: Buffer): void {
  if (!releaseBulkBuffer(chunk)) {
    releaseChunk(chunk);
  }
}

/** Takes over a socket that a server accepted with `pauseOnConnect`; reading begins with `resume`. */
export function acceptRaw(context: TransportContext, accepted: Socket): RawConnection {
  let connection: RawConnection | undefined;
  const adopted = context.portable
    ? undefined
    : adoptWithBuffer(
        accepted,
        () => (connection === undefined ? readBuffer : connection.nextBuffer()),
        (length, buffer) => connection?.received(buffer, length),
      );
  const socket = adopted ?? accepted;
  connection = new RawConnection(context, socket);
  if (adopted === undefined) {
    socket.on('data', (bytes: Buffer) => connection?.received(bytes, bytes.length));
    socket.pause();
  }
  return connection;
}

/** The outcome of `connectRaw`. Exactly one of the two is called, once. */
export interface ConnectCallbacks {
  onConnected(connection: Connection): void;
  onFailed(error: Error): void;
}

/** An attempt to connect that can be given up. */
export interface PendingConnection {
  /** After it no callback is called. */
  abandon(): void;
}

/** Connects to an address; the connection is reading. */
export function connectRaw(
  context: TransportContext,
  address: BindAddress,
  keepalive: TcpKeepalive | undefined,
  callbacks: ConnectCallbacks,
): PendingConnection {
  let connection: RawConnection | undefined;
  const onread = {
    buffer: () => (connection === undefined ? readBuffer : connection.nextBuffer()) as Buffer,
    callback: (length: number, buffer: Uint8Array) => {
      connection?.received(buffer as Buffer, length);
      return true;
    },
  };
  const socket =
    address.kind === 'pipe'
      ? connect({ path: address.path, allowHalfOpen: true, onread })
      : connect({
          host: address.address,
          port: address.port,
          allowHalfOpen: true,
          noDelay: true,
          onread,
        });
  let settled = false;
  const onError = (error: Error): void => {
    if (!settled) {
      settled = true;
      socket.destroy();
      callbacks.onFailed(error);
    }
  };
  socket.on('error', onError);
  socket.once('connect', () => {
    if (settled) {
      return;
    }
    settled = true;
    socket.off('error', onError);
    if (keepalive !== undefined) {
      keepSocketAlive(socket, keepalive);
    }
    const connected = new RawConnection(context, socket);
    connection = connected;
    runEvent(context, connected, () => callbacks.onConnected(connected));
  });
  return {
    abandon: () => {
      settled = true;
      socket.on('error', () => {});
      socket.destroy();
    },
  };
}
