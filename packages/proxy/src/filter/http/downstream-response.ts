import {
  type HeadFields,
  KnownHeader,
  type RequestHead,
  type ResponseEncoder,
  type ResponseHead,
  releaseResponseHead,
  takeResponseHead,
} from '@weft/http-codec';
import type { LocalReply } from '../../local-reply.ts';
import { portionIntervalMs, ResponseThrottle, type ThrottledResponse } from './filters/response-throttle.ts';
import { MessageCounter } from './grpc/message-counter.ts';
import { GrpcWebResponseEncoder } from './grpc-web/response-encoder.ts';
import { removeResponseHopByHop } from './hop-by-hop.ts';
import type { HttpStream } from './http-stream.ts';
import { localReplyHead, prepareUpstreamResponse } from './response-heads.ts';
import { StreamTimer } from './stream-timer.ts';

/** Only internal clients can say so: the field of others is gone. */
function isTraceForced(head: RequestHead): boolean {
  return head.indexOfKnown(KnownHeader.xEnvoy) >= 0 && head.has('x-envoy-force-trace');
}

/** The answer to one request on its way to the client: an upstream's or our own. A stream has one and uses the object again. */
export class DownstreamResponse implements ThrottledResponse {
  readonly #stream: HttpStream;
  #encoder: ResponseEncoder | undefined = undefined;
  #head: ResponseHead | undefined = undefined;
  /** The upstream of a tunnel will send nothing more. */
  #tunnelAnswered = false;
  readonly #messages = new MessageCounter();
  #throttle: ResponseThrottle | undefined = undefined;
  /** Its head went out. */
  started = false;
  /** Its end did, too. */
  complete = false;

  constructor(stream: HttpStream) {
    this.#stream = stream;
  }

  /** @param encoder undefined where nothing can be answered. */
  begin(encoder: ResponseEncoder | undefined): void {
    this.#encoder = encoder;
  }

  /** Nobody is there any more to be answered. */
  forsake(): void {
    this.#encoder = undefined;
  }

  /** What is sent is gRPC, but the client wants gRPC-Web. */
  translateToGrpcWeb(text: boolean): void {
    const encoder = this.#encoder;
    if (encoder !== undefined) {
      this.#encoder = new GrpcWebResponseEncoder(encoder, text);
    }
  }

  /** Bytes that the client's window does not let out. */
  get keptBytes(): number {
    return (this.#encoder?.keptBytes ?? 0) + (this.#throttle?.waitingBytes ?? 0);
  }

  get messageCount(): number {
    return this.#messages.count;
  }

  /** Stops or resumes the body of the request, which the codec reads. */
  pauseRequest(pause: boolean): void {
    this.#encoder?.pauseRequest(pause);
  }

  sendContinue(): void {
    const head = takeResponseHead();
    head.status = 100;
    this.#encoder?.encodeInformational(head);
    releaseResponseHead(head);
  }

  sendInformational(head: ResponseHead): void {
    removeResponseHopByHop(head, false);
    this.#encoder?.encodeInformational(head);
  }

  /** The upstream's response becomes ours. */
  sendUpstream(head: ResponseHead, endStream: boolean): void {
    const stream = this.#stream;
    const tunnel = head.status === 101 || (stream.head.method === 'CONNECT' && head.status >= 200 && head.status < 300);
    prepareUpstreamResponse(stream, head, tunnel);
    stream.touch();
    this.#sendHead(head, endStream, tunnel);
  }

  /** Sends an answer of our own, whole. */
  sendLocal(reply: LocalReply): void {
    const stream = this.#stream;
    const { info } = stream;
    info.responseFlags |= reply.flags;
    info.responseCodeDetails = reply.details;
    const head = localReplyHead(stream, reply);
    const body = info.isGrpc ? '' : reply.body;
    const bodyless = body === '' || stream.head.method === 'HEAD' || reply.status === 204 || reply.status === 304;
    const encoder = this.#encoder;
    this.#sendHead(head, bodyless, false);
    if (!bodyless) {
      const bytes = Buffer.from(body, 'latin1');
      info.bytesSent += bytes.length;
      info.wireBytesSent += bytes.length;
      encoder?.encodeData(bytes, 0, bytes.length);
      this.#encodeEnd(undefined);
    }
  }

  #sendHead(head: ResponseHead, endStream: boolean, tunnel: boolean): void {
    const stream = this.#stream;
    const { info, manager } = stream;
    if (info.requestId !== '' && (manager.config.alwaysSetRequestIdInResponse || isTraceForced(stream.head))) {
      head.set('x-request-id', info.requestId);
    }
    if (stream.virtualHostConfig?.includeAttemptCountInResponse === true) {
      head.set('x-envoy-attempt-count', String(info.attemptCount));
    }
    if (manager.config.via !== '') {
      head.add('via', manager.config.via);
    }
    this.#head = head;
    this.started = true;
    info.responseHeaders = head;
    info.responseCode = head.status;
    info.responseStartMs = stream.nowMs();
    info.wireBytesSent += head.size;
    if (tunnel) {
      info.upgraded = true;
      stream.requestComplete = false;
      stream.cancel(StreamTimer.route);
    }
    // The encoder may end the connection at once: this stream is complete then, so its state comes first.
    this.complete = endStream;
    stream.connection.beforeResponse(this.#encoder);
    this.#encoder?.encodeHead(head, endStream);
    if (endStream) {
      stream.finishIfAnswered();
    }
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const stream = this.#stream;
    const { info } = stream;
    const size = end - start;
    info.bytesSent += size;
    info.wireBytesSent += size;
    if (info.isGrpc) {
      this.#messages.scan(bytes, start, end);
    }
    stream.touch();
    if (this.#throttle === undefined) {
      this.#encoder?.encodeData(bytes, start, end);
    } else {
      this.#throttle.onData(bytes, start, end);
    }
  }

  /** From now on the body goes out at this rate. */
  throttle(bytesPerSecond: number): void {
    this.#throttle = new ResponseThrottle(bytesPerSecond, this);
  }

  onThrottleTick(): void {
    this.#throttle?.onTick();
  }

  send(bytes: Buffer, start: number, end: number): void {
    this.#stream.touch();
    this.#encoder?.encodeData(bytes, start, end);
  }

  sendEnd(trailers: HeadFields | undefined): void {
    this.#encodeEnd(trailers);
  }

  armTick(): void {
    this.#stream.arm(StreamTimer.throttle, portionIntervalMs);
  }

  pauseReading(pause: boolean): void {
    this.#stream.setReadPause('throttle', pause);
  }

  /** The upstream has sent everything. */
  onEnd(trailers: HeadFields | undefined): void {
    const stream = this.#stream;
    const { info } = stream;
    info.upstreamResponseEndMs = stream.nowMs();
    if (trailers !== undefined) {
      info.responseTrailers = trailers;
    }
    if (this.#throttle !== undefined && !info.upgraded) {
      this.#throttle.onEnd(trailers);
    } else if (!info.upgraded) {
      this.#encodeEnd(trailers);
    } else if (stream.requestComplete) {
      this.#encodeEnd(undefined);
    } else {
      // The client may still have something to say to the upstream.
      this.#tunnelAnswered = true;
      stream.connection.endTunnelResponse(this.#encoder);
    }
  }

  /** The client of a tunnel has ended; if its upstream had ended before, the tunnel is at its end. */
  onTunnelRequestEnd(): void {
    if (!this.#tunnelAnswered) {
      return;
    }
    this.complete = true;
    if (!this.#stream.connection.multiplexed) {
      this.#encoder?.encodeEnd(undefined);
    }
    this.#stream.finishIfAnswered();
  }

  #encodeEnd(trailers: HeadFields | undefined): void {
    this.complete = true;
    this.#encoder?.encodeEnd(trailers);
    this.#stream.finishIfAnswered();
  }

  /** Cuts off what was begun and cannot be completed. */
  abort(): void {
    const encoder = this.#encoder;
    this.#encoder = undefined;
    encoder?.abort();
  }

  /** Back to the state of a new object. */
  reset(): void {
    const head = this.#head;
    if (head !== undefined) {
      this.#head = undefined;
      releaseResponseHead(head);
    }
    this.#encoder = undefined;
    this.#throttle = undefined;
    this.#tunnelAnswered = false;
    this.#messages.reset();
    this.started = false;
    this.complete = false;
  }
}
