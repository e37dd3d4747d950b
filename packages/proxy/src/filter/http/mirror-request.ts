import {
  HeadFields,
  type RequestEncoder,
  type RequestHead,
  type ResponseHead,
  releaseRequestHead,
  releaseResponseHead,
  takeRequestHead,
} from '@weft/http-codec';
import type { CircuitBreaker } from '../../cluster/circuit-breaker.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import type { HttpPool, PoolWaiter } from '../../pool/http-pool.ts';
import type { UpstreamHttpConnection, UpstreamUser } from '../../pool/upstream-http-connection.ts';
import { runEvent } from '../../transport/guarded-event.ts';
import { type TimerOwner, WheelTimer } from '../../transport/timer-wheel.ts';
import type { HttpContext, ManagerCounters } from './http-context.ts';

/** Bytes of a body that wait for the mirror's upstream; a copy that is slower than that is given up. */
const maxMirrorBytes = 64 * 1024;

/**
 * The copy of a request that goes to another cluster; nobody waits for its answer. It lives by itself: the request that it was made of
 * may be over before. Whatever happens to it, that request does not notice: a copy that cannot keep up is given up.
 */
export class MirrorRequest implements UpstreamUser, PoolWaiter, TimerOwner {
  previousInList: UpstreamUser | undefined = undefined;
  nextInList: UpstreamUser | undefined = undefined;
  previousWaiting: PoolWaiter | undefined = undefined;
  nextWaiting: PoolWaiter | undefined = undefined;
  readonly #context: HttpContext;
  readonly #counters: ManagerCounters['mirror'];
  readonly #cluster: Cluster;
  readonly breaker: CircuitBreaker;
  readonly #head: RequestHead;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #endpoint: Endpoint | undefined = undefined;
  #waitingIn: HttpPool | undefined = undefined;
  #upstream: UpstreamHttpConnection | undefined = undefined;
  #encoder: RequestEncoder | undefined = undefined;
  #timer: WheelTimer | undefined = undefined;
  #writable = true;
  #windowOpen = true;
  /** The request has come to its end, … */
  #ended = false;
  #trailers: HeadFields | undefined = undefined;
  /** … and went out to its end. */
  #sent = false;
  #over = false;

  /** @param head is copied, edits included. */
  constructor(
    context: HttpContext,
    counters: ManagerCounters['mirror'],
    cluster: Cluster,
    breaker: CircuitBreaker,
    head: RequestHead,
  ) {
    this.#context = context;
    this.#counters = counters;
    this.#cluster = cluster;
    this.breaker = breaker;
    this.#head = takeRequestHead();
    this.#head.copyRequest(head);
  }

  /** The head of the copy, to be edited before `start`. */
  get head(): RequestHead {
    return this.#head;
  }

  /** @param timeoutMs 0: none. */
  start(timeoutMs: number, downstreamHttp2: boolean): void {
    this.#counters.started += 1;
    const endpoint = this.breaker.allowsRequest ? this.#cluster.pick() : undefined;
    if (endpoint === undefined) {
      this.#over = true;
      this.#counters.failed += 1;
      releaseRequestHead(this.#head);
      return;
    }
    this.#enter(endpoint);
    if (timeoutMs > 0) {
      this.#timer = new WheelTimer(this, 0);
      this.#context.wheel.arm(this.#timer, this.#context.clock.monotonicMs(), timeoutMs);
    }
    const pool = this.#cluster.poolOf(endpoint, downstreamHttp2);
    const upstream = pool.take();
    if (upstream !== undefined) {
      this.onPoolReady(upstream);
      return;
    }
    this.#waitingIn = pool;
    if (!pool.wait(this)) {
      this.#waitingIn = undefined;
      this.#fail();
    }
  }

  #enter(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
    this.breaker.requests += 1;
    const { counters } = this.#cluster;
    counters.requestsTotal += 1;
    counters.requestsActive += 1;
    endpoint.counters.requestsTotal += 1;
    endpoint.counters.requestsActive += 1;
    endpoint.active += 1;
  }

  /** Takes a piece of the body, valid during this call only. */
  encodeData(bytes: Buffer, start: number, end: number): void {
    if (this.#over || start === end) {
      return;
    }
    if (this.#encoder !== undefined && this.#flows && this.#waitingBytes === 0) {
      this.#encoder.encodeData(bytes, start, end);
      return;
    }
    this.#waitingBytes += end - start;
    if (this.#waitingBytes > maxMirrorBytes) {
      this.#counters.dropped += 1;
      this.cancel();
      return;
    }
    this.#waiting.push(Buffer.from(bytes.subarray(start, end)));
  }

  onEnd(trailers: HeadFields | undefined): void {
    if (this.#over) {
      return;
    }
    this.#ended = true;
    if (trailers !== undefined) {
      this.#trailers = new HeadFields();
      this.#trailers.copyFrom(trailers);
    }
    this.#sendEnd();
  }

  /** Gives the copy up: the request that it is a copy of was, or its time is over. */
  cancel(): void {
    if (!this.#over) {
      this.#waitingIn?.cancel(this);
      const upstream = this.#upstream;
      const encoder = this.#encoder;
      this.#leave(true);
      upstream?.abandon(this, encoder);
    }
  }

  get #flows(): boolean {
    return this.#writable && this.#windowOpen;
  }

  onPoolReady(upstream: UpstreamHttpConnection): void {
    this.#waitingIn = undefined;
    this.#upstream = upstream;
    this.breaker.noteSent();
    const encoder = upstream.open(this);
    this.#encoder = encoder;
    this.#writable = upstream.connection.writable;
    const head = this.#head;
    const bodyless = !head.hasBody;
    encoder.encodeRequest(head, bodyless);
    if (bodyless) {
      this.#sent = true;
    } else {
      this.#sendWaiting();
    }
  }

  onPoolFailure(): void {
    this.#waitingIn = undefined;
    this.#fail();
  }

  onUpstreamWritable(writable: boolean): void {
    this.#writable = writable;
    this.#sendWaiting();
  }

  onRequestWritable(writable: boolean): void {
    this.#windowOpen = writable;
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    const encoder = this.#encoder;
    while (encoder !== undefined && this.#flows && this.#waiting.length > 0) {
      const piece = this.#waiting.shift() as Buffer;
      this.#waitingBytes -= piece.length;
      encoder.encodeData(piece, 0, piece.length);
    }
    this.#sendEnd();
  }

  #sendEnd(): void {
    const encoder = this.#encoder;
    if (this.#ended && !this.#sent && encoder !== undefined && this.#waiting.length === 0) {
      this.#sent = true;
      encoder.encodeEnd(this.#trailers);
    }
  }

  onInformational(head: ResponseHead): void {
    releaseResponseHead(head);
  }

  onResponse(head: ResponseHead, endStream: boolean): void {
    const failed = head.status >= 500;
    releaseResponseHead(head);
    if (failed) {
      this.#counters.failed += 1;
    }
    if (endStream) {
      this.#finish();
    }
  }

  /** Nobody reads it. */
  onBodyData(): void {}

  onBodyEnd(): void {
    this.#finish();
  }

  onResponseError(): void {
    const upstream = this.#upstream;
    this.#fail();
    // The codec is done with the request: it is not to be cancelled.
    upstream?.abandon(this, undefined);
  }

  onTimer(): void {
    const connection = this.#upstream?.connection;
    if (connection === undefined) {
      this.#counters.failed += 1;
      this.cancel();
    } else {
      runEvent(connection.context, connection, () => {
        this.#counters.failed += 1;
        this.cancel();
      });
    }
  }

  #finish(): void {
    const upstream = this.#upstream;
    const encoder = this.#encoder;
    const sent = this.#sent;
    if (this.#over) {
      return;
    }
    this.#leave(false);
    if (upstream !== undefined && encoder !== undefined) {
      upstream.release(this, encoder, sent);
    }
  }

  #fail(): void {
    if (!this.#over) {
      this.#counters.failed += 1;
      this.#leave(true);
    }
  }

  /** Counts the copy as over. */
  #leave(failed: boolean): void {
    this.#over = true;
    this.#waitingIn = undefined;
    this.#upstream = undefined;
    this.#encoder = undefined;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    if (this.#timer !== undefined) {
      this.#context.wheel.remove(this.#timer);
    }
    this.breaker.requests -= 1;
    this.#cluster.counters.requestsActive -= 1;
    const endpoint = this.#endpoint;
    if (endpoint !== undefined) {
      endpoint.counters.requestsActive -= 1;
      endpoint.active -= 1;
      if (failed) {
        endpoint.counters.requestsError += 1;
      } else {
        endpoint.counters.requestsSuccess += 1;
      }
    }
    releaseRequestHead(this.#head);
  }
}
