import {
  type CodecErrorDetail,
  type DownstreamCodec,
  type DownstreamEvents,
  Http1DownstreamCodec,
  type RequestHead,
  type RequestSink,
  type ResponseEncoder,
  takeRequestHead,
} from '@weft/http-codec';
import { codecErrorReply, localReplies } from '../../local-reply.ts';
import { OverloadBit } from '../../overload/overload-state.ts';
import { ResponseFlag } from '../../response-flag.ts';
import type { DownstreamConnectionInfo } from '../../stream-info.ts';
import type { Connection, ConnectionHandler } from '../../transport/connection.ts';
import { runEvent } from '../../transport/guarded-event.ts';
import { type TimerOwner, WheelTimer } from '../../transport/timer-wheel.ts';
import { clientCertElement } from './forwarded-client-cert.ts';
import type { HttpManager } from './http-manager.ts';
import { type HttpStream, takeStream } from './http-stream.ts';

const idleTimer = 0;
const headersTimer = 1;
const durationTimer = 2;
const closeTimer = 3;

/** One downstream connection under an HTTP connection manager. */
export class HttpConnection implements ConnectionHandler, DownstreamEvents, TimerOwner {
  readonly transport: Connection;
  readonly manager: HttpManager;
  readonly info: DownstreamConnectionInfo;
  readonly #codec: DownstreamCodec;
  readonly #onClosed: (connection: HttpConnection) => void;
  readonly #peerPem: () => string;
  readonly #idle: WheelTimer = new WheelTimer(this, idleTimer);
  readonly #headers: WheelTimer = new WheelTimer(this, headersTimer);
  readonly #duration: WheelTimer = new WheelTimer(this, durationTimer);
  readonly #close: WheelTimer = new WheelTimer(this, closeTimer);
  #stream: HttpStream | undefined = undefined;
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
    this.#codec = new Http1DownstreamCodec(this, transport.output, manager.limits, manager.rules);
    transport.handler = this;
    const { config, context } = manager;
    const nowMs = context.clock.monotonicMs();
    if (config.idleTimeoutMs > 0) {
      context.wheel.arm(this.#idle, nowMs, config.idleTimeoutMs);
    }
    if (config.maxConnectionDurationMs > 0) {
      context.wheel.arm(this.#duration, nowMs, config.maxConnectionDurationMs);
    }
  }

  /** No request is under way. */
  get isIdle(): boolean {
    return this.#stream === undefined && this.#codec.idle;
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

  /** The next response says `Connection: close`. */
  beginDrain(): void {
    this.#lastRequest = true;
    this.#codec.beginDrain();
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

  /** Bytes that this connection and its request keep in memory. */
  get heldBytes(): number {
    return this.transport.queuedBytes + (this.#stream?.heldBytes ?? 0);
  }

  /** Ends the connection, or its request, when nothing has moved for `share` of the idle timeout. @returns whether it did. */
  endIfIdle(share: number, nowMs: number): boolean {
    if (this.#stream !== undefined) {
      return this.#stream.endIfIdle(share, nowMs);
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
    const stream = this.#stream;
    const isAnswering = stream?.responseStarted === true;
    stream?.resetForOverload();
    if (stream === undefined || isAnswering) {
      // What is queued would be held until the client takes it.
      this.transport.destroy();
    }
  }

  // ------------------------------------------------------------------------------------------ transport

  onData(bytes: Buffer, start: number, end: number): void {
    this.#codec.receive(bytes, start, end);
    const { requestHeadersTimeoutMs } = this.manager.config;
    if (requestHeadersTimeoutMs > 0 && this.#codec.headIncomplete && !this.#headers.armed) {
      const { wheel, clock } = this.manager.context;
      wheel.arm(this.#headers, clock.monotonicMs(), requestHeadersTimeoutMs);
    }
  }

  onEnd(): void {
    const stream = this.#stream;
    if (stream !== undefined && !stream.info.upgraded && !stream.requestComplete) {
      stream.onDownstreamGone('downstream_remote_disconnect');
      this.transport.destroy();
      return;
    }
    this.#codec.receiveEnd();
  }

  onClose(): void {
    const { wheel } = this.manager.context;
    for (const timer of [this.#idle, this.#headers, this.#duration, this.#close]) {
      wheel.remove(timer);
    }
    this.#stream?.onDownstreamGone('downstream_remote_disconnect');
    this.#onClosed(this);
  }

  onWritable(writable: boolean): void {
    this.#stream?.attempt.setReadPause(!writable);
  }

  // ------------------------------------------------------------------------------------------ codec

  onRequest(head: RequestHead, encoder: ResponseEncoder, endStream: boolean): RequestSink {
    const { wheel } = this.manager.context;
    wheel.cancel(this.#idle);
    wheel.cancel(this.#headers);
    this.#requests += 1;
    const stream = takeStream();
    this.#stream = stream;
    stream.begin(this, head, encoder, endStream);
    return stream;
  }

  onCodecError(detail: CodecErrorDetail, encoder: ResponseEncoder | undefined): void {
    const stream = this.#stream;
    if (stream !== undefined) {
      if (detail === 'http1.unexpected_end') {
        stream.onDownstreamGone('downstream_remote_disconnect');
        this.transport.destroy();
      } else if (stream.responseStarted || encoder === undefined) {
        stream.info.responseFlags |= ResponseFlag.DPE;
        stream.info.responseCodeDetails = detail;
        stream.abortResponse();
      } else {
        stream.reply(codecErrorReply(detail));
      }
      return;
    }
    if (encoder === undefined) {
      this.transport.destroy();
      return;
    }
    this.#answerWithoutRequest(encoder, () => codecErrorReply(detail));
  }

  /** A response to something that never became a request; it is logged like any other. */
  #answerWithoutRequest(encoder: ResponseEncoder, reply: () => ReturnType<typeof codecErrorReply>): void {
    const stream = takeStream();
    this.#stream = stream;
    stream.beginWithoutRequest(this, takeRequestHead(), encoder);
    stream.reply(reply());
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

  /** @internal */
  streamEnded(stream: HttpStream): void {
    if (this.#stream !== stream) {
      return;
    }
    this.#stream = undefined;
    if (this.transport.isClosed || this.#ending) {
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
      this.#codec.proceed();
    }
  }

  onTimer(kind: number): void {
    runEvent(this.transport.context, this.transport, () => this.#onTimer(kind));
  }

  #onTimer(kind: number): void {
    if (kind === headersTimer) {
      if (this.#codec.headIncomplete && this.#stream === undefined) {
        this.#lastRequest = true;
        this.#answerWithoutRequest(this.#codec.refuseHead(), () => localReplies.requestHeadersTimeout);
      }
    } else if (kind === closeTimer) {
      this.transport.destroy();
    } else if (this.isIdle || kind === idleTimer) {
      this.#end();
    } else {
      this.beginDrain();
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
