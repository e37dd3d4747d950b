import { OutputBuffer } from '@weft/http-codec';
import type { TlsFacts } from '../stream-info.ts';
import type { Flushable, FlushQueue } from './flush-queue.ts';

/** Who works with a connection's bytes. Nothing is called after `onClose`. */
export interface ConnectionHandler {
  /** Bytes came; they are valid during the call only. */
  onData(bytes: Buffer, start: number, end: number): void;
  /** The peer will send nothing more; writing is still possible. */
  onEnd(): void;
  /** The connection is gone. `error` is undefined after an orderly end. */
  onClose(error: Error | undefined): void;
  /** Output that the peer does not take has passed the limit (false) or has shrunk to half of it (true). */
  onWritable(writable: boolean): void;
}

/** What the connections of one data plane share. */
export interface TransportContext {
  readonly flushQueue: FlushQueue;
  /** Sockets are used through Node's streams alone. */
  readonly portable: boolean;
  /** Gets what a handler throws, with the connection that is closed for it. */
  reportFault(error: unknown, connection: Connection | undefined): void;
}

/** Envoy's `per_connection_buffer_limit_bytes`. */
const defaultBufferLimitBytes: number = 1024 * 1024;

/** Of a connection that nobody works with (any more). */
export const ignoring: ConnectionHandler = { onData() {}, onEnd() {}, onClose() {}, onWritable() {} };

/** A byte stream with a gathered output: TCP, a pipe, or TLS over either. */
export abstract class Connection implements Flushable {
  readonly context: TransportContext;
  /** What is put here is written when the current event has been worked through. */
  readonly output: OutputBuffer;
  handler: ConnectionHandler = ignoring;
  bufferLimitBytes: number = defaultBufferLimitBytes;
  /** Writes wait for the end of the event loop's turn: for connections that carry requests of many others. */
  gathersWrites = false;
  bytesRead = 0;
  bytesWritten = 0;
  readonly remoteAddress: string;
  readonly remoteIp: string;
  readonly localAddress: string;
  readonly localIp: string;
  readonly localPort: number;
  tls: TlsFacts | undefined = undefined;
  /** Where everything that comes goes, by `relay`: it pays to read much at a time. */
  relaysTo: Connection | undefined = undefined;
  protected dirty = false;
  protected blocked = false;
  protected closed = false;

  constructor(context: TransportContext, address: SocketAddresses) {
    this.context = context;
    this.remoteAddress = formatAddress(address.remoteAddress, address.remotePort);
    this.remoteIp = plainIp(address.remoteAddress);
    this.localAddress = formatAddress(address.localAddress, address.localPort);
    this.localIp = plainIp(address.localAddress);
    this.localPort = address.localPort ?? 0;
    this.output = new OutputBuffer(this);
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** The peer takes output; false while more than the limit waits. */
  get writable(): boolean {
    return !this.blocked;
  }

  /** @internal called by the output when it has its first byte. */
  outputReady(): void {
    if (!this.dirty) {
      this.dirty = true;
      if (this.gathersWrites) {
        this.context.flushQueue.addForTurn(this);
      } else {
        this.context.flushQueue.add(this);
      }
    }
  }

  /** Bytes that wait because the peer does not take them. */
  abstract get queuedBytes(): number;

  /**
   * Passes on `bytes[start, end)` that `source` delivers just now. It is the same as appending them to the output, but where the
   * source read them into a buffer of its own they are written from there.
   */
  relay(_source: Connection, bytes: Buffer, start: number, end: number): void {
    this.output.copy(bytes, start, end);
  }

  /** How much `relay` takes without a copy, bytes, if the bytes are only its for the time of the call; 0 = it wants them lent. */
  get relayUnitBytes(): number {
    return 0;
  }

  /**
   * @internal asked by `relay`: gives away the buffer that is delivered just now; whoever gets it releases it (`bulk-buffers.ts`).
   * Otherwise false, and the bytes are valid during the delivery only.
   */
  lend(_bytes: Buffer): boolean {
    return false;
  }

  abstract flush(): void;
  /** Stops reading; what was already read may still come. */
  abstract pause(): void;
  abstract resume(): void;
  /** Writes what is gathered and then tells the peer that nothing follows. Reading goes on. */
  abstract end(): void;
  /** Drops the connection at once; `onClose` follows. */
  abstract destroy(error?: Error): void;
  /** Calls `action` when everything up to `end` has gone to the peer. */
  protected abstract whenFinished(action: () => void): void;

  /** Drops the connection at once, so that the peer sees a reset rather than an end, where the transport can say so. */
  reset(): void {
    this.destroy();
  }

  /**
   * Reads nothing more, lets the peer have what waits for it and then drops the connection; with a reset if nothing waits and `abort`
   * says so. Who calls it guards against a peer that does not take it.
   */
  closeAfterFlush(abort: boolean): void {
    this.flush();
    if (this.queuedBytes === 0 && abort) {
      this.reset();
      return;
    }
    this.pause();
    this.whenFinished(() => this.destroy());
    this.end();
  }

  protected deliverData(bytes: Buffer, start: number, end: number): void {
    const { flushQueue } = this.context;
    this.bytesRead += end - start;
    flushQueue.enter();
    try {
      this.handler.onData(bytes, start, end);
    } catch (error) {
      this.fault(error);
    } finally {
      flushQueue.leave();
    }
  }

  protected deliverEnd(): void {
    const { flushQueue } = this.context;
    flushQueue.enter();
    try {
      this.handler.onEnd();
    } catch (error) {
      this.fault(error);
    } finally {
      flushQueue.leave();
    }
  }

  protected deliverClose(error: Error | undefined): void {
    if (this.closed) {
      return;
    }
    this.closed = true;
    const { flushQueue } = this.context;
    const handler = this.handler;
    this.handler = ignoring;
    this.output.discard();
    flushQueue.enter();
    try {
      handler.onClose(error);
    } catch (thrown) {
      this.context.reportFault(thrown, this);
    } finally {
      flushQueue.leave();
    }
  }

  protected deliverWritable(writable: boolean): void {
    const { flushQueue } = this.context;
    flushQueue.enter();
    try {
      this.handler.onWritable(writable);
    } catch (error) {
      this.fault(error);
    } finally {
      flushQueue.leave();
    }
  }

  /** @internal a defect of ours met on this connection: it is closed, and nothing else is. */
  fault(error: unknown): void {
    try {
      this.context.reportFault(error, this);
    } finally {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** The part of `net.Socket` that addresses are read from. */
export interface SocketAddresses {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** An address as text; an IPv4 address that came by a socket of both families is written as IPv4. Empty for pipes. */
export function plainIp(address: string | undefined): string {
  if (address === undefined) {
    return '';
  }
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** `ip:port`, or `[ip6]:port`; empty for pipes. */
export function formatAddress(address: string | undefined, port: number | undefined): string {
  const ip = plainIp(address);
  if (ip === '') {
    return '';
  }
  return ip.includes(':') ? `[${ip}]:${port ?? 0}` : `${ip}:${port ?? 0}`;
}
