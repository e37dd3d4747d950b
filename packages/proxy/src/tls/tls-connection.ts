import type { TLSSocket } from 'node:tls';
import { releaseChunk } from '@weft/http-codec';
import type { TlsFacts } from '../stream-info.ts';
import { Connection, type SocketAddresses, type TransportContext } from '../transport/connection.ts';

/** An established TLS session over TCP. */
export class TlsConnection extends Connection {
  readonly #socket: TLSSocket;
  #error: Error | undefined = undefined;
  #ending = false;

  constructor(context: TransportContext, socket: TLSSocket, addresses: SocketAddresses, facts: TlsFacts) {
    super(context, addresses);
    this.#socket = socket;
    this.tls = facts;
    socket.on('data', (bytes: Buffer) => {
      if (!this.closed) {
        this.deliverData(bytes, 0, bytes.length);
      }
    });
    socket.on('end', () => this.deliverEnd());
    // Node only tells of an error of an established session; the socket stays open.
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.deliverClose(this.#error));
    socket.on('drain', () => this.#relieve());
  }

  get queuedBytes(): number {
    return this.output.byteLength + this.#socket.writableLength;
  }

  flush(): void {
    this.dirty = false;
    const socket = this.#socket;
    if (this.closed || socket.destroyed || !socket.writable) {
      this.output.discard();
      return;
    }
    const length = this.output.byteLength;
    if (length === 0) {
      return;
    }
    this.bytesWritten += length;
    const single = this.output.takeSingle();
    if (single !== undefined) {
      this.#write(single, this.output.lastTakenLength);
    } else {
      socket.cork();
      this.output.flush((chunk, size) => this.#write(chunk, size));
      socket.uncork();
    }
    if (!this.blocked && socket.writableLength > this.bufferLimitBytes) {
      this.blocked = true;
      this.deliverWritable(false);
    }
  }

  #write(chunk: Buffer, length: number): void {
    this.#socket.write(length === chunk.length ? chunk : chunk.subarray(0, length), () => {
      releaseChunk(chunk);
      this.#relieve();
    });
  }

  #relieve(): void {
    if (this.blocked && !this.closed && this.#socket.writableLength <= this.bufferLimitBytes / 2) {
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

  protected override whenFinished(action: () => void): void {
    if (this.#socket.writableFinished) {
      action();
    } else {
      this.#socket.once('finish', action);
    }
  }
}
