import type { DownstreamCodec, DownstreamEvents, ResponseEncoder } from '../codec.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import { KnownHeader } from '../known-header.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import { type RequestHead, releaseRequestHead, takeRequestHead } from '../request-head.ts';
import type { ResponseHead } from '../response-head.ts';
import { ClosedBy } from './closed-streams.ts';
import { Http2Counters } from './counters.ts';
import { type DownstreamHost, DownstreamStream } from './downstream-stream.ts';
import { sharedBlock, sharedPseudo } from './head-blocks.ts';
import { Http2Connection } from './http2-connection.ts';
import { http2Preface } from './preface.ts';
import { ErrorCode, max31 } from './protocol.ts';
import { type AuthorityMemo, interpretHttp2Request } from './request-message.ts';
import { type Http2Settings, readSettingsField } from './settings.ts';

/** How far a drain is. */
const serving = 0;
/** GOAWAY 2^31-1 is out: the client opens no more streams as soon as it knows, and our PING tells us when. */
const announced = 1;
/** GOAWAY with the last stream is out: streams above it are ignored. */
const final = 2;
const finished = 3;

/** The server's side of HTTP/2 (RFC 9113): many requests at once, each with a `ResponseEncoder` of its own. */
export class Http2DownstreamCodec extends Http2Connection<DownstreamStream> implements DownstreamCodec, DownstreamHost {
  protected override readonly isServer = true;
  readonly #events: DownstreamEvents;
  readonly #authority: AuthorityMemo = { valid: '' };
  #prefaceLength = 0;
  #settingsSent = false;
  #drain = serving;
  #peerEnded = false;

  constructor(
    events: DownstreamEvents,
    out: OutputBuffer,
    settings: Http2Settings,
    counters: Http2Counters = new Http2Counters(),
  ) {
    super(out, settings, counters);
    this.#events = events;
  }

  get idle(): boolean {
    return this.streams.size === 0;
  }

  get headIncomplete(): boolean {
    return this.headStreamId !== 0 || this.#prefaceLength < http2Preface.length;
  }

  receive(bytes: Buffer, start: number, end: number): void {
    if (this.dead) {
      return;
    }
    this.#begin();
    let at = start;
    while (this.#prefaceLength < http2Preface.length) {
      if (at === end) {
        return;
      }
      if (bytes[at] !== http2Preface[this.#prefaceLength]) {
        this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'not the preface of HTTP/2');
        return;
      }
      at += 1;
      this.#prefaceLength += 1;
    }
    this.readFrames(bytes, at, end);
  }

  #begin(): void {
    if (!this.#settingsSent) {
      this.#settingsSent = true;
      this.sendSettings();
    }
  }

  receiveEnd(): void {
    if (this.dead || this.#peerEnded) {
      return;
    }
    this.#peerEnded = true;
    for (const stream of this.streams.snapshot()) {
      if (!stream.remoteEnded && !stream.closed) {
        this.streamError(stream, ErrorCode.cancel, 'http2.unexpected_end');
      }
    }
    this.#finishIfDone();
  }

  /** Nothing is kept back for the output's sake: what waits, waits for the peer's windows. */
  outputWritable(): void {}

  /** The next request begins by itself. */
  proceed(): void {}

  beginDrain(): void {
    if (this.dead || this.#drain !== serving) {
      return;
    }
    this.#begin();
    if (this.idle) {
      this.#lastGoaway();
      return;
    }
    this.#drain = announced;
    this.goaway(max31, ErrorCode.noError, '');
    this.pingForDrain();
  }

  protected override onDrainPingAnswered(): void {
    if (this.#drain === announced) {
      this.#lastGoaway();
    }
  }

  #lastGoaway(): void {
    this.#drain = final;
    this.goaway(this.lastStreamId, ErrorCode.noError, '');
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.streams.size === 0 && (this.#drain === final || (this.#peerEnded && this.#drain !== finished))) {
      this.#drain = finished;
      this.endReading();
      this.#events.onFinished();
    }
  }

  refuseHead(): ResponseEncoder {
    const id = this.headStreamId;
    const stream = new DownstreamStream(this);
    if (this.dead) {
      stream.closed = true;
      return stream;
    }
    const isRequest = id > this.lastStreamId;
    if (isRequest) {
      this.lastStreamId = id;
      this.addStream(stream, id);
    }
    // The rest of the head would be needed for every head after it: this connection is at its end.
    this.#drain = final;
    this.goaway(this.lastStreamId, ErrorCode.enhanceYourCalm, 'http2.request_head_timeout');
    if (!isRequest) {
      stream.closed = true;
      this.#finishIfDone();
    }
    return stream;
  }

  /**
   * The request with which a client of HTTP/1.1 asked for `Upgrade: h2c` (RFC 7540 §3.2) becomes stream 1, half-closed. To be
   * called before anything else, when 101 was written to the output. The request has no body and goes to `onRequest` at once.
   * @param settings the value of its `http2-settings` field.
   * @returns false when the value is not valid: then nothing was done, and the request is to be answered without upgrade.
   */
  acceptUpgrade(head: RequestHead, settings: string): boolean {
    const payload = readSettingsField(settings);
    if (payload === undefined) {
      return false;
    }
    this.#begin();
    this.applySettings(payload, 0, payload.length);
    this.lastStreamId = 1;
    const stream = new DownstreamStream(this);
    this.addStream(stream, 1);
    stream.remoteEnded = true;
    this.#deliver(stream, head);
    return true;
  }

  // -------------------------------------------------------------------------------------- connection

  protected override isIdleId(streamId: number): boolean {
    return streamId > this.lastStreamId || (streamId & 1) === 0;
  }

  protected override onFieldBlock(
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
    endStream: boolean,
    dependsOnItself: boolean,
  ): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      if (!stream.remoteEnded && !dependsOnItself) {
        this.receiveTrailers(stream, bytes, start, end, endStream);
      } else if (this.skipBlock(bytes, start, end, 'trailers')) {
        if (stream.remoteEnded) {
          this.streamError(stream, ErrorCode.streamClosed, 'http2.stream_closed');
        } else {
          this.streamError(stream, ErrorCode.protocolError, 'http2.protocol_error');
        }
      }
      return;
    }
    if ((streamId & 1) === 0) {
      this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'a stream of a client has an odd id');
      return;
    }
    if (streamId <= this.lastStreamId) {
      this.#onLateHeaders(streamId, bytes, start, end);
      return;
    }
    if (this.#drain === final || this.#drain === finished) {
      this.skipBlock(bytes, start, end, 'request');
      this.counters.headersCbNoStream += 1;
      return;
    }
    this.lastStreamId = streamId;
    if (this.streams.size >= this.settings.maxConcurrentStreams || dependsOnItself) {
      if (this.skipBlock(bytes, start, end, 'request')) {
        this.closedStreams.add(streamId, ClosedBy.ourReset);
        if (!dependsOnItself) {
          this.counters.streamRefusedErrors += 1;
        }
        this.resetGone(streamId, dependsOnItself ? ErrorCode.protocolError : ErrorCode.refusedStream);
      }
      return;
    }
    this.#open(streamId, bytes, start, end, endStream);
  }

  #onLateHeaders(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (!this.skipBlock(bytes, start, end, 'trailers')) {
      return;
    }
    this.counters.headersCbNoStream += 1;
    switch (this.closedStreams.howClosed(streamId)) {
      case ClosedBy.ourReset:
        break;
      case ClosedBy.peerReset:
        this.resetGone(streamId, ErrorCode.streamClosed);
        break;
      case ClosedBy.end:
        this.fail(ErrorCode.streamClosed, 'http2.stream_closed', 'HEADERS on a closed stream');
        break;
      default:
        this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'a stream id below one that was used');
    }
  }

  #open(streamId: number, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const head = takeRequestHead();
    const result = this.decode(bytes, start, end, 'request', head);
    if (result === undefined) {
      releaseRequestHead(head);
      return;
    }
    const stream = new DownstreamStream(this);
    this.addStream(stream, streamId);
    stream.bodyExpected = true;
    stream.remoteEnded = endStream;
    if (result === 'too-large') {
      this.#refuse(stream, head, 'http2.headers_too_large');
      return;
    }
    const verdict =
      result === 'malformed'
        ? result
        : interpretHttp2Request(head, sharedPseudo, endStream, this.settings.allowExtendedConnect, this.#authority);
    switch (verdict) {
      case 'ok':
        stream.expectedBytes = head.contentLength;
        this.#deliver(stream, head);
        break;
      case 'malformed':
        releaseRequestHead(head);
        if (result === 'ok') {
          this.counters.rxMessagingError += 1;
        }
        this.streamError(stream, ErrorCode.protocolError, 'http2.violation.of.messaging.rule');
        break;
      default:
        this.#refuse(stream, head, 'missing_host_header');
    }
  }

  #refuse(stream: DownstreamStream, head: RequestHead, detail: CodecErrorDetail): void {
    releaseRequestHead(head);
    this.#events.onCodecError(detail, stream);
  }

  #deliver(stream: DownstreamStream, head: RequestHead): void {
    const extended = head.upgrade !== '' && head.protocol === 'HTTP/2';
    if (extended || head.method === 'CONNECT') {
      stream.askTunnel(extended);
      stream.expectedBytes = -1;
      if (head.contentLength >= 0) {
        head.contentLength = -1;
        head.removeKnown(KnownHeader.contentLength, 'content-length');
      }
    }
    const sink = this.#events.onRequest(head, stream, !head.hasBody);
    if (!stream.closed && !stream.ownerDone) {
      stream.sink = sink;
    }
  }

  sendHead(stream: DownstreamStream, head: ResponseHead, status: number, endStream: boolean): void {
    this.blocks.encoder.begin(sharedBlock);
    this.blocks.encoder.status(status);
    this.blocks.encodeFields(head);
    this.writer.headers(stream.id, sharedBlock, endStream);
  }

  protected override afterRemoteEnd(stream: DownstreamStream): void {
    if (stream.localEnded) {
      this.closeStream(stream, ClosedBy.end);
    }
  }

  override localEnd(stream: DownstreamStream): void {
    this.guard.streamAnswered();
    if (stream.remoteEnded) {
      this.closeStream(stream, ClosedBy.end);
    } else if (!stream.isTunnel) {
      // RFC 9113 §8.1: the answer is complete, the rest of the request is not wanted.
      this.reset(stream, ErrorCode.noError);
    }
  }

  abortStream(stream: DownstreamStream): void {
    this.reset(stream, ErrorCode.internalError);
  }

  protected override onPeerReset(stream: DownstreamStream, _code: number): void {
    this.#tell(stream, 'http2.remote_reset');
  }

  protected override onStreamError(stream: DownstreamStream, detail: CodecErrorDetail): void {
    this.#tell(stream, detail);
  }

  #tell(stream: DownstreamStream, detail: CodecErrorDetail): void {
    const { sink } = stream;
    stream.sink = undefined;
    if (!stream.ownerDone) {
      sink?.onReset(detail);
    }
  }

  protected override onStreamClosed(): void {
    if (this.streams.size === 0 && !this.dead) {
      this.#finishIfDone();
    }
  }

  protected override onDead(streams: readonly DownstreamStream[], detail: CodecErrorDetail): void {
    for (const stream of streams) {
      this.#tell(stream, detail);
    }
    this.#events.onCodecError(detail, undefined);
    this.#drain = finished;
    this.#events.onFinished();
  }

  /** A client that goes away says so; its streams go on. */
  protected override onGoaway(): void {}

  protected override onSetting(): string | undefined {
    return undefined;
  }

  protected override onFirstSettings(): void {}
}
