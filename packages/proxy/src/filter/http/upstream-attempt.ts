import type { CodecErrorDetail, HeadFields, RequestEncoder, ResponseHead } from '@weft/http-codec';
import type { CircuitBreaker } from '../../cluster/circuit-breaker.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import type { HttpPool, PoolWaiter } from '../../pool/http-pool.ts';
import type { UpstreamHttpConnection, UpstreamUser } from '../../pool/upstream-http-connection.ts';
import type { HttpStream } from './http-stream.ts';
import { onTryFailed, onTryInformational, onTryReady, onTryResponse } from './router.ts';

/** One try at one endpoint. A stream has one at a time and uses the object again. */
export class UpstreamAttempt implements UpstreamUser, PoolWaiter {
  readonly stream: HttpStream;
  cluster: Cluster | undefined = undefined;
  endpoint: Endpoint | undefined = undefined;
  upstream: UpstreamHttpConnection | undefined = undefined;
  encoder: RequestEncoder | undefined = undefined;
  /** The end of the request went out. */
  requestSent = false;
  responseComplete = false;
  #breaker: CircuitBreaker | undefined = undefined;
  #waitingIn: HttpPool | undefined = undefined;
  #active = false;
  #paused = false;

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
    this.#enter();
    const pool = cluster.poolOf(endpoint);
    const upstream = pool.takeIdle();
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
    if (failed) {
      endpoint.counters.requestsError += 1;
    } else {
      endpoint.counters.requestsSuccess += 1;
    }
  }

  onPoolReady(upstream: UpstreamHttpConnection): void {
    this.#waitingIn = undefined;
    this.upstream = upstream;
    this.encoder = upstream.open(this);
    if (!this.stream.connection.transport.writable) {
      this.setReadPause(true);
    }
    onTryReady(this.stream, this, upstream);
  }

  onPoolFailure(reason: string, timedOut: boolean): void {
    this.#waitingIn = undefined;
    this.#leave(true);
    onTryFailed(this.stream, 'connect-failure', timedOut ? 'connection timeout' : 'remote connection failure', reason);
  }

  onInformational(head: ResponseHead): void {
    onTryInformational(this.stream, head);
  }

  onResponse(head: ResponseHead, endStream: boolean): void {
    this.responseComplete = endStream;
    onTryResponse(this.stream, this, head, endStream);
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    this.stream.onResponseData(bytes, start, end);
  }

  onBodyEnd(trailers: HeadFields | undefined): void {
    this.responseComplete = true;
    this.stream.onResponseEnd(trailers);
  }

  onResponseError(detail: CodecErrorDetail): void {
    const { upstream } = this;
    const fresh = upstream?.untouched === true;
    const terminated = detail === 'http1.unexpected_end';
    const reused = upstream !== undefined && upstream.requests > 1 && fresh && terminated;
    this.detach(true);
    onTryFailed(this.stream, 'reset', terminated ? 'connection termination' : 'protocol error', '', reused);
  }

  onUpstreamWritable(writable: boolean): void {
    this.stream.setRequestPause('upstream', !writable);
  }

  onRequestWritable(writable: boolean): void {
    this.stream.setRequestPause('upstream-window', !writable);
  }

  /** Stops or resumes reading the response: the client does not take it as fast. */
  setReadPause(pause: boolean): void {
    const { upstream } = this;
    if (upstream === undefined || pause === this.#paused) {
      return;
    }
    this.#paused = pause;
    this.encoder?.pauseResponse(pause);
  }

  /** Ends the try in good order: the connection goes back to its pool if it can. */
  finish(failed: boolean): void {
    const { upstream } = this;
    this.setReadPause(false);
    this.#leave(failed);
    this.upstream = undefined;
    this.encoder = undefined;
    upstream?.release();
  }

  /** Gives the try up, wherever it stands. */
  detach(failed: boolean): void {
    const { upstream } = this;
    this.#paused = false;
    const waitingIn = this.#waitingIn;
    this.#waitingIn = undefined;
    this.upstream = undefined;
    this.encoder = undefined;
    waitingIn?.cancel(this);
    this.#leave(failed);
    upstream?.abandon();
  }
}
