import type { HeadFields } from '../head-fields.ts';
import { releaseFields, takeFields } from '../trailer-fields.ts';
import type { FrameWriter } from './frame-writer.ts';
import { KeptBytes } from './kept-bytes.ts';

/** Bytes kept for one stream from which on its source is asked to stop, … */
export const keptHighBytes: number = 64 * 1024;
/** … and down to which it is asked to go on. */
export const keptLowBytes: number = 32 * 1024;

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly writer: FrameWriter;
  /** Bytes of a stream are kept (above 0) or are not any more (below 0). */
  countKept(bytes: number): void;
  /** Bytes of DATA that the peer takes on all streams together. */
  sendWindow: number;
  /** The stream has bytes and a window of its own, but the connection's is used up. */
  waitForWindow(stream: Http2Stream): void;
  /** Writes trailers, with END_STREAM. */
  sendTrailers(stream: Http2Stream, trailers: HeadFields): void;
  /** END_STREAM was written. */
  localEnd(stream: Http2Stream): void;
  /** The stream's body is taken again: its window may be opened. */
  grantWindow(stream: Http2Stream): void;
}

/** What a stream of either side is: two windows, two ends, and the bytes that wait for the peer. */
export abstract class Http2Stream<Host extends StreamHost = StreamHost> {
  id = 0;
  readonly host: Host;
  /** Bytes that the peer takes; below 0 after it lowered its initial window (RFC 9113 §6.9.2). */
  sendWindow = 0;
  /** Bytes that the peer may still send. */
  receiveWindow = 0;
  /** Bytes that came and were not granted anew. */
  unacknowledged = 0;
  /** Bytes of the body that are still to come by `content-length`; -1: any. */
  expectedBytes = -1;
  /** The peer's head came, so that DATA may. */
  bodyExpected = false;
  /** The peer's END_STREAM came. */
  remoteEnded = false;
  /** Our END_STREAM was written. */
  localEnded = false;
  /** It is out of the table: nothing may be written, nobody is told anything. */
  closed = false;
  /** It stands in the queue for the connection's window. */
  waiting = false;
  /** Its body is not taken for now: the window stays shut. */
  paused = false;
  #kept: KeptBytes | undefined = undefined;
  #full = false;
  #endAsked = false;
  #trailers: HeadFields | undefined = undefined;

  constructor(host: Host) {
    this.host = host;
  }

  get keptBytes(): number {
    return this.#kept?.length ?? 0;
  }

  /** The source of what we send should stop (false) or may go on (true). */
  protected abstract onWritable(writable: boolean): void;
  /** A piece of the peer's body. */
  abstract onData(bytes: Buffer, start: number, end: number): void;
  /** The peer's side is complete. `trailers` belong to the receiver. */
  abstract onRemoteEnd(trailers: HeadFields | undefined): void;

  /** Sends what the windows allow and keeps the rest. */
  protected send(bytes: Buffer, start: number, end: number): void {
    if (this.closed || this.#endAsked || start >= end) {
      return;
    }
    let from = start;
    if (this.#kept === undefined || this.#kept.length === 0) {
      const { host } = this;
      const room = Math.min(this.sendWindow, host.sendWindow);
      if (room > 0) {
        const count = Math.min(end - start, room);
        from = start + count;
        this.sendWindow -= count;
        host.sendWindow -= count;
        host.writer.data(this.id, bytes, start, from);
        if (from === end) {
          return;
        }
      }
    }
    this.#keep(bytes, from, end);
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#kept ??= new KeptBytes();
    this.#kept.append(bytes, start, end);
    this.host.countKept(end - start);
    if (this.sendWindow > 0) {
      this.host.waitForWindow(this);
    }
    if (!this.#full && this.#kept.length > keptHighBytes) {
      this.#full = true;
      this.onWritable(false);
    }
  }

  /** Ends our side, behind what is kept. The trailers are copied if they have to wait. */
  protected end(trailers: HeadFields | undefined): void {
    if (this.closed || this.#endAsked) {
      return;
    }
    this.#endAsked = true;
    if (this.keptBytes === 0) {
      this.#finish(trailers);
    } else if (trailers !== undefined) {
      this.#trailers = takeFields();
      this.#trailers.copyFrom(trailers);
    }
  }

  /** Our side ended with the head. */
  endWithHead(): void {
    this.#endAsked = true;
    this.localEnded = true;
  }

  #finish(trailers: HeadFields | undefined): void {
    this.localEnded = true;
    if (trailers === undefined) {
      this.host.writer.endStream(this.id);
    } else {
      this.host.sendTrailers(this, trailers);
    }
    this.host.localEnd(this);
  }

  /** Sends at most `limit` of the kept bytes, as far as the windows allow. */
  sendKept(limit: number): void {
    const kept = this.#kept;
    if (kept === undefined || kept.length === 0) {
      return;
    }
    const { host } = this;
    let rest = Math.min(limit, kept.length, this.sendWindow, host.sendWindow);
    while (rest > 0) {
      const count = Math.min(rest, host.writer.maxFrameBytes);
      kept.sendFrame(host.writer, this.id, count);
      this.sendWindow -= count;
      host.sendWindow -= count;
      host.countKept(-count);
      rest -= count;
    }
    if (kept.length === 0) {
      this.#kept = undefined;
      if (this.#endAsked) {
        const trailers = this.#trailers;
        this.#trailers = undefined;
        this.#finish(trailers);
        if (trailers !== undefined) {
          releaseFields(trailers);
        }
        return;
      }
    } else if (this.sendWindow > 0) {
      host.waitForWindow(this);
    }
    if (this.#full && kept.length <= keptLowBytes) {
      this.#full = false;
      this.onWritable(true);
    }
  }

  protected pause(pause: boolean): void {
    if (pause !== this.paused) {
      this.paused = pause;
      if (!pause && !this.closed && !this.remoteEnded) {
        this.host.grantWindow(this);
      }
    }
  }

  /** Gives back what it holds; the connection calls it when it takes the stream out of its table. */
  dispose(): void {
    this.closed = true;
    const kept = this.#kept;
    if (kept !== undefined) {
      this.host.countKept(-kept.length);
      kept.clear();
      this.#kept = undefined;
    }
    if (this.#trailers !== undefined) {
      releaseFields(this.#trailers);
      this.#trailers = undefined;
    }
  }
}
