import {
  type CodecErrorDetail,
  type HeadFields,
  KnownHeader,
  type RequestEncoder,
  type RequestFate,
  type ResponseHead,
} from '@weft/http-codec';
import type { CircuitBreaker } from '../../cluster/circuit-breaker.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import { Outcome, type OutcomeCode } from '../../endpoint/outcome.ts';
import { matchesResponse } from '../../outlier-detection/response-match.ts';
import type { HttpPool, PoolWaiter } from '../../pool/http-pool.ts';
import type { UpstreamHttpConnection, UpstreamUser } from '../../pool/upstream-http-connection.ts';
import { grpcStatusNumber, httpStatusOfGrpc } from './grpc/grpc-status.ts';
import type { HttpStream } from './http-stream.ts';
import { onTryFailed, onTryInformational, onTryReady, onTryResponse } from './tries.ts';
import { resetReasonOf, type TryFailure } from './try-failure.ts';

/** Why the body of a response stands still: the client's connection is full, the window of its stream is, or it is throttled. */
export type ResponsePause = 'connection' | 'window' | 'throttle';
const responsePauseBits: Readonly<Record<ResponsePause, number>> = { connection: 1, window: 2, throttle: 4 };

/** One try at one endpoint. A stream has one at a time, but where it hedges, and uses the object again. */
export class UpstreamAttempt implements UpstreamUser, PoolWaiter {
  readonly stream: HttpStream;
  cluster: Cluster | undefined = undefined;
  endpoint: Endpoint | undefined = undefined;
  upstream: UpstreamHttpConnection | undefined = undefined;
  encoder: RequestEncoder | undefined = undefined;
  previousInList: UpstreamUser | undefined = undefined;
  nextInList: UpstreamUser | undefined = undefined;
  previousWaiting: PoolWaiter | undefined = undefined;
  nextWaiting: PoolWaiter | undefined = undefined;
  /** The end of the request went out. */
  requestSent = false;
  responseComplete = false;
  #breaker: CircuitBreaker | undefined = undefined;
  #waitingIn: HttpPool | undefined = undefined;
  #active = false;
  /** Monotonic; 0: nobody asks for it, or it was told. */
  #startedMs = 0;
  /** The endpoint was told how the try ended, … */
  #reported = false;
  /** … and whether that counts as an error of its. */
  #failed = false;
  /** Sum of `responsePauseBits`. */
  #paused = 0;
  #bytesReadBefore = 0;

  constructor(stream: HttpStream) {
    this.stream = stream;
  }

  get active(): boolean {
    return this.#active;
  }

  get breaker(): CircuitBreaker {
    const { cluster } = this;
    return this.#breaker ?? (cluster as Cluster).defaultBreaker;
  }

  /** Takes a connection or waits for one. @returns false when a circuit breaker refuses. */
  start(cluster: Cluster, endpoint: Endpoint, breaker: CircuitBreaker): boolean {
    if (!breaker.allowsRequest) {
      return false;
    }
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.#breaker = breaker;
    this.requestSent = false;
    this.responseComplete = false;
    this.#startedMs = endpoint.latency === undefined ? 0 : this.stream.nowMs();
    this.#reported = false;
    this.#failed = false;
    this.#enter();
    const pool = cluster.poolOf(endpoint, this.stream.info.protocol === 'HTTP/2');
    const upstream = pool.take();
    if (upstream !== undefined) {
      this.onPoolReady(upstream);
      return true;
    }
    this.#waitingIn = pool;
    if (pool.wait(this)) {
      return true;
    }
    this.#waitingIn = undefined;
    this.#leave(true);
    return false;
  }

  #enter(): void {
    this.#active = true;
    const { cluster, endpoint } = this;
    if (cluster !== undefined && endpoint !== undefined) {
      this.breaker.requests += 1;
      cluster.counters.requestsTotal += 1;
      cluster.counters.requestsActive += 1;
      endpoint.counters.requestsTotal += 1;
      endpoint.counters.requestsActive += 1;
      endpoint.active += 1;
    }
  }

  /** Counts the try as over. */
  #leave(failed: boolean): void {
    const { cluster, endpoint } = this;
    if (!this.#active || cluster === undefined || endpoint === undefined) {
      return;
    }
    this.#active = false;
    this.breaker.requests -= 1;
    cluster.counters.requestsActive -= 1;
    endpoint.counters.requestsActive -= 1;
    endpoint.active -= 1;
    this.#observeLatency(true);
    if (failed || this.#failed) {
      endpoint.counters.requestsError += 1;
    } else {
      endpoint.counters.requestsSuccess += 1;
    }
  }

  #report(outcome: OutcomeCode, status: number, grpcStatus: number): void {
    if (!this.#reported) {
      this.#reported = true;
      this.#failed = outcome !== Outcome.response || status >= 500;
      this.endpoint?.reportOutcome(outcome, status, grpcStatus);
    }
  }

  /** The endpoint did not answer in time. */
  reportTimeout(): void {
    this.#report(Outcome.timeout, 0, -1);
  }

  onPoolReady(upstream: UpstreamHttpConnection): void {
    this.#waitingIn = undefined;
    this.upstream = upstream;
    this.breaker.noteSent();
    this.endpoint?.reportOutcome(Outcome.connected, 0, -1);
    this.#bytesReadBefore = upstream.connection.bytesRead;
    this.encoder = upstream.open(this);
    if (!this.stream.connection.transport.writable) {
      this.setReadPause('connection', true);
    }
    if (!upstream.connection.writable) {
      this.onUpstreamWritable(false);
    }
    onTryReady(this.stream, this, upstream);
  }

  onPoolFailure(reason: string, timedOut: boolean): void {
    this.#waitingIn = undefined;
    this.#report(Outcome.connectFailure, 0, -1);
    this.#leave(true);
    onTryFailed(
      this.stream,
      this,
      'connect-failure',
      timedOut ? 'connection timeout' : 'remote connection failure',
      reason,
    );
  }

  onInformational(head: ResponseHead): void {
    onTryInformational(this.stream, head);
  }

  /** Once a try, where the balancer goes by it: the time until the head of the answer, waiting for a connection included. */
  #observeLatency(failed: boolean): void {
    const latency = this.endpoint?.latency;
    if (latency !== undefined && this.#startedMs !== 0) {
      const nowMs = this.stream.nowMs();
      latency.observe(nowMs - this.#startedMs, nowMs, failed);
      this.#startedMs = 0;
    }
  }

  onResponse(head: ResponseHead, endStream: boolean): void {
    this.#observeLatency(head.status >= 500);
    const checks = this.endpoint?.checks;
    if (checks !== undefined && head.has('x-envoy-immediate-health-check-fail')) {
      checks.failImmediately();
    }
    this.responseComplete = endStream;
    this.#reportResponse(head, endStream);
    onTryResponse(this.stream, this, head, endStream);
  }

  /** What the head says of the endpoint. For gRPC its own status counts, whatever the cluster takes for errors: that of the trailers, if the head has none. */
  #reportResponse(head: ResponseHead, endStream: boolean): void {
    const errors = this.cluster?.outlierErrors;
    if (this.stream.info.isGrpc) {
      if (endStream || head.indexOfKnown(KnownHeader.grpcStatus) >= 0) {
        this.#reportGrpc(head, head.status);
      } else if (head.status !== 200) {
        this.#report(Outcome.response, head.status, -1);
      }
    } else if (errors === undefined) {
      this.#report(Outcome.response, head.status, -1);
    } else {
      this.#report(Outcome.response, matchesResponse(errors, head) ? Math.max(head.status, 500) : 200, -1);
      this.#failed = head.status >= 500;
    }
  }

  /** @param fields the trailers, or a head that stands for them. @param status of HTTP, where they have none. */
  #reportGrpc(fields: HeadFields | undefined, status = 200): void {
    const grpcStatus = grpcStatusNumber(fields?.getKnown(KnownHeader.grpcStatus, 'grpc-status'));
    this.#report(Outcome.response, grpcStatus < 0 ? status : httpStatusOfGrpc(grpcStatus), grpcStatus);
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    this.stream.response.onData(bytes, start, end);
  }

  onBodyEnd(trailers: HeadFields | undefined): void {
    this.responseComplete = true;
    if (!this.#reported) {
      this.#reportGrpc(trailers);
    }
    this.stream.response.onEnd(trailers);
  }

  onResponseError(detail: CodecErrorDetail, fate: RequestFate): void {
    const { upstream } = this;
    const reason = resetReasonOf(detail, fate);
    let failure: TryFailure = 'reset';
    if (reason === 'remote refused stream reset') {
      failure = 'refused-stream';
    } else if (reason === 'connection termination' && upstream !== undefined) {
      // The upstream closed a kept connection while we were sending on it: it has not read the request (RFC 9112 §9.3.1).
      const isUntouched = upstream.connection.bytesRead === this.#bytesReadBefore;
      failure = upstream.requests > 1 && isUntouched ? 'stale-connection' : 'reset';
    }
    // The codec is done with the request: it is not to be cancelled.
    this.encoder = undefined;
    this.#report(Outcome.reset, 0, -1);
    this.detach(true);
    onTryFailed(this.stream, this, failure, reason, '');
  }

  onUpstreamWritable(writable: boolean): void {
    this.stream.setRequestPause('upstream', !writable);
  }

  onRequestWritable(writable: boolean): void {
    this.stream.setRequestPause('upstream-window', !writable);
  }

  /** Stops or resumes reading the response: the client does not take it as fast. */
  setReadPause(reason: ResponsePause, pause: boolean): void {
    const bit = responsePauseBits[reason];
    const before = this.#paused;
    const after = pause ? before | bit : before & ~bit;
    if (this.upstream === undefined || after === before) {
      return;
    }
    this.#paused = after;
    if ((before === 0) !== (after === 0)) {
      this.encoder?.pauseResponse(pause);
    }
  }

  /** A tunnel's client will send nothing more. */
  endTunnelRequest(): void {
    const { upstream, encoder } = this;
    this.requestSent = true;
    if (upstream !== undefined && encoder !== undefined) {
      upstream.endTunnelRequest(encoder);
    }
  }

  /** Ends the try in good order: the connection goes back to its pool if it can. */
  finish(failed: boolean): void {
    const { upstream, encoder } = this;
    if (this.#paused !== 0) {
      this.#paused = 0;
      if (upstream?.multiplexed === false || !this.responseComplete) {
        encoder?.pauseResponse(false);
      }
    }
    this.#leave(failed);
    this.upstream = undefined;
    this.encoder = undefined;
    if (upstream !== undefined && encoder !== undefined) {
      upstream.release(this, encoder, this.requestSent && this.responseComplete);
    }
  }

  /** Gives the try up, wherever it stands. */
  detach(failed: boolean): void {
    const { upstream, encoder } = this;
    this.#paused = 0;
    const waitingIn = this.#waitingIn;
    this.#waitingIn = undefined;
    this.upstream = undefined;
    this.encoder = undefined;
    waitingIn?.cancel(this);
    this.#leave(failed);
    upstream?.abandon(this, encoder);
    // What held the body up was this upstream's; the next one will say for itself.
    this.stream.setRequestPause('upstream', false);
    this.stream.setRequestPause('upstream-window', false);
  }
}
