import {
  type CodecErrorDetail,
  type DownstreamCodec,
  type DownstreamEvents,
  Http1DownstreamCodec,
  Http2DownstreamCodec,
  KnownHeader,
  type RequestHead,
  type RequestSink,
  type ResponseEncoder,
  startsLikeHttp2,
  takeRequestHead,
} from '@weft/http-codec';
import { httpVersionOfAlpn, weftAlpn } from '../../http-alpn.ts';
import { LinkedList } from '../../linked-list.ts';
import { codecErrorReply, type LocalReply, localReplies } from '../../local-reply.ts';
import { OverloadBit } from '../../overload/overload-state.ts';
import { Keepalive } from '../../pool/keepalive.ts';
import { ResponseFlag } from '../../response-flag.ts';
import type { DownstreamConnectionInfo } from '../../stream-info.ts';
import { lifetimeMs } from '../../tls/lifetime.ts';
import type { Connection, ConnectionHandler } from '../../transport/connection.ts';
import { runEvent } from '../../transport/guarded-event.ts';
import { type TimerOwner, WheelTimer } from '../../transport/timer-wheel.ts';
import { clientCertElement } from './forwarded-client-cert.ts';
import { acceptH2cUpgrade, offersH2c } from './h2c-upgrade.ts';
import type { HttpManager } from './http-manager.ts';
import { type HttpStream, takeStream } from './http-stream.ts';

const idleTimer = 0;
const headersTimer = 1;
const durationTimer = 2;
const closeTimer = 3;

/**
 * A client that ends its side within this time behind its request waits for the answer (half-close). One that does so later has given
 * up: programs that close a connection look the same, and what they asked for must not go on for nobody. Milliseconds.
 */
const halfCloseMs = 1_000;

const nothing = Buffer.alloc(0);

/** First byte of a TLS connection: the content type of its ClientHello (RFC 8446 §5.1). No method begins with it. */
const tlsHandshake = 0x16;

/** One downstream connection under an HTTP connection manager: HTTP/1.1 has one stream at a time, HTTP/2 many. */
export class HttpConnection implements ConnectionHandler, DownstreamEvents, TimerOwner {
  readonly transport: Connection;
  readonly manager: HttpManager;
  readonly info: DownstreamConnectionInfo;
  /** undefined until the first bytes have told the protocol, where they decide. */
  #codec: DownstreamCodec | undefined = undefined;
  /** The first bytes, as long as they could become either protocol. */
  #first: Buffer = nothing;
  readonly #onClosed: (connection: HttpConnection) => void;
  readonly #peerPem: () => string;
  readonly #idle: WheelTimer = new WheelTimer(this, idleTimer);
  readonly #headers: WheelTimer = new WheelTimer(this, headersTimer);
  readonly #duration: WheelTimer = new WheelTimer(this, durationTimer);
  readonly #close: WheelTimer = new WheelTimer(this, closeTimer);
  #keepalive: Keepalive | undefined = undefined;
  readonly #streams = new LinkedList<HttpStream>();
  #paused = false;
  #requests = 0;
  #lastRequest = false;
  #ending = false;
  #element: string | undefined = undefined;

  /** @param peerPem gives the peer's certificate, for the modes that forward it. */
  constructor(
    transport: Connection,
    manager: HttpManager,
    info: DownstreamConnectionInfo,
    onClosed: (connection: HttpConnection) => void,
    peerPem: () => string,
  ) {
    this.transport = transport;
    this.manager = manager;
    this.info = info;
    this.#onClosed = onClosed;
    this.#peerPem = peerPem;
    transport.handler = this;
    const { config, context } = manager;
    const version = config.codec === 'auto' ? httpVersionOfAlpn(info.tls?.alpn ?? '') : config.codec;
    if (version !== undefined) {
      manager.protocols.note(version, context.clock.now());
      this.#begin(version);
    }
    const nowMs = context.clock.monotonicMs();
    if (config.idleTimeoutMs > 0) {
      context.wheel.arm(this.#idle, nowMs, config.idleTimeoutMs);
    }
    const lifetime = lifetimeMs(config.maxConnectionDurationMs, info.tls, context.clock.now());
    if (lifetime > 0) {
      context.wheel.arm(this.#duration, nowMs, lifetime);
    }
  }

  #begin(version: 'http1' | 'http2'): DownstreamCodec {
    const { transport, manager } = this;
    const codec =
      version === 'http1'
        ? new Http1DownstreamCodec(this, transport.output, manager.limits, manager.rules)
        : this.#beginHttp2();
    this.#codec = codec;
    if (version === 'http1') {
      manager.counters.http1ConnectionsTotal += 1;
    }
    if (this.#lastRequest) {
      codec.beginDrain();
    }
    return codec;
  }

  #beginHttp2(): Http2DownstreamCodec {
    const { transport, manager, info } = this;
    const { context, config } = manager;
    const settings = info.tls?.alpn === weftAlpn ? manager.http2NamesSettings : manager.http2Settings;
    const codec = new Http2DownstreamCodec(this, transport.output, settings, context.counters.http2);
    transport.gathersWrites = true;
    manager.counters.http2ConnectionsTotal += 1;
    this.#keepalive = Keepalive.start(config.http2, codec, context, () => {
      context.counters.http2.keepaliveTimeout += 1;
      transport.destroy(new Error('http2_ping_timeout'));
    });
    return codec;
  }

  get multiplexed(): boolean {
    return this.#codec?.protocol === 'HTTP/2';
  }

  /** No request is under way. */
  get isIdle(): boolean {
    return this.#streams.size === 0 && (this.#codec === undefined ? this.#first.length === 0 : this.#codec.idle);
  }

  /** The XFCC element of this connection's peer; undefined when it did not prove an identity. */
  clientCertElement(): string | undefined {
    const { tls } = this.info;
    if (tls === undefined || !tls.peerVerified) {
      return undefined;
    }
    this.#element ??= clientCertElement(tls, this.manager.config.setCurrentClientCert, this.#peerPem());
    return this.#element;
  }

  /** The next response says `Connection: close`, or GOAWAY goes out. */
  beginDrain(): void {
    this.#lastRequest = true;
    this.#codec?.beginDrain();
  }

  /** Ends the connection if no request is under way. */
  closeIfIdle(): void {
    if (this.isIdle) {
      this.#end();
    }
  }

  destroy(): void {
    this.transport.destroy();
  }

  /** Bytes that this connection and its requests keep in memory. */
  get heldBytes(): number {
    let bytes = this.transport.queuedBytes;
    for (let stream = this.#streams.first; stream !== undefined; stream = stream.nextInList) {
      bytes += stream.heldBytes;
    }
    return bytes;
  }

  /** Since when the connection has carried no request (monotonic); undefined while it carries one, or if nobody counts. */
  get idleSinceMs(): number | undefined {
    return this.isIdle && this.#idle.armed ? this.#idle.deadlineMs - this.manager.config.idleTimeoutMs : undefined;
  }

  /** Ends the connection, or requests of it, when nothing has moved for `share` of the idle timeout. @returns whether it did. */
  endIfIdle(share: number, nowMs: number): boolean {
    if (this.#streams.size > 0) {
      return this.#streams.snapshot().filter((stream) => stream.endIfIdle(share, nowMs)).length > 0;
    }
    const { idleTimeoutMs } = this.manager.config;
    if (!this.#idle.armed || nowMs - (this.#idle.deadlineMs - idleTimeoutMs) < idleTimeoutMs * share) {
      return false;
    }
    this.closeIfIdle();
    return true;
  }

  /** Gives up what is under way, to free the memory that it holds. */
  resetForOverload(): void {
    const all = this.#streams.snapshot();
    // Where the streams hold more than the connection itself, those that hold something go and the others go on.
    const isHeldByStreams = this.multiplexed && this.heldBytes > 2 * this.transport.queuedBytes;
    const streams = isHeldByStreams ? all.filter((stream) => stream.heldBytes > 0) : all;
    const isAnswering = streams.some((stream) => stream.response.started);
    for (const stream of streams) {
      if (!stream.finished) {
        stream.resetForOverload();
      }
    }
    if (!isHeldByStreams && (streams.length === 0 || isAnswering)) {
      // What is queued would be held until the client takes it.
      this.transport.destroy();
    }
  }

  // ------------------------------------------------------------------------------------------ transport

  onData(bytes: Buffer, start: number, end: number): void {
    const codec = this.#codec;
    if (codec === undefined) {
      this.#sniff(bytes, start, end);
    } else {
      codec.receive(bytes, start, end);
    }
    const { requestHeadersTimeoutMs } = this.manager.config;
    if (requestHeadersTimeoutMs > 0 && this.#codec?.headIncomplete !== false && !this.#headers.armed) {
      const { wheel, clock } = this.manager.context;
      wheel.arm(this.#headers, clock.monotonicMs(), requestHeadersTimeoutMs);
    }
  }

  /** Clients with prior knowledge of HTTP/2 say so first (RFC 9113 §3.3). */
  #sniff(bytes: Buffer, start: number, end: number): void {
    if (this.#first.length === 0) {
      const verdict = startsLikeHttp2(bytes, start, end);
      if (verdict === 'need-more') {
        this.#first = Buffer.from(bytes.subarray(start, end));
      } else {
        this.#beginAs(verdict, bytes[start]).receive(bytes, start, end);
      }
      return;
    }
    const first = Buffer.concat([this.#first, bytes.subarray(start, end)]);
    const verdict = startsLikeHttp2(first, 0, first.length);
    this.#first = first;
    if (verdict !== 'need-more') {
      this.#first = nothing;
      this.#beginAs(verdict, first[0]).receive(first, 0, first.length);
    }
  }

  /** What is no HTTP/2 is taken for HTTP/1, whose codec refuses a ClientHello; that the client took the port for TLS is worth telling. */
  #beginAs(isHttp2: 'yes' | 'no', firstByte: number | undefined): DownstreamCodec {
    const { protocols, context } = this.manager;
    const version = isHttp2 === 'yes' ? 'http2' : 'http1';
    protocols.note(firstByte === tlsHandshake ? 'tls' : version, context.clock.now());
    return this.#begin(version);
  }

  /** What came is taken for HTTP/1, whose codec says what is wrong with it. */
  #giveUpSniffing(): DownstreamCodec {
    const first = this.#first;
    this.#first = nothing;
    const codec = this.#begin('http1');
    if (first.length > 0) {
      codec.receive(first, 0, first.length);
    }
    return codec;
  }

  onEnd(): void {
    const codec = this.#codec ?? this.#giveUpSniffing();
    if (codec.protocol === 'HTTP/2') {
      // Such a client can grant no windows and answer nothing: its streams are given up, as Envoy does.
      codec.receiveEnd();
      this.transport.destroy();
      return;
    }
    const stream = this.#streams.first;
    if (stream !== undefined && !stream.info.upgraded && !this.#awaitsAnswer(stream)) {
      stream.onDownstreamGone('downstream_remote_disconnect');
      this.transport.destroy();
      return;
    }
    codec.receiveEnd();
  }

  /** Whether a client that ends its side just now may still want what it asked for. */
  #awaitsAnswer({ requestComplete, info }: HttpStream): boolean {
    return requestComplete && this.manager.context.clock.monotonicMs() - info.requestEndMs <= halfCloseMs;
  }

  onClose(): void {
    const { wheel } = this.manager.context;
    for (const timer of [this.#idle, this.#headers, this.#duration, this.#close]) {
      wheel.remove(timer);
    }
    this.#keepalive?.stop();
    for (let stream = this.#streams.first; stream !== undefined; stream = this.#streams.first) {
      stream.onDownstreamGone('downstream_remote_disconnect');
    }
    this.#onClosed(this);
  }

  onWritable(writable: boolean): void {
    if (writable) {
      this.#codec?.outputWritable();
    }
    for (const stream of this.#streams.snapshot()) {
      stream.setReadPause('connection', !writable);
    }
  }

  // ------------------------------------------------------------------------------------------ codec

  onRequest(head: RequestHead, encoder: ResponseEncoder, endStream: boolean): RequestSink {
    const { wheel } = this.manager.context;
    wheel.cancel(this.#idle);
    wheel.cancel(this.#headers);
    if (head.upgrade === 'h2c' && endStream && offersH2c(this.manager.config, this.info, head)) {
      return this.#upgradeToHttp2(head, encoder);
    }
    this.#requests += 1;
    const stream = takeStream();
    this.#streams.add(stream);
    return stream.begin(this, head, encoder, endStream);
  }

  /** RFC 7540 §3.2: the connection goes on in HTTP/2, in which the request that asked for it is stream 1. */
  #upgradeToHttp2(head: RequestHead, encoder: ResponseEncoder): RequestSink {
    const settings = head.getKnown(KnownHeader.http2Settings, 'http2-settings') ?? '';
    return acceptH2cUpgrade(encoder, () => {
      const codec = this.#beginHttp2();
      this.#codec = codec;
      head.upgrade = '';
      codec.acceptUpgrade(head, settings);
      return codec;
    });
  }

  onCodecError(detail: CodecErrorDetail, encoder: ResponseEncoder | undefined): void {
    if (this.multiplexed) {
      this.#onHttp2Error(detail, encoder);
      return;
    }
    const stream = this.#streams.first;
    if (stream !== undefined) {
      if (detail === 'http1.unexpected_end') {
        stream.onDownstreamGone('downstream_remote_disconnect');
        this.transport.destroy();
      } else if (stream.response.started || encoder === undefined) {
        stream.info.responseFlags |= ResponseFlag.DPE;
        stream.info.responseCodeDetails = detail;
        stream.abort();
      } else {
        stream.reply(codecErrorReply(detail));
      }
      return;
    }
    if (encoder === undefined) {
      this.transport.destroy();
      return;
    }
    this.#answerWithoutRequest(encoder, codecErrorReply(detail));
  }

  /** A request that never became one is answered. A connection that breaks the rules is at its end: the log says by which. */
  #onHttp2Error(detail: CodecErrorDetail, encoder: ResponseEncoder | undefined): void {
    if (encoder !== undefined) {
      this.#answerWithoutRequest(encoder, codecErrorReply(detail));
    } else if (detail !== 'http2.unexpected_end') {
      this.#beginWithoutRequest(undefined).onReset(detail);
    }
  }

  /** A response to something that never became a request; it is logged like any other. */
  #answerWithoutRequest(encoder: ResponseEncoder, reply: LocalReply): void {
    this.#beginWithoutRequest(encoder).reply(reply);
  }

  #beginWithoutRequest(encoder: ResponseEncoder | undefined): HttpStream {
    const stream = takeStream();
    this.#streams.add(stream);
    const head = takeRequestHead();
    head.protocol = this.#codec?.protocol ?? 'HTTP/1.1';
    stream.beginWithoutRequest(this, head, encoder);
    return stream;
  }

  onReadPressure(pause: boolean): void {
    if (this.#ending) {
      return;
    }
    this.#paused = pause;
    if (pause) {
      this.transport.pause();
    } else {
      this.transport.resume();
    }
  }

  onFinished(): void {
    this.#end();
  }

  // ------------------------------------------------------------------------------------------ streams

  /** @internal before a response's head is written. */
  beforeResponse(encoder: ResponseEncoder | undefined): void {
    const { config, context } = this.manager;
    const { maxRequestsPerConnection } = config;
    const isOverloaded = (context.overload.active & OverloadBit.noKeepalive) !== 0;
    if (isOverloaded) {
      context.overload.count('envoy.overload_actions.disable_http_keepalive');
    }
    if (
      isOverloaded ||
      this.#lastRequest ||
      (maxRequestsPerConnection > 0 && this.#requests >= maxRequestsPerConnection)
    ) {
      encoder?.closeAfterResponse();
    }
  }

  /** @internal a tunnel's upstream will send nothing more; the client may go on. */
  endTunnelResponse(encoder: ResponseEncoder | undefined): void {
    if (this.multiplexed) {
      encoder?.encodeEnd(undefined);
    } else {
      this.transport.end();
    }
  }

  /** @internal */
  streamEnded(stream: HttpStream): void {
    this.#streams.remove(stream);
    if (this.#streams.size > 0 || this.transport.isClosed || this.#ending) {
      return;
    }
    const { config, context } = this.manager;
    if (config.idleTimeoutMs > 0) {
      context.wheel.arm(this.#idle, context.clock.monotonicMs(), config.idleTimeoutMs);
    }
  }

  /** @internal the stream's object has been given back: what waits may begin. */
  proceed(): void {
    if (!this.transport.isClosed && !this.#ending) {
      this.#codec?.proceed();
    }
  }

  onTimer(kind: number): void {
    runEvent(this.transport.context, this.transport, () => this.#onTimer(kind));
  }

  #onTimer(kind: number): void {
    if (kind === headersTimer) {
      this.#onHeadersTimeout();
    } else if (kind === closeTimer) {
      this.transport.destroy();
    } else if (this.#streams.size === 0 && (kind === idleTimer || this.isIdle)) {
      this.beginDrain();
      this.#end();
    } else {
      this.beginDrain();
    }
  }

  #onHeadersTimeout(): void {
    const codec = this.#codec ?? this.#giveUpSniffing();
    if (!codec.headIncomplete || (codec.protocol === 'HTTP/1.1' && this.#streams.size > 0)) {
      return;
    }
    this.#lastRequest = true;
    this.#answerWithoutRequest(codec.refuseHead(), localReplies.requestHeadersTimeout);
    if (this.isIdle) {
      this.#end();
    }
  }

  /** Writes what is left, tells the peer that this was all, and gives it a moment to take it. */
  #end(): void {
    if (this.#ending) {
      return;
    }
    this.#ending = true;
    this.transport.end();
    if (this.#paused) {
      // Reading on keeps the kernel from answering unread bytes with a reset that would overtake our response.
      this.#paused = false;
      this.transport.resume();
    }
    const { config, context } = this.manager;
    context.wheel.arm(this.#close, context.clock.monotonicMs(), Math.max(config.delayedCloseTimeoutMs, 10));
  }
}
