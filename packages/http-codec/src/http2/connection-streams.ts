import type { CodecErrorDetail } from '../codec-error.ts';
import type { HeadFields } from '../head-fields.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import { ClosedBy, ClosedStreams } from './closed-streams.ts';
import type { Http2Counters } from './counters.ts';
import { FloodGuard } from './flood-guard.ts';
import { maxOutboundControlFrames } from './flood-limits.ts';
import { FrameWriter } from './frame-writer.ts';
import type { Http2Stream, StreamHost } from './http2-stream.ts';
import { defaultWindowBytes, ErrorCode, max31 } from './protocol.ts';
import type { Http2Settings } from './settings.ts';
import { StreamTable } from './stream-table.ts';

/**
 * What one stream sends before the next one has its turn. Not the frames that the peer takes: they may be of 16 MiB, and one stream
 * would use the connection's window up.
 */
const servedAtOnceBytes = 16_384;

/**
 * The streams of one HTTP/2 connection: how they come and go (RFC 9113 §5), errors of one and of all (§5.4), and flow control (§5.2).
 * `ConnectionHeads` adds what was agreed on and the heads, `Http2Connection` the frames that come, the sides what a stream means.
 */
export abstract class ConnectionStreams<Stream extends Http2Stream> implements StreamHost {
  readonly counters: Http2Counters;
  readonly settings: Http2Settings;
  readonly writer: FrameWriter;
  sendWindow: number = defaultWindowBytes;
  /** Bytes of all streams that are kept because a window is shut. */
  keptBytes = 0;
  /** Initial window of streams that we send on. */
  protected peerWindow: number = defaultWindowBytes;
  /** Our initial window as the peer knows it: the default until it acknowledged our settings, unless ours is larger. */
  protected streamWindow: number;
  protected readonly streams: StreamTable<Stream> = new StreamTable<Stream>();
  protected readonly closedStreams: ClosedStreams = new ClosedStreams();
  protected readonly guard: FloodGuard = new FloodGuard();
  /** The highest stream id that the peer used. */
  protected lastStreamId = 0;
  /** Nothing is read or written any more: GOAWAY with an error was sent, or the peer is gone. */
  protected dead = false;
  #receiveWindow: number;
  #unacknowledged = 0;
  #waiting: Http2Stream[] = [];

  constructor(out: OutputBuffer, settings: Http2Settings, counters: Http2Counters) {
    this.settings = settings;
    this.counters = counters;
    this.writer = new FrameWriter(out);
    this.#receiveWindow = Math.max(defaultWindowBytes, settings.initialConnectionWindowBytes);
    this.streamWindow = Math.max(defaultWindowBytes, settings.initialStreamWindowBytes);
  }

  /** Streams under way. */
  get activeStreams(): number {
    return this.streams.size;
  }

  // ---------------------------------------------------------------------------------- for the sides

  /** Which side we are. */
  protected abstract readonly isServer: boolean;
  /** No frame is wanted any more. */
  protected abstract stopReading(): void;
  /** We reset the stream, since the peer broke a rule on it. */
  protected abstract onStreamError(stream: Stream, detail: CodecErrorDetail): void;
  /** A stream is out of the table. */
  protected abstract onStreamClosed(): void;
  /** The connection is in error, GOAWAY was written. */
  protected abstract onDead(streams: readonly Stream[], detail: CodecErrorDetail): void;
  abstract localEnd(stream: Http2Stream): void;
  abstract sendTrailers(stream: Http2Stream, trailers: HeadFields): void;

  // ---------------------------------------------------------------------------------------- streams

  /** What it is that begins a stream's life in the table. */
  protected addStream(stream: Stream, id: number): void {
    stream.id = id;
    stream.sendWindow = this.peerWindow;
    stream.receiveWindow = this.streamWindow;
    this.streams.add(stream);
    this.counters.streamsActive += 1;
    this.guard.streamOpened();
  }

  /** The stream is at its end, and who has to know it knows. */
  protected closeStream(stream: Stream, how: number): void {
    if (!stream.closed) {
      this.removeStream(stream, how);
      this.onStreamClosed();
    }
  }

  /** Takes a stream out of the table; `onStreamClosed` has to follow. */
  protected removeStream(stream: Stream, how: number): void {
    this.streams.delete(stream.id);
    this.closedStreams.add(stream.id, how);
    this.counters.streamsActive -= 1;
    stream.dispose();
  }

  /** Resets a stream of our own will. */
  protected reset(stream: Stream, code: number): void {
    if (stream.closed) {
      return;
    }
    this.counters.txReset += 1;
    this.writer.rstStream(stream.id, code);
    this.closeStream(stream, ClosedBy.ourReset);
  }

  /** Answers a broken rule on a stream that is not in the table. */
  protected resetGone(streamId: number, code: number): void {
    this.counters.txReset += 1;
    this.writer.rstStream(streamId, code);
    this.checkControlFrames();
  }

  /** A stream error: the peer broke a rule on this stream alone. */
  protected streamError(stream: Stream, code: number, detail: CodecErrorDetail): void {
    if (stream.closed) {
      return;
    }
    this.counters.txReset += 1;
    this.writer.rstStream(stream.id, code);
    this.removeStream(stream, ClosedBy.ourReset);
    this.onStreamError(stream, detail);
    this.onStreamClosed();
    this.countReset();
    this.checkControlFrames();
  }

  protected messagingError(stream: Stream): void {
    this.counters.rxMessagingError += 1;
    this.streamError(stream, ErrorCode.protocolError, 'http2.violation.of.messaging.rule');
  }

  /** A connection error (RFC 9113 §5.4.1). `debug` stands in the GOAWAY. */
  protected fail(code: number, detail: CodecErrorDetail, debug: string): void {
    if (this.dead) {
      return;
    }
    this.stopReading();
    this.counters.goawaySent += 1;
    this.writer.goaway(this.lastStreamId, code, `${detail}: ${debug}`);
    this.die(detail);
  }

  /** The orderly end: no stream is left, nothing is read any more. */
  protected endReading(): void {
    this.dead = true;
    this.stopReading();
  }

  /** No stream goes on, nothing is read. */
  protected die(detail: CodecErrorDetail): void {
    this.endReading();
    this.#waiting = [];
    const streams = this.streams.snapshot();
    for (const stream of streams) {
      this.streams.delete(stream.id);
      this.counters.streamsActive -= 1;
      stream.dispose();
    }
    this.onDead(streams, detail);
  }

  protected goaway(lastStreamId: number, code: number, debug: string): void {
    this.counters.goawaySent += 1;
    this.writer.goaway(lastStreamId, code, debug);
  }

  /** A stream ended without the peer's END_STREAM or a full answer; too many of them are an attack. */
  protected countReset(): void {
    if (this.isServer && this.guard.reset()) {
      this.counters.inboundResetFramesFlood += 1;
      this.fail(ErrorCode.enhanceYourCalm, 'http2.inbound_reset_frames_flood', 'too many resets');
    }
  }

  protected checkControlFrames(): void {
    if (this.writer.untakenControlFrames > maxOutboundControlFrames) {
      this.counters.outboundControlFlood += 1;
      this.fail(ErrorCode.enhanceYourCalm, 'http2.outbound_control_frames_flood', 'answers are not taken');
    }
  }

  /** The peer changed its initial window. @returns false: a window became too large, the connection is dead. */
  protected changePeerWindow(window: number): boolean {
    const change = window - this.peerWindow;
    this.peerWindow = window;
    let overflow = false;
    this.streams.forEach((stream) => {
      stream.sendWindow += change;
      overflow ||= stream.sendWindow > max31;
    });
    if (overflow) {
      this.fail(ErrorCode.flowControlError, 'http2.flow_control_error', 'a window above 2^31-1 by SETTINGS');
      return false;
    }
    if (change > 0 && this.keptBytes > 0) {
      for (const stream of this.streams.snapshot()) {
        if (!stream.closed) {
          stream.sendKept(max31);
        }
      }
    }
    return true;
  }

  countKept(bytes: number): void {
    this.keptBytes += bytes;
    this.counters.pendingSendBytes += bytes;
  }

  waitForWindow(stream: Http2Stream): void {
    if (!stream.waiting) {
      stream.waiting = true;
      this.#waiting.push(stream);
    }
  }

  /** One piece for each stream that waits, in turn, while the connection's window lasts. */
  protected serveWaiting(): void {
    while (this.sendWindow > 0) {
      const stream = this.#waiting.shift();
      if (stream === undefined) {
        return;
      }
      stream.waiting = false;
      if (!stream.closed) {
        stream.sendKept(servedAtOnceBytes);
      }
    }
  }

  /** Counts DATA on the connection, whatever stream it is for, and grants it anew. @returns false: too much came. */
  protected countData(length: number): boolean {
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) {
      this.fail(ErrorCode.flowControlError, 'http2.flow_control_error', 'more DATA than the connection window');
      return false;
    }
    this.#unacknowledged += length;
    if (this.#unacknowledged * 2 >= this.settings.initialConnectionWindowBytes) {
      this.writer.windowUpdate(0, this.#unacknowledged);
      this.#receiveWindow += this.#unacknowledged;
      this.#unacknowledged = 0;
    }
    return true;
  }

  grantWindow(stream: Http2Stream): void {
    if (
      !stream.paused &&
      !this.dead &&
      stream.unacknowledged > 0 &&
      stream.unacknowledged * 2 >= this.settings.initialStreamWindowBytes
    ) {
      this.writer.windowUpdate(stream.id, stream.unacknowledged);
      stream.receiveWindow += stream.unacknowledged;
      stream.unacknowledged = 0;
    }
  }
}
