import type { RequestEncoder, RequestFate, ResponseSink, UpstreamCodec, UpstreamEvents } from '../codec.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import { RequestHead } from '../request-head.ts';
import { releaseResponseHead, takeResponseHead } from '../response-head.ts';
import { ClosedBy } from './closed-streams.ts';
import { Http2Counters } from './counters.ts';
import { sharedBlock, sharedPseudo } from './head-blocks.ts';
import { Http2Connection } from './http2-connection.ts';
import { http2Preface } from './preface.ts';
import { ErrorCode, max31, SettingId } from './protocol.ts';
import type { Http2Settings } from './settings.ts';
import { type UpstreamHost, UpstreamStream } from './upstream-stream.ts';

/** Streams that are opened before the peer has told its limit (RFC 9113 §6.5.2 advises no less than this). */
const streamsBeforeSettings = 100;

/** A request for a tunnel that waits for the peer's settings. */
interface WaitingTunnel {
  readonly stream: UpstreamStream;
  readonly head: RequestHead;
}

/** The client's side of HTTP/2 (RFC 9113): many requests at once. */
export class Http2UpstreamCodec extends Http2Connection<UpstreamStream> implements UpstreamCodec, UpstreamHost {
  protected override readonly isServer = false;
  readonly #events: UpstreamEvents;
  /** Streams that were opened by the owner and are not done, those without an id too. */
  #active = 0;
  /** Id of the next request. */
  protected nextStreamId = 1;
  #peerMaxStreams: number = streamsBeforeSettings;
  #peerSettingsKnown = false;
  #peerAllowsExtendedConnect = false;
  #tunnels: WaitingTunnel[] = [];
  #draining = false;
  #goawaySaid = false;
  #lastAccepted: number = max31;

  constructor(
    events: UpstreamEvents,
    out: OutputBuffer,
    settings: Http2Settings,
    counters: Http2Counters = new Http2Counters(),
  ) {
    super(out, settings, counters);
    this.#events = events;
    out.copy(http2Preface, 0, http2Preface.length);
    this.sendSettings();
  }

  override get activeStreams(): number {
    return this.#active;
  }

  get availableStreams(): number {
    if (this.#draining || this.dead) {
      return 0;
    }
    return Math.max(0, Math.min(this.#peerMaxStreams, this.settings.maxConcurrentStreams) - this.#active);
  }

  /**
   * Whether a request with `upgrade` can be sent as extended CONNECT (RFC 8441); undefined until the peer's settings have come. If not,
   * such a request fails with `http2.extended_connect_not_allowed`, not processed.
   */
  get allowsExtendedConnect(): boolean | undefined {
    return this.#peerSettingsKnown ? this.#peerAllowsExtendedConnect : undefined;
  }

  receive(bytes: Buffer, start: number, end: number): void {
    if (!this.dead) {
      this.readFrames(bytes, start, end);
    }
  }

  receiveEnd(): void {
    if (!this.dead) {
      this.die('http2.unexpected_end');
    }
  }

  /** Nothing is kept back for the output's sake: what waits, waits for the peer's windows. */
  outputWritable(): void {}

  open(sink: ResponseSink): RequestEncoder {
    this.#active += 1;
    return new UpstreamStream(this, sink);
  }

  /** Says GOAWAY to the peer: no more requests are opened, and `onFinished` follows the last one that is under way. */
  beginDrain(): void {
    if (!this.dead && !this.#goawaySaid) {
      this.#goawaySaid = true;
      this.goaway(0, ErrorCode.noError, '');
      this.#stopOpening();
      this.#finishIfDone();
    }
  }

  #stopOpening(): void {
    if (!this.#draining) {
      this.#draining = true;
      this.#events.onDraining();
    }
  }

  #finishIfDone(): void {
    if (this.#draining && this.#active === 0 && !this.dead) {
      this.endReading();
      this.#events.onFinished();
    }
  }

  // ----------------------------------------------------------------------------------------- requests

  openStream(stream: UpstreamStream, head: RequestHead, endStream: boolean): void {
    stream.noteRequest(head);
    if (this.dead || this.nextStreamId > this.#lastAccepted) {
      this.#failUnopened(stream, 'http2.remote_goaway');
      return;
    }
    if (head.upgrade === '') {
      this.#sendRequest(stream, head, endStream);
    } else if (this.#peerSettingsKnown) {
      this.#sendTunnel(stream, head);
    } else {
      const copy = new RequestHead();
      copy.copyRequest(head);
      this.#tunnels.push({ stream, head: copy });
    }
  }

  #sendTunnel(stream: UpstreamStream, head: RequestHead): void {
    if (this.#peerAllowsExtendedConnect && isToken(head.upgrade)) {
      this.#sendRequest(stream, head, false);
      stream.opened();
    } else {
      this.#failUnopened(stream, 'http2.extended_connect_not_allowed');
    }
  }

  #failUnopened(stream: UpstreamStream, detail: CodecErrorDetail): void {
    stream.closed = true;
    this.#uncount(stream);
    this.#tell(stream, detail, 'not-processed');
    this.onStreamClosed();
  }

  #sendRequest(stream: UpstreamStream, head: RequestHead, endStream: boolean): void {
    this.addStream(stream, this.nextStreamId);
    this.nextStreamId += 2;
    const { encoder } = this.blocks;
    encoder.begin(sharedBlock);
    const connect = head.method === 'CONNECT';
    if (head.upgrade !== '') {
      encoder.method('CONNECT');
      encoder.protocol(head.upgrade);
    } else {
      encoder.method(head.method);
    }
    if (!connect) {
      encoder.scheme(head.targetScheme === '' ? 'http' : head.targetScheme);
      encoder.path(head.path, head.targetNeverIndexed);
    }
    encoder.authority(head.authority);
    this.blocks.encodeFields(head);
    const ends = endStream && !stream.tunnel;
    this.writer.headers(stream.id, sharedBlock, ends);
    if (ends) {
      stream.endWithHead();
    }
    if (this.nextStreamId > max31) {
      this.#stopOpening();
    }
  }

  cancelStream(stream: UpstreamStream): void {
    if (stream.id === 0) {
      if (!stream.closed) {
        stream.closed = true;
        this.#uncount(stream);
        this.onStreamClosed();
      }
    } else {
      this.reset(stream, ErrorCode.cancel);
    }
  }

  override localEnd(stream: UpstreamStream): void {
    if (stream.remoteEnded) {
      this.closeStream(stream, ClosedBy.end);
    }
  }

  // ---------------------------------------------------------------------------------------- responses

  protected override onFieldBlock(
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
    endStream: boolean,
    _dependsOnItself: boolean,
  ): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdleId(streamId)) {
        this.fail(ErrorCode.protocolError, 'http2.protocol_error', 'a response to nothing');
      } else {
        this.counters.headersCbNoStream += 1;
        this.skipBlock(bytes, start, end, 'response');
      }
    } else if (stream.remoteEnded) {
      if (this.skipBlock(bytes, start, end, 'response')) {
        this.streamError(stream, ErrorCode.streamClosed, 'http2.stream_closed');
      }
    } else if (stream.bodyExpected) {
      this.receiveTrailers(stream, bytes, start, end, endStream);
    } else {
      this.#onHead(stream, bytes, start, end, endStream);
    }
  }

  #onHead(stream: UpstreamStream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const head = takeResponseHead();
    const result = this.decode(bytes, start, end, 'response', head);
    const { status } = sharedPseudo;
    if (result !== 'ok' || status === 0) {
      releaseResponseHead(head);
      if (result === 'too-large') {
        this.streamError(stream, ErrorCode.enhanceYourCalm, 'http2.headers_too_large');
      } else if (result === 'ok') {
        this.messagingError(stream);
      } else if (result !== undefined) {
        this.streamError(stream, ErrorCode.protocolError, 'http2.violation.of.messaging.rule');
      }
      return;
    }
    const verdict = stream.interpret(head, status, endStream);
    if (verdict === 'malformed' || verdict === 'not-expected') {
      releaseResponseHead(head);
      this.messagingError(stream);
      return;
    }
    const { sink } = stream;
    if (verdict === 'informational') {
      if (sink === undefined) {
        releaseResponseHead(head);
      } else {
        sink.onInformational(head);
      }
      return;
    }
    stream.bodyExpected = true;
    if (sink === undefined) {
      releaseResponseHead(head);
      return;
    }
    if (!endStream) {
      sink.onResponse(head, false);
      return;
    }
    stream.remoteEnded = true;
    if (stream.tunnel) {
      sink.onResponse(head, false);
      sink.onBodyEnd(undefined);
    } else {
      stream.sink = undefined;
      sink.onResponse(head, true);
    }
    if (!stream.closed) {
      this.afterRemoteEnd(stream);
    }
  }

  protected override afterRemoteEnd(stream: UpstreamStream): void {
    if (stream.localEnded) {
      this.closeStream(stream, ClosedBy.end);
    } else if (!stream.tunnel) {
      // The answer is complete before the request: nobody wants the rest of it.
      this.reset(stream, ErrorCode.cancel);
    }
  }

  // --------------------------------------------------------------------------------------- connection

  protected override isIdleId(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId >= this.nextStreamId;
  }

  protected override onPeerReset(stream: UpstreamStream, code: number): void {
    if (code === ErrorCode.refusedStream) {
      this.counters.streamRefusedErrors += 1;
      this.#tell(stream, 'http2.remote_refuse', 'not-processed');
    } else {
      this.#tell(stream, 'http2.remote_reset', 'unknown');
    }
  }

  protected override onStreamError(stream: UpstreamStream, detail: CodecErrorDetail): void {
    this.#tell(stream, detail, 'unknown');
  }

  #tell(stream: UpstreamStream, detail: CodecErrorDetail, fate: RequestFate): void {
    const { sink } = stream;
    stream.sink = undefined;
    sink?.onResponseError(detail, fate);
  }

  protected override removeStream(stream: UpstreamStream, how: number): void {
    this.#uncount(stream);
    super.removeStream(stream, how);
  }

  #uncount(stream: UpstreamStream): void {
    if (stream.counted) {
      stream.counted = false;
      this.#active -= 1;
    }
  }

  protected override onStreamClosed(): void {
    if (!this.dead) {
      if (!this.#draining) {
        this.#events.onStreamsAvailable();
      }
      this.#finishIfDone();
    }
  }

  protected override onGoaway(lastStreamId: number, _code: number): void {
    this.#lastAccepted = Math.min(this.#lastAccepted, lastStreamId);
    this.#stopOpening();
    for (const stream of this.streams.snapshot()) {
      if (stream.id > this.#lastAccepted && !stream.closed) {
        this.removeStream(stream, ClosedBy.peerReset);
        this.#tell(stream, 'http2.remote_goaway', 'not-processed');
      }
    }
    this.#failTunnels('http2.remote_goaway');
    this.#finishIfDone();
  }

  #failTunnels(detail: CodecErrorDetail): void {
    const tunnels = this.#tunnels;
    this.#tunnels = [];
    for (const { stream } of tunnels) {
      if (!stream.closed) {
        this.#failUnopened(stream, detail);
      }
    }
  }

  protected override onDead(streams: readonly UpstreamStream[], detail: CodecErrorDetail): void {
    this.#stopOpening();
    for (const stream of streams) {
      this.#uncount(stream);
      this.#tell(stream, detail, 'unknown');
    }
    this.#failTunnels(detail);
    this.#events.onFinished();
  }

  protected override onDrainPingAnswered(): void {}

  protected override onSetting(id: number, value: number): string | undefined {
    switch (id) {
      case SettingId.enablePush:
        return value === 0 ? undefined : 'a server cannot enable push';
      case SettingId.maxConcurrentStreams:
        this.#peerMaxStreams = value;
        return undefined;
      case SettingId.enableConnectProtocol:
        if (value === 0 && this.#peerAllowsExtendedConnect) {
          return 'SETTINGS_ENABLE_CONNECT_PROTOCOL taken back';
        }
        this.#peerAllowsExtendedConnect = value === 1;
        return undefined;
      default:
        return undefined;
    }
  }

  protected override onFirstSettings(): void {
    this.#peerSettingsKnown = true;
    const tunnels = this.#tunnels;
    this.#tunnels = [];
    for (const { stream, head } of tunnels) {
      if (!stream.closed) {
        this.#sendTunnel(stream, head);
      }
    }
    if (!this.#draining) {
      this.#events.onStreamsAvailable();
    }
  }
}

/** A protocol of HTTP/1.1's Upgrade that can be the value of `:protocol`: one name, not a list. */
function isToken(protocol: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9a-z]+(\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/.test(protocol);
}
