import {
  type CodecErrorDetail,
  HeadFields,
  noHeaders,
  RequestHead,
  type RequestSink,
  type ResponseEncoder,
  releaseFields,
  releaseRequestHead,
} from '@weft/http-codec';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Linked } from '../../linked-list.ts';
import { type LocalReply, localReplies } from '../../local-reply.ts';
import { ResponseFlag } from '../../response-flag.ts';
import type { RouteSubject } from '../../route/route-match.ts';
import type {
  CompiledCluster,
  CompiledRoute,
  CompiledRouteTable,
  CompiledVirtualHost,
} from '../../route/route-table.ts';
import type { VirtualHost } from '../../runtime-config/config.ts';
import { StreamInfo, type TlsFacts } from '../../stream-info.ts';
import { runEvent } from '../../transport/guarded-event.ts';
import { type TimerOwner, WheelTimer } from '../../transport/timer-wheel.ts';
import { BodyBuffer } from './body-buffer.ts';
import { DownstreamResponse } from './downstream-response.ts';
import { EndpointChoice } from './endpoint-choice.ts';
import { FilterState } from './filters/filter-state.ts';
import { isGrpc } from './grpc/grpc-request.ts';
import { MessageCounter } from './grpc/message-counter.ts';
import type { GrpcWebTranslation } from './grpc-web/grpc-web-request.ts';
import { GrpcWebTextSink } from './grpc-web/request-sink.ts';
import type { HttpConnection } from './http-connection.ts';
import type { HttpManager } from './http-manager.ts';
import { RetryState } from './retry-state.ts';
import { StreamTimer, streamTimerCount } from './stream-timer.ts';
import { onRequestComplete, onRouterTimer } from './tries.ts';
import { type ResponsePause, UpstreamAttempt } from './upstream-attempt.ts';

const neverHead = new RequestHead();

/** Why the body of a request stands still: no upstream takes it yet, its connection is full, or its stream's window is. */
type RequestPause = 'waiting' | 'upstream' | 'upstream-window';
const requestPauseBits: Readonly<Record<RequestPause, number>> = { waiting: 1, upstream: 2, 'upstream-window': 4 };

/** One request with its response, from the head's arrival to the end of both. Objects are used again. */
export class HttpStream implements RequestSink, RouteSubject, TimerOwner, Linked<HttpStream> {
  previousInList: HttpStream | undefined = undefined;
  nextInList: HttpStream | undefined = undefined;
  readonly info: StreamInfo = new StreamInfo();
  attempt: UpstreamAttempt = new UpstreamAttempt(this);
  readonly body: BodyBuffer = new BodyBuffer();
  readonly retries: RetryState = new RetryState();
  readonly endpointChoice: EndpointChoice = new EndpointChoice();
  readonly filters: FilterState = new FilterState();
  readonly response: DownstreamResponse = new DownstreamResponse(this);
  readonly #timers: readonly WheelTimer[] = Array.from(
    { length: streamTimerCount },
    (_, kind) => new WheelTimer(this, kind),
  );
  /** Changes with each use of the object, so that late answers can tell. */
  generation = 0;
  /** Set by `begin`, before anything can look. */
  connection!: HttpConnection;
  manager!: HttpManager;
  head: RequestHead = neverHead;
  #nextStep = 0;
  #requestPaused = 0;
  /** Translates the body before this stream gets it. */
  #bodySink: RequestSink | undefined = undefined;
  readonly #messages = new MessageCounter();

  table: CompiledRouteTable | undefined = undefined;
  virtualHost: CompiledVirtualHost | undefined = undefined;
  route: CompiledRoute | undefined = undefined;
  choice: CompiledCluster | undefined = undefined;
  cluster: Cluster | undefined = undefined;
  askedForVirtualHost = false;
  /** The kept body is the whole body so far, so it can be sent again. */
  bodyReplayable = true;

  /** A timeout is answered with 204 and nothing more. */
  timeoutIsEmptyAnswer = false;
  requestComplete = false;
  /** Of the route, or what a request of an internal client asks for: from its end to that of the answer; 0 = none. */
  timeoutMs = 0;
  /** What a try may take; 0 = no limit. */
  tryTimeMs = 0;
  /** Its client counts as internal: it may steer the proxy by fields. */
  isInternal = false;
  /** It came to the router, which forwards it. */
  routed = false;
  finished = true;

  get tls(): TlsFacts | undefined {
    return this.connection.info.tls;
  }

  /** As the client wrote it (HTTP/2, absolute form), or what its connection or the hop before says. */
  get scheme(): string {
    const { targetScheme } = this.head;
    return targetScheme === '' ? this.info.scheme : targetScheme;
  }

  get pathOnly(): string {
    const { path } = this.head;
    if (path === '') {
      return '/';
    }
    const question = path.indexOf('?');
    return question < 0 ? path : path.slice(0, question);
  }

  get random(): () => number {
    return this.manager.context.random;
  }

  get virtualHostConfig(): VirtualHost | undefined {
    return this.virtualHost?.config;
  }

  /** Takes a request and runs it through the steps. @returns who receives the body. */
  begin(connection: HttpConnection, head: RequestHead, encoder: ResponseEncoder, endStream: boolean): RequestSink {
    const { manager } = connection;
    this.connection = connection;
    this.manager = manager;
    this.head = head;
    this.response.begin(encoder);
    this.finished = false;
    this.requestComplete = endStream;
    const { context } = manager;
    const { info } = this;
    info.begin(head, connection.info, context.clock);
    info.isGrpc = isGrpc(head);
    if (head.protocol === 'HTTP/2') {
      manager.counters.http2RequestsTotal += 1;
    } else {
      manager.counters.http1RequestsTotal += 1;
    }
    if (manager.config.streamIdleTimeoutMs > 0) {
      this.armAt(StreamTimer.idle, info.startMs, manager.config.streamIdleTimeoutMs);
    }
    if (endStream) {
      info.requestEndMs = info.startMs;
    } else if (manager.config.requestTimeoutMs > 0) {
      this.armAt(StreamTimer.request, info.startMs, manager.config.requestTimeoutMs);
    }
    this.#runSteps(0);
    if (endStream && !this.finished && !this.response.started) {
      onRequestComplete(this);
    }
    return this.#bodySink ?? this;
  }

  /** Stands for something that never became a request; only `reply` may follow. */
  beginWithoutRequest(connection: HttpConnection, head: RequestHead, encoder: ResponseEncoder | undefined): void {
    this.connection = connection;
    this.manager = connection.manager;
    this.head = head;
    this.response.begin(encoder);
    this.finished = false;
    this.requestComplete = true;
    this.info.begin(head, connection.info, connection.manager.context.clock);
  }

  #runSteps(from: number): void {
    const { steps } = this.manager;
    for (let index = from; index < steps.length; index += 1) {
      const step = steps[index];
      if (step !== undefined && step(this) !== 0) {
        this.#nextStep = index + 1;
        return;
      }
    }
  }

  /** A filter that answered `stop` goes on with the one behind it. */
  continueRequest(_from: string): void {
    if (!this.finished && !this.response.started) {
      this.#runSteps(this.#nextStep);
      if (this.requestComplete && !this.finished && !this.response.started) {
        onRequestComplete(this);
      }
    }
  }

  /** The request was made gRPC of gRPC-Web: so is its body, and the response is made gRPC-Web. */
  translateGrpcWeb({ requestText, responseText }: GrpcWebTranslation): void {
    this.info.isGrpc = true;
    this.response.translateToGrpcWeb(responseText);
    if (requestText) {
      this.#bodySink = new GrpcWebTextSink(this, this);
    }
  }

  onInvalidGrpcWebBody(): void {
    if (!this.finished) {
      this.replyOrAbort(localReplies.invalidGrpcWebBody);
    }
  }

  nowMs(): number {
    return this.manager.context.clock.monotonicMs();
  }

  arm(timer: number, delayMs: number): void {
    this.armAt(timer, this.nowMs(), delayMs);
  }

  armAt(timer: number, nowMs: number, delayMs: number): void {
    this.manager.context.wheel.arm(this.#timers[timer] as WheelTimer, nowMs, delayMs);
  }

  cancel(timer: number): void {
    this.manager.context.wheel.cancel(this.#timers[timer] as WheelTimer);
  }

  onTimer(kind: number): void {
    if (this.finished) {
      return;
    }
    const { transport } = this.connection;
    runEvent(transport.context, transport, () => this.#onTimer(kind));
  }

  #onTimer(kind: number): void {
    switch (kind) {
      case StreamTimer.idle:
        this.replyOrAbort(this.#late(localReplies.streamIdleTimeout));
        break;
      case StreamTimer.request:
        this.replyOrAbort(localReplies.requestTimeout);
        break;
      case StreamTimer.duration:
        this.manager.counters.maxDurationReached += 1;
        this.replyOrAbort(this.#late(localReplies.maxStreamDuration));
        break;
      case StreamTimer.faultDelay:
        this.filters.delayedBy?.continueAfterDelay(this);
        break;
      case StreamTimer.throttle:
        this.response.onThrottleTick();
        break;
      default:
        onRouterTimer(this, kind);
    }
  }

  /** Who was too slow: the client, as long as its request is not complete (408), else the upstream (504). */
  #late(reply: LocalReply): LocalReply {
    return this.requestComplete ? { ...reply, status: 504 } : reply;
  }

  /** Gives the request up: with this answer, or by breaking off the one that was begun. */
  replyOrAbort(reply: LocalReply): void {
    if (this.response.started) {
      this.info.responseFlags |= reply.flags;
      this.info.responseCodeDetails = reply.details;
      this.abort();
    } else {
      this.reply(reply);
    }
  }

  /** Something moved: the idle timeout of the route, or of the connection manager, begins anew. */
  touch(): void {
    const { streamIdleTimeoutMs } = this.manager.config;
    const routeIdle = this.route?.forward?.idleTimeoutMs;
    const idleMs = routeIdle ?? streamIdleTimeoutMs;
    const perTryIdleMs = this.retries.policy?.perTryIdleTimeoutMs ?? 0;
    if (perTryIdleMs > 0 && this.requestComplete && this.attempt.upstream !== undefined) {
      this.arm(StreamTimer.perTryIdle, perTryIdleMs);
    }
    if (idleMs > 0) {
      this.arm(StreamTimer.idle, idleMs);
    } else if (routeIdle === 0) {
      this.cancel(StreamTimer.idle);
    }
  }

  // ------------------------------------------------------------------------------------------ overload

  /** Bytes kept for this request: its body for a retry, what its upstream does not take, and what its client's window does not let out. */
  get heldBytes(): number {
    const { upstream } = this.attempt;
    const queued = upstream === undefined || upstream.multiplexed ? 0 : upstream.connection.queuedBytes;
    return this.body.length + queued + this.response.keptBytes;
  }

  /** Ends the request as its idle timeout would, when nothing has moved for `share` of it. @returns whether it did. */
  endIfIdle(share: number, nowMs: number): boolean {
    const timer = this.#timers[StreamTimer.idle] as WheelTimer;
    const idleMs = this.route?.forward?.idleTimeoutMs ?? this.manager.config.streamIdleTimeoutMs;
    if (!timer.armed || nowMs - (timer.deadlineMs - idleMs) < idleMs * share) {
      return false;
    }
    this.onTimer(StreamTimer.idle);
    return true;
  }

  /** Gives the request up to free what it holds. */
  resetForOverload(): void {
    this.replyOrAbort(localReplies.overloaded);
  }

  // ------------------------------------------------------------------------------------------ request

  /** No upstream takes the body yet: reading it stops. */
  holdRequest(): void {
    if (!this.requestComplete) {
      this.setRequestPause('waiting', true);
    }
  }

  /** The body may flow. */
  releaseRequest(): void {
    this.setRequestPause('waiting', false);
  }

  /** Counts the reasons to stop the request's body; it flows again when none is left. */
  setRequestPause(reason: RequestPause, pause: boolean): void {
    const bit = requestPauseBits[reason];
    const before = this.#requestPaused;
    this.#requestPaused = pause ? before | bit : before & ~bit;
    if ((before === 0) !== (this.#requestPaused === 0)) {
      this.response.pauseRequest(pause);
    }
  }

  /** The next try is made beside the one that is under way, which goes on. */
  setTryAside(): void {
    this.retries.hedged.push(this.attempt);
    this.attempt = new UpstreamAttempt(this);
  }

  onResponseWritable(writable: boolean): void {
    this.setReadPause('window', !writable);
  }

  /** Stops or resumes reading what the upstream answers. */
  setReadPause(reason: ResponsePause, pause: boolean): void {
    this.attempt.setReadPause(reason, pause);
    for (const hedged of this.retries.hedged) {
      hedged.setReadPause(reason, pause);
    }
  }

  onReset(detail: CodecErrorDetail): void {
    if (this.finished) {
      return;
    }
    const { info } = this;
    switch (detail) {
      case 'http2.remote_reset':
      case 'http2.remote_refuse':
        info.responseFlags |= ResponseFlag.DR;
        break;
      case 'http2.unexpected_end':
        info.responseFlags |= ResponseFlag.DC;
        break;
      default:
        info.responseFlags |= ResponseFlag.DPE;
    }
    info.responseCodeDetails = detail === 'http2.unexpected_end' ? 'downstream_remote_disconnect' : detail;
    this.#giveUp();
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    const { info } = this;
    const size = end - start;
    info.bytesReceived += size;
    info.wireBytesReceived += size;
    if (this.finished || this.response.complete) {
      return;
    }
    if (info.isGrpc) {
      this.#messages.scan(bytes, start, end);
    }
    this.touch();
    if (this.filters.mirrors.length > 0) {
      this.filters.mirrorData(bytes, start, end);
    }
    const { encoder } = this.attempt;
    const keep =
      encoder === undefined ||
      (this.bodyReplayable && !this.response.started && (this.retries.left > 0 || this.body.length > 0));
    if (keep && this.bodyReplayable) {
      this.body.append(bytes, start, end);
    }
    if (encoder === undefined) {
      return;
    }
    encoder.encodeData(bytes, start, end);
    if (!keep) {
      this.bodyReplayable = false;
    } else if (this.body.length > this.#bodyLimitBytes) {
      this.bodyReplayable = false;
      this.body.clear();
    }
  }

  /** Most of the body that is kept for a retry. */
  get #bodyLimitBytes(): number {
    return (
      this.route?.config.requestBufferLimitBytes ??
      this.virtualHostConfig?.requestBufferLimitBytes ??
      this.cluster?.config.bufferLimitBytes ??
      0
    );
  }

  onBodyEnd(trailers: HeadFields | undefined): void {
    if (this.finished) {
      return;
    }
    const nowMs = this.nowMs();
    this.requestComplete = true;
    this.info.requestEndMs = nowMs;
    this.cancel(StreamTimer.request);
    this.body.trailers = trailers;
    this.filters.endMirrors(trailers);
    const { encoder } = this.attempt;
    if (this.info.upgraded) {
      this.attempt.endTunnelRequest();
      this.response.onTunnelRequestEnd();
      return;
    }
    if (encoder !== undefined) {
      encoder.encodeEnd(trailers);
      this.attempt.requestSent = true;
      this.info.upstreamRequestEndMs = nowMs;
    }
    onRequestComplete(this);
    this.finishIfAnswered();
  }

  /** The downstream connection is gone, or what it sent cannot be read any further. */
  onDownstreamGone(details: string): void {
    if (this.finished) {
      return;
    }
    const { info } = this;
    if (!this.response.complete) {
      info.responseFlags |= ResponseFlag.DC;
      info.responseCodeDetails = details;
    }
    this.#giveUp();
  }

  /** The client is not there any more to be answered. */
  #giveUp(): void {
    this.response.forsake();
    this.#detachTries(false);
    this.#finish();
  }

  // ------------------------------------------------------------------------------------------ response

  #detachTries(failed: boolean): void {
    this.attempt.detach(failed);
    this.retries.dropHedged();
  }

  /** The answer to a request whose time is up. */
  timeoutReply(reply: LocalReply): LocalReply {
    return this.timeoutIsEmptyAnswer ? { ...reply, status: 204, body: '' } : reply;
  }

  /** Nothing of the request will be sent again. */
  forgetBody(): void {
    if (this.body.length > 0) {
      this.bodyReplayable = false;
      this.body.clear();
    }
  }

  /** Answers the request; whatever was under way is given up. */
  reply(reply: LocalReply): void {
    if (!this.finished && !this.response.started) {
      this.#detachTries(true);
      this.response.sendLocal(reply);
    }
  }

  /** The response was begun and cannot be completed. */
  abort(): void {
    this.#detachTries(true);
    this.response.abort();
    this.#finish();
  }

  /** Both directions are through; or the response is, and the connection ends with it. */
  finishIfAnswered(): void {
    if (this.response.complete && !this.finished) {
      this.#finish();
    }
  }

  #finish(): void {
    this.finished = true;
    const { info, attempt, manager } = this;
    info.endMs = this.nowMs();
    if (info.isGrpc) {
      info.requestMessages = this.#messages.count;
      info.responseMessages = this.response.messageCount;
    }
    if (attempt.active) {
      attempt.finish(info.responseCode >= 500);
    }
    this.retries.release();
    this.filters.end(this);
    const { wheel } = manager.context;
    for (const timer of this.#timers) {
      wheel.cancel(timer);
    }
    this.connection.streamEnded(this);
    manager.context.onStreamEnd(info, manager.listener, manager.config);
    const { connection } = this;
    this.#recycle();
    connection.proceed();
  }

  #recycle(): void {
    this.generation += 1;
    const { head } = this;
    this.head = neverHead;
    releaseRequestHead(head);
    this.response.reset();
    const { responseTrailers } = this.info;
    this.info.reset();
    this.info.requestHeaders = noHeaders;
    if (responseTrailers instanceof HeadFields) {
      releaseFields(responseTrailers);
    }
    this.body.clear();
    this.bodyReplayable = true;
    this.retries.reset();
    this.endpointChoice.reset();
    this.#bodySink = undefined;
    this.#requestPaused = 0;
    this.#messages.reset();
    this.table = undefined;
    this.virtualHost = undefined;
    this.route = undefined;
    this.choice = undefined;
    this.cluster = undefined;
    this.askedForVirtualHost = false;
    this.routed = false;
    this.isInternal = false;
    this.timeoutMs = 0;
    this.tryTimeMs = 0;
    this.timeoutIsEmptyAnswer = false;
    if (free.length < maxFree) {
      free.push(this);
    }
  }
}

const free: HttpStream[] = [];
const maxFree = 256;

/** A stream object to `begin` with. */
export function takeStream(): HttpStream {
  return free.pop() ?? new HttpStream();
}
