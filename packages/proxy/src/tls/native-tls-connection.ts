import { releaseChunk } from '@weft/http-codec';
import type { TlsFacts } from '../stream-info.ts';
import { Connection, type SocketAddresses, type TransportContext } from '../transport/connection.ts';
import {
  endOfStream,
  type LowerHandle,
  type NativeTls,
  type StreamRequest,
  systemError,
  type TlsHandle,
  type TlsHandleOwner,
  tlsReadBuffer,
} from './native-tls.ts';

/** Who gets the sessions that the peer of a client hands out for later. */
export interface SessionSink {
  keep(session: Buffer): void;
}

/** What is largest in one write, bytes: eight records, as OpenSSL's output is handed to the kernel ten buffers at a time. */
const maxWriteBytes: number = 128 * 1024;

/** An established TLS session without Node's streams. */
export class NativeTlsConnection extends Connection implements TlsHandleOwner {
  readonly #native: NativeTls;
  readonly #tls: TlsHandle;
  readonly #lower: LowerHandle;
  readonly #sessions: SessionSink | undefined;
  #error: Error | undefined = undefined;
  /** Bytes of the write under way; the next waits for its end. 0 = none. */
  #writing = 0;
  /** Chunks that were taken from the output before their turn. */
  #waiting: { readonly chunk: Buffer; readonly length: number }[] | undefined = undefined;
  #waitingBytes = 0;
  #reading: boolean;
  #readEnded = false;
  #ending = false;
  #shutdownBegun = false;
  #writeEnded = false;
  #closing = false;
  #onFinished: (() => void) | undefined = undefined;

  constructor(
    context: TransportContext,
    native: NativeTls,
    tls: TlsHandle,
    lower: LowerHandle,
    addresses: SocketAddresses,
    facts: TlsFacts,
    sessions: SessionSink | undefined,
    reading: boolean,
  ) {
    super(context, addresses);
    this.#native = native;
    this.#tls = tls;
    this.#lower = lower;
    this.#sessions = sessions;
    this.#reading = reading;
    this.tls = facts;
    lower.user = this;
    tls.user = this;
  }

  get queuedBytes(): number {
    return this.output.byteLength + this.#waitingBytes + this.#writing;
  }

  /** @internal */
  onRead(length: number): void {
    if (this.#closing) {
      return;
    }
    if (length > 0) {
      this.deliverData(tlsReadBuffer, 0, length);
    } else if (length === endOfStream) {
      this.#endReading();
    } else if (length < 0) {
      this.destroy(systemError(length, 'read'));
    }
  }

  /** A peer says that it ends (close_notify), and then the end of the stream follows. */
  #endReading(): void {
    if (this.#readEnded) {
      return;
    }
    this.#readEnded = true;
    this.#reading = false;
    this.#tls.readStop();
    this.deliverEnd();
    this.#closeWhenEnded();
  }

  /** @internal */
  onError(error: Error): void {
    this.destroy(error);
  }

  /** @internal TLS 1.2: keys are not negotiated again. */
  onHandshakeStart(): void {
    this.destroy(Object.assign(new Error('TLS renegotiation is refused'), { code: 'ERR_TLS_RENEGOTIATION_DISABLED' }));
  }

  /** @internal */
  onHandshakeDone(): void {}

  /** @internal */
  onSession(session: Buffer): void {
    this.#sessions?.keep(session);
  }

  flush(): void {
    this.dirty = false;
    if (this.closed || this.#closing) {
      this.output.discard();
      return;
    }
    if (this.#writing === 0) {
      this.#writeNext();
    }
    if (!this.blocked && this.queuedBytes > this.bufferLimitBytes) {
      this.blocked = true;
      this.deliverWritable(false);
    }
  }

  #writeNext(): void {
    const { output } = this;
    const waiting = this.#waiting?.shift();
    if (waiting !== undefined) {
      this.#waitingBytes -= waiting.length;
      this.#write(waiting.chunk, 0, waiting.length);
      releaseChunk(waiting.chunk);
      return;
    }
    this.#waiting = undefined;
    if (output.byteLength === 0) {
      return;
    }
    const single = output.takeSingle();
    if (single !== undefined) {
      this.#write(single, 0, output.lastTakenLength);
      releaseChunk(single);
      return;
    }
    const chunks: { readonly chunk: Buffer; readonly length: number }[] = [];
    output.flush((chunk, length) => {
      chunks.push({ chunk, length });
      this.#waitingBytes += length;
    });
    this.#waiting = chunks;
    this.#writeNext();
  }

  /** The bytes are encrypted or copied when this returns. */
  #write(bytes: Uint8Array, start: number, end: number): void {
    const request = this.#native.createWrite();
    request.owner = this;
    request.oncomplete = completeWrite;
    this.#writing = end - start;
    this.bytesWritten += end - start;
    const status = this.#tls.writeBuffer(request, new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start));
    if (status !== 0) {
      this.#writing = 0;
      this.#failed(status, 'write', request);
    }
  }

  override get relayUnitBytes(): number {
    return maxWriteBytes;
  }

  override relay(_source: Connection, bytes: Buffer, start: number, end: number): void {
    // What is encrypted at once need not be copied.
    if (
      this.#writing === 0 &&
      this.#waiting === undefined &&
      this.output.byteLength === 0 &&
      end - start <= maxWriteBytes &&
      !this.#ending &&
      !this.#closing
    ) {
      this.#write(bytes, start, end);
    } else {
      this.output.copy(bytes, start, end);
    }
  }

  /** @internal the kernel has what was written. */
  writeCompleted(status: number, request: StreamRequest): void {
    this.#writing = 0;
    if (this.#closing) {
      return;
    }
    if (status < 0) {
      this.#failed(status, 'write', request);
      return;
    }
    this.#writeNext();
    if (this.#writing === 0 && this.#ending) {
      this.#shutDown();
    }
    if (this.blocked && this.queuedBytes <= this.bufferLimitBytes / 2) {
      this.blocked = false;
      this.deliverWritable(true);
    }
  }

  pause(): void {
    if (this.#reading && !this.#closing) {
      this.#reading = false;
      this.#tls.readStop();
    }
  }

  resume(): void {
    if (this.#reading || this.#readEnded || this.#closing) {
      return;
    }
    this.#reading = true;
    const status = this.#tls.readStart();
    if (status !== 0) {
      this.destroy(systemError(status, 'read'));
    }
  }

  end(): void {
    if (this.#ending || this.closed || this.#closing) {
      return;
    }
    this.flush();
    this.#ending = true;
    if (this.#writing === 0) {
      this.#shutDown();
    }
  }

  #shutDown(): void {
    if (this.#shutdownBegun || this.#closing) {
      return;
    }
    this.#shutdownBegun = true;
    const request = this.#native.createShutdown();
    request.owner = this;
    request.oncomplete = completeShutdown;
    const status = this.#tls.shutdown(request);
    if (status === 1) {
      this.shutdownCompleted(0);
    } else if (status !== 0) {
      this.shutdownCompleted(status);
    }
  }

  /** @internal */
  shutdownCompleted(status: number): void {
    if (this.#closing) {
      return;
    }
    if (status < 0 && systemError(status, 'shutdown').code !== 'ENOTCONN') {
      this.destroy(systemError(status, 'shutdown'));
      return;
    }
    this.#writeEnded = true;
    const action = this.#onFinished;
    this.#onFinished = undefined;
    action?.();
    this.#closeWhenEnded();
  }

  #closeWhenEnded(): void {
    if (this.#readEnded && this.#writeEnded) {
      this.destroy();
    }
  }

  protected override whenFinished(action: () => void): void {
    if (this.#writeEnded) {
      action();
    } else {
      this.#onFinished = action;
    }
  }

  #failed(status: number, operation: string, request: StreamRequest): void {
    const error = systemError(status, operation);
    if (request.error !== undefined) {
      error.message = request.error;
    }
    this.destroy(error);
  }

  destroy(error?: Error): void {
    if (!this.#closing) {
      this.#giveUp(error);
      this.#lower.close(onLowerClosed);
    }
  }

  override reset(): void {
    if (this.#closing) {
      return;
    }
    this.#giveUp(undefined);
    if (this.#lower.reset === undefined || this.#lower.reset(onLowerClosed) !== 0) {
      this.#lower.close(onLowerClosed);
    }
  }

  #giveUp(error: Error | undefined): void {
    this.#closing = true;
    this.#error = error;
    this.output.discard();
    for (const { chunk } of this.#waiting ?? []) {
      releaseChunk(chunk);
    }
    this.#waiting = undefined;
    this.#waitingBytes = 0;
  }

  /** @internal */
  lowerClosed(): void {
    this.#tls.destroySSL();
    this.deliverClose(this.#error);
  }
}

function completeWrite(this: StreamRequest, status: number): void {
  const connection = this.owner as NativeTlsConnection;
  this.owner = undefined;
  connection.writeCompleted(status, this);
}

function completeShutdown(this: StreamRequest, status: number): void {
  const connection = this.owner as NativeTlsConnection;
  this.owner = undefined;
  connection.shutdownCompleted(status);
}

function onLowerClosed(this: LowerHandle): void {
  const connection = this.user as NativeTlsConnection;
  this.user = undefined;
  connection.lowerClosed();
}
