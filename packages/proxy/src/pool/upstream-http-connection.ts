import {
  defaultHttp1Limits,
  Http1UpstreamCodec,
  type RequestEncoder,
  type ResponseSink,
  type UpstreamEvents,
} from '@weft/http-codec';
import type { CircuitBreaker } from '../cluster/circuit-breaker.ts';
import type { Connection, ConnectionHandler } from '../transport/connection.ts';
import { type TimerOwner, WheelTimer } from '../transport/timer-wheel.ts';
import type { HttpPool } from './http-pool.ts';

/** Who has a request on an upstream connection. */
export interface UpstreamUser extends ResponseSink {
  /** The upstream takes no more for now (false), or takes more again (true). */
  onUpstreamWritable(writable: boolean): void;
}

/** One HTTP/1.1 connection to an endpoint. It carries one request at a time and goes back to its pool after each. */
export class UpstreamHttpConnection implements ConnectionHandler, UpstreamEvents, TimerOwner {
  readonly connection: Connection;
  readonly #pool: HttpPool;
  readonly #codec: Http1UpstreamCodec;
  readonly #idleTimer: WheelTimer;
  readonly #breaker: CircuitBreaker;
  #user: UpstreamUser | undefined = undefined;
  /** Requests that were begun on it. */
  requests = 0;
  /** Why it ended, once it has. */
  error: Error | undefined = undefined;
  #bytesReadBefore = 0;
  #idle = false;
  #gone = false;

  constructor(pool: HttpPool, connection: Connection, breaker: CircuitBreaker) {
    this.#pool = pool;
    this.connection = connection;
    this.#breaker = breaker;
    this.#codec = new Http1UpstreamCodec(this, connection.output, defaultHttp1Limits);
    this.#idleTimer = new WheelTimer(this, 0);
    connection.bufferLimitBytes = pool.cluster.config.bufferLimitBytes;
    connection.handler = this;
  }

  /** Begins a request; its response goes to `user`. */
  open(user: UpstreamUser): RequestEncoder {
    this.#user = user;
    this.#idle = false;
    this.requests += 1;
    this.#bytesReadBefore = this.connection.bytesRead;
    this.#pool.context.wheel.cancel(this.#idleTimer);
    return this.#codec.open(user);
  }

  /** Nothing of a response has come since the request was begun. */
  get untouched(): boolean {
    return this.connection.bytesRead === this.#bytesReadBefore;
  }

  /** The user is done with it: it goes back to the pool if it can carry another request, else it is closed. */
  release(): void {
    this.#user = undefined;
    if (this.#gone) {
      return;
    }
    const { maxRequestsPerConnection } = this.#pool.cluster.config.upstreamHttp;
    const worn = maxRequestsPerConnection > 0 && this.requests >= maxRequestsPerConnection;
    if (this.#codec.availableStreams === 0 || worn || this.connection.isClosed) {
      this.#codec.cancel();
      this.destroy();
      return;
    }
    this.#pool.released(this);
  }

  /** The request is given up: the connection cannot be used for another one. */
  abandon(): void {
    this.#user = undefined;
    this.#codec.cancel();
    this.destroy();
  }

  /** @internal the pool keeps it for later. */
  becomeIdle(): void {
    this.#idle = true;
    const { idleTimeoutMs } = this.#pool.cluster.config.upstreamHttp;
    if (idleTimeoutMs > 0) {
      const { wheel, clock } = this.#pool.context;
      wheel.arm(this.#idleTimer, clock.monotonicMs(), idleTimeoutMs);
    }
  }

  destroy(): void {
    this.#leave();
    this.connection.destroy();
  }

  onReadPressure(pause: boolean): void {
    if (pause) {
      this.connection.pause();
    } else {
      this.connection.resume();
    }
  }

  /** One request at a time: whoever has it gives the connection back. */
  onStreamsAvailable(): void {}

  onDraining(): void {}

  onFinished(): void {}

  onTimer(): void {
    if (this.#idle) {
      this.destroy();
    }
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#codec.receive(bytes, start, end);
    if (this.#idle && this.#codec.availableStreams === 0) {
      // Bytes that nobody asked for: never give them to another client.
      this.destroy();
    }
  }

  onEnd(): void {
    this.#leave();
    this.#codec.receiveEnd();
    if (this.#user === undefined) {
      this.connection.destroy();
    }
  }

  onClose(error: Error | undefined): void {
    this.error = error;
    this.#leave();
    this.#pool.context.wheel.remove(this.#idleTimer);
    this.#codec.receiveEnd();
    this.#user = undefined;
    this.#breaker.connections -= 1;
    this.#pool.connectionClosed();
  }

  onWritable(writable: boolean): void {
    this.#user?.onUpstreamWritable(writable);
  }

  #leave(): void {
    if (!this.#gone) {
      this.#gone = true;
      this.#idle = false;
      this.#pool.forget(this);
    }
  }
}
