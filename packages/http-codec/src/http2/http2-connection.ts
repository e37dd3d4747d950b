import type { HeadFields } from '../head-fields.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import { BlockAssembly } from './block-assembly.ts';
import { ClosedBy } from './closed-streams.ts';
import { ConnectionHeads } from './connection-heads.ts';
import type { Http2Counters } from './counters.ts';
import { maxOutboundFrames } from './flood-limits.ts';
import { type FrameHandler, FrameReader } from './frame-reader.ts';
import { pingMark } from './frame-writer.ts';
import type { Http2Stream } from './http2-stream.ts';
import { ErrorCode, Flag, FrameType, max31, readUint32 } from './protocol.ts';
import type { Http2Settings } from './settings.ts';

/** What a PING of ours is for; its answer carries it back. */
const keepalivePing = 1;
const drainPing = 2;

/**
 * The frames that come on an HTTP/2 connection (RFC 9113 §6), for both sides. They add how a stream begins and what its heads mean.
 */
export abstract class Http2Connection<Stream extends Http2Stream>
  extends ConnectionHeads<Stream>
  implements FrameHandler
{
  readonly protocol = 'HTTP/2';
  keepalivePending = false;
  readonly #reader: FrameReader;
  readonly #assembly: BlockAssembly;
  #settingsSeen = false;
  #dataStream: Stream | undefined = undefined;
  #dataEnds = false;

  constructor(out: OutputBuffer, settings: Http2Settings, counters: Http2Counters) {
    super(out, settings, counters);
    this.#assembly = new BlockAssembly(settings.maxHeadBytes);
    this.#reader = new FrameReader(this, settings.maxFrameSizeBytes);
  }

  // ---------------------------------------------------------------------------------- for the sides

  /** A complete field block for a stream; it has to be decoded whatever becomes of it. */
  protected abstract onFieldBlock(
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
    endStream: boolean,
    dependsOnItself: boolean,
  ): void;
  protected abstract onPeerReset(stream: Stream, code: number): void;
  protected abstract onGoaway(lastStreamId: number, code: number): void;
  protected abstract onDrainPingAnswered(): void;
  /** The peer's first settings have come. */
  protected abstract onFirstSettings(): void;
  /** Whether this id was never used, so that no frame but those that open a stream may stand on it. */
  protected abstract isIdleId(streamId: number): boolean;

  /** The stream whose head is not complete; 0: none. */
  protected get headStreamId(): number {
    return this.#reader.headStreamId;
  }

  protected override stopReading(): void {
    this.#reader.stop();
    this.#assembly.take();
    this.#dataStream = undefined;
  }

  protected readFrames(bytes: Buffer, start: number, end: number): void {
    this.writer.countTaken();
    if (this.writer.untakenFrames > maxOutboundFrames) {
      this.counters.outboundFlood += 1;
      this.fail(ErrorCode.enhanceYourCalm, 'http2.outbound_frames_flood', 'frames are not taken');
      return;
    }
    this.#reader.read(bytes, start, end);
  }

  protected pingForDrain(): void {
    this.writer.ping(drainPing);
  }

  /** Sends a PING; `keepalivePending` is true until it is answered. The owner's clock says when that took too long. */
  sendKeepalive(): void {
    if (!this.dead && !this.keepalivePending) {
      this.keepalivePending = true;
      this.writer.ping(keepalivePing);
    }
  }

  // ------------------------------------------------------------------------------------------- frames

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (!this.#settingsSeen && (type !== FrameType.settings || (flags & Flag.ack) !== 0)) {
      this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'the first frame is not SETTINGS');
      return;
    }
    switch (type) {
      case FrameType.headers:
        this.#onHeaders(flags, streamId, bytes, start, end);
        break;
      case FrameType.continuation:
        this.#onContinuation(flags, streamId, bytes, start, end);
        break;
      case FrameType.windowUpdate:
        this.#onWindowUpdate(streamId, readUint32(bytes, start) & max31);
        break;
      case FrameType.settings:
        this.#onSettings(flags, bytes, start, end);
        break;
      case FrameType.ping:
        this.#onPing(flags, bytes, start);
        break;
      case FrameType.rstStream:
        this.#onRstStream(streamId, readUint32(bytes, start));
        break;
      case FrameType.priority:
        this.#onPriority(streamId, readUint32(bytes, start) & max31);
        break;
      case FrameType.goaway:
        this.onGoaway(readUint32(bytes, start) & max31, readUint32(bytes, start + 4));
        break;
      default:
        this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'PUSH_PROMISE, which we do not allow');
    }
  }

  onUnknownFrame(type: number): void {
    if (!this.#settingsSeen) {
      this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'the first frame is not SETTINGS');
    } else if (type === FrameType.priorityUpdate) {
      this.#countPriority();
    }
  }

  onFrameError(code: number, problem: string): void {
    const detail = code === ErrorCode.frameSizeError ? 'http2.frame_size_error' : 'http2.protocol_error';
    this.fail(code, detail, problem);
  }

  onStreamFrameError(streamId: number, code: number, problem: string): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      this.streamError(stream, code, 'http2.frame_size_error');
    } else if (this.isIdleId(streamId)) {
      this.onFrameError(code, problem);
    } else {
      this.resetGone(streamId, code);
    }
  }

  #onHeaders(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const assembly = this.#assembly;
    if (!assembly.readHeaders(flags, streamId, bytes, start, end)) {
      this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'HEADERS whose padding is longer than itself');
      return;
    }
    if (this.#tooManyEmpty(assembly.start === assembly.end && !assembly.endStream)) {
      return;
    }
    if ((flags & Flag.endHeaders) !== 0) {
      const { endStream, dependsOnItself } = assembly;
      this.onFieldBlock(streamId, bytes, assembly.start, assembly.end, endStream, dependsOnItself);
      return;
    }
    const excess = assembly.begin(bytes);
    if (excess !== undefined) {
      this.#continuationFlood(excess);
    }
  }

  #onContinuation(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const assembly = this.#assembly;
    const excess = assembly.add(bytes, start, end);
    if (excess !== undefined) {
      this.#continuationFlood(excess);
      return;
    }
    if (this.#tooManyEmpty(start === end) || (flags & Flag.endHeaders) === 0) {
      return;
    }
    const block = assembly.take();
    if (block !== undefined) {
      this.onFieldBlock(streamId, block, 0, assembly.end, assembly.endStream, assembly.dependsOnItself);
    }
  }

  #continuationFlood(debug: string): void {
    this.counters.inboundContinuationFramesFlood += 1;
    this.fail(ErrorCode.enhanceYourCalm, 'http2.inbound_continuation_frames_flood', debug);
  }

  #tooManyEmpty(empty: boolean): boolean {
    if (!this.guard.emptyFrame(empty)) {
      return false;
    }
    this.counters.inboundEmptyFramesFlood += 1;
    this.fail(ErrorCode.enhanceYourCalm, 'http2.inbound_empty_frames_flood', 'frames with nothing in them');
    return true;
  }

  #onRstStream(streamId: number, code: number): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdleId(streamId)) {
        this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'RST_STREAM on an idle stream');
      }
      return;
    }
    this.counters.rxReset += 1;
    const premature = !stream.localEnded;
    this.removeStream(stream, ClosedBy.peerReset);
    this.onPeerReset(stream, code);
    this.onStreamClosed();
    if (premature) {
      this.countReset();
    }
  }

  #onPriority(streamId: number, dependency: number): void {
    if (this.#countPriority() && dependency === streamId) {
      const stream = this.streams.get(streamId);
      if (stream !== undefined) {
        this.streamError(stream, ErrorCode.protocolError, 'http2.protocol_error');
      } else if (this.isIdleId(streamId)) {
        this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'a stream that depends on itself');
      } else {
        this.resetGone(streamId, ErrorCode.protocolError);
      }
    }
  }

  #countPriority(): boolean {
    if (!this.guard.priority()) {
      return true;
    }
    this.counters.inboundPriorityFramesFlood += 1;
    this.fail(ErrorCode.enhanceYourCalm, 'http2.inbound_priority_frames_flood', 'too many PRIORITY frames');
    return false;
  }

  #onPing(flags: number, bytes: Buffer, start: number): void {
    if ((flags & Flag.ack) === 0) {
      this.writer.pingAck(bytes, start);
      this.checkControlFrames();
    } else if (readUint32(bytes, start) === pingMark) {
      const what = readUint32(bytes, start + 4);
      if (what === keepalivePing) {
        this.keepalivePending = false;
      } else if (what === drainPing) {
        this.onDrainPingAnswered();
      }
    }
  }

  #onSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & Flag.ack) !== 0) {
      this.settingsAcknowledged();
      return;
    }
    const first = !this.#settingsSeen;
    this.#settingsSeen = true;
    if (!this.applySettings(bytes, start, end)) {
      return;
    }
    this.writer.settingsAck();
    this.checkControlFrames();
    if (first && !this.dead) {
      this.onFirstSettings();
    }
  }

  // ------------------------------------------------------------------------------------- flow control

  #onWindowUpdate(streamId: number, increment: number): void {
    if (this.guard.windowUpdate(this.writer.dataFrames)) {
      this.counters.inboundWindowUpdateFramesFlood += 1;
      this.fail(ErrorCode.enhanceYourCalm, 'http2.inbound_window_update_frames_flood', 'too many WINDOW_UPDATE frames');
      return;
    }
    if (streamId === 0) {
      if (increment === 0) {
        this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'WINDOW_UPDATE of 0');
      } else if (this.sendWindow + increment > max31) {
        this.fail(ErrorCode.flowControlError, 'http2.flow_control_error', 'a connection window above 2^31-1');
      } else {
        this.sendWindow += increment;
        this.serveWaiting();
      }
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdleId(streamId)) {
        this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'WINDOW_UPDATE on an idle stream');
      }
    } else if (increment === 0) {
      this.streamError(stream, ErrorCode.protocolError, 'http2.protocol_error');
    } else if (stream.sendWindow + increment > max31) {
      this.streamError(stream, ErrorCode.flowControlError, 'http2.flow_control_error');
    } else {
      stream.sendWindow += increment;
      stream.sendKept(max31);
    }
  }

  onDataFrame(flags: number, streamId: number, length: number, dataLength: number): void {
    this.#dataStream = undefined;
    if (!this.#settingsSeen) {
      this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'the first frame is not SETTINGS');
      return;
    }
    const endStream = (flags & Flag.endStream) !== 0;
    if (this.#tooManyEmpty(dataLength === 0 && !endStream) || !this.countData(length)) {
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.#onLateData(streamId);
      return;
    }
    if (stream.remoteEnded) {
      this.streamError(stream, ErrorCode.streamClosed, 'http2.stream_closed');
      return;
    }
    if (!stream.bodyExpected) {
      this.messagingError(stream);
      return;
    }
    stream.receiveWindow -= length;
    // Below 0 it can also be because we lowered the initial window; the end of a body is free then, too.
    if (stream.receiveWindow < 0 && length > 0) {
      this.streamError(stream, ErrorCode.flowControlError, 'http2.flow_control_error');
      return;
    }
    stream.unacknowledged += length;
    if (stream.expectedBytes >= 0) {
      stream.expectedBytes -= dataLength;
      if (stream.expectedBytes < 0 || (endStream && stream.expectedBytes > 0)) {
        this.messagingError(stream);
        return;
      }
    }
    this.#dataStream = stream;
    this.#dataEnds = endStream;
  }

  #onLateData(streamId: number): void {
    if (this.isIdleId(streamId)) {
      this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'DATA on an idle stream');
    } else if (this.closedStreams.howClosed(streamId) !== ClosedBy.ourReset) {
      this.resetGone(streamId, ErrorCode.streamClosed);
    }
  }

  onDataPiece(bytes: Buffer, start: number, end: number, last: boolean): void {
    const stream = this.#dataStream;
    if (stream === undefined || stream.closed) {
      return;
    }
    if (end > start) {
      stream.onData(bytes, start, end);
    }
    if (!last) {
      return;
    }
    this.#dataStream = undefined;
    if (stream.closed) {
      return;
    }
    if (this.#dataEnds) {
      this.remoteEnd(stream, undefined);
    } else {
      this.grantWindow(stream);
    }
  }

  protected remoteEnd(stream: Stream, trailers: HeadFields | undefined): void {
    stream.remoteEnded = true;
    stream.onRemoteEnd(trailers);
    if (!stream.closed) {
      this.afterRemoteEnd(stream);
    }
  }

  /** The peer's side is complete and the owner knows. */
  protected abstract afterRemoteEnd(stream: Stream): void;
}
