import {
  defaultHttp1Limits,
  Http1UpstreamCodec,
  Http2UpstreamCodec,
  type RequestEncoder,
  type ResponseSink,
  type UpstreamCodec,
  type UpstreamEvents,
} from '@weft/http-codec';
import type { CircuitBreaker } from '../cluster/circuit-breaker.ts';
import { type Linked, LinkedList } from '../linked-list.ts';
import { lifetimeMs } from '../tls/lifetime.ts';
import type { Connection, ConnectionHandler } from '../transport/connection.ts';
import { runEvent } from '../transport/guarded-event.ts';
import { type TimerOwner, WheelTimer } from '../transport/timer-wheel.ts';
import type { HttpPool } from './http-pool.ts';
import { Keepalive } from './keepalive.ts';

/** Who has a request on an upstream connection. */
export interface UpstreamUser extends ResponseSink, Linked<UpstreamUser> {
  /** The upstream takes no more for now (false), or takes more again (true). */
  onUpstreamWritable(writable: boolean): void;
}

const idleTimer = 0;
const durationTimer = 1;
const closeTimer = 2;

/** How long a connection that we ended may take to write what is left, milliseconds. */
const closeTimeoutMs = 1000;

/** One connection to an endpoint: with HTTP/1.1 it carries one request at a time, with HTTP/2 as many as both sides allow. */
export class UpstreamHttpConnection implements ConnectionHandler, UpstreamEvents, TimerOwner {
  readonly connection: Connection;
  readonly multiplexed: boolean;
  readonly #pool: HttpPool;
  readonly #codec: UpstreamCodec;
  readonly #breaker: CircuitBreaker;
  readonly #maxRequests: number;
  readonly #maxStreams: number;
  readonly #users = new LinkedList<UpstreamUser>();
  readonly #idleTimer: WheelTimer = new WheelTimer(this, idleTimer);
  #durationTimer: WheelTimer | undefined = undefined;
  #closeTimer: WheelTimer | undefined = undefined;
  #keepalive: Keepalive | undefined = undefined;
  /** Requests that were begun on it. */
  requests = 0;
  /** It is among those of its pool that take requests. */
  listed = false;
  /** It takes no more requests and goes when the last one under way is over. */
  #draining = false;
  #gone = false;

  constructor(pool: HttpPool, connection: Connection, breaker: CircuitBreaker, multiplexed: boolean) {
    this.#pool = pool;
    this.connection = connection;
    this.#breaker = breaker;
    this.multiplexed = multiplexed;
    const { config, counters } = pool.cluster;
    const { context } = pool;
    connection.bufferLimitBytes = config.bufferLimitBytes;
    connection.handler = this;
    const { maxConnectionDurationMs, maxRequestsPerConnection, http2 } = config.upstreamHttp;
    this.#maxRequests = maxRequestsPerConnection > 0 ? maxRequestsPerConnection : Number.POSITIVE_INFINITY;
    this.#maxStreams = http2.maxConcurrentStreams;
    const lifetime = lifetimeMs(maxConnectionDurationMs, connection.tls, context.clock.now());
    if (lifetime > 0) {
      this.#durationTimer = new WheelTimer(this, durationTimer);
      context.wheel.arm(this.#durationTimer, context.clock.monotonicMs(), lifetime);
    }
    if (multiplexed) {
      const settings = pool.http2SettingsFor(connection.tls?.alpn ?? '');
      const codec = new Http2UpstreamCodec(this, connection.output, settings, counters.http2);
      this.#codec = codec;
      connection.gathersWrites = true;
      this.#keepalive = Keepalive.start(http2, codec, context, () => this.#fail());
    } else {
      this.#codec = new Http1UpstreamCodec(this, connection.output, defaultHttp1Limits);
    }
  }

  /** Requests that may be begun now. */
  get availableStreams(): number {
    if (this.#draining || this.#gone) {
      return 0;
    }
    const codec = this.#codec;
    const available = Math.min(codec.availableStreams, this.#maxRequests - this.requests);
    return this.multiplexed ? Math.min(available, this.#maxStreams - codec.activeStreams) : available;
  }

  get activeStreams(): number {
    return this.#codec.activeStreams;
  }

  /** Begins a request; its response goes to `user`. Only while `availableStreams` is above 0. */
  open(user: UpstreamUser): RequestEncoder {
    this.#users.add(user);
    this.requests += 1;
    this.#pool.context.wheel.cancel(this.#idleTimer);
    return this.#codec.open(user);
  }

  /**
   * The user is done: HTTP/1.1 goes back to the pool if it can carry another request, else it is closed.
   * @param complete request and response went to their ends.
   */
  release(user: UpstreamUser, encoder: RequestEncoder, complete: boolean): void {
    this.#users.remove(user);
    if (this.multiplexed) {
      if (!complete) {
        encoder.cancel();
      }
      this.#userLeft();
      return;
    }
    if (this.#gone) {
      return;
    }
    if (this.availableStreams === 0 || this.connection.isClosed) {
      encoder.cancel();
      this.destroy();
      return;
    }
    this.#pool.streamsAvailable(this);
  }

  /**
   * The request is given up: an HTTP/1.1 connection cannot be used for another one.
   * @param encoder undefined when the codec has given it up already.
   */
  abandon(user: UpstreamUser, encoder: RequestEncoder | undefined): void {
    this.#users.remove(user);
    encoder?.cancel();
    if (this.multiplexed) {
      this.#userLeft();
    } else {
      this.destroy();
    }
  }

  /** The codec itself tells when the stream is closed, before this or behind it: then another one may be opened. */
  #userLeft(): void {
    if (this.#gone) {
      return;
    }
    if (this.#codec.activeStreams === 0 && this.#users.size === 0 && !this.#draining) {
      this.becomeIdle();
    }
    this.#closeIfDone();
  }

  /** A tunnel's client will send nothing more; the other direction goes on. */
  endTunnelRequest(encoder: RequestEncoder): void {
    encoder.encodeEnd(undefined);
    if (!this.multiplexed) {
      this.connection.end();
    }
  }

  /** @internal nobody has a request on it: its idle time begins. */
  becomeIdle(): void {
    const { idleTimeoutMs } = this.#pool.cluster.config.upstreamHttp;
    if (idleTimeoutMs > 0) {
      const { wheel, clock } = this.#pool.context;
      wheel.arm(this.#idleTimer, clock.monotonicMs(), idleTimeoutMs);
    }
  }

  /** No further requests; it closes when those under way are over. */
  drain(): void {
    if (this.#gone) {
      return;
    }
    if (this.#codec instanceof Http2UpstreamCodec) {
      if (!this.#draining) {
        this.#codec.beginDrain();
      }
      this.onDraining();
      this.#closeIfDone();
    } else if (this.#users.size === 0) {
      this.destroy();
    } else {
      this.#draining = true;
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

  onStreamsAvailable(): void {
    if (!this.multiplexed || this.#gone) {
      return;
    }
    if (this.availableStreams > 0) {
      this.#pool.streamsAvailable(this);
    } else if (this.requests >= this.#maxRequests) {
      this.drain();
    }
    this.#closeIfDone();
  }

  onDraining(): void {
    if (this.multiplexed && !this.#draining) {
      this.#draining = true;
      this.#pool.retire(this);
    }
  }

  onFinished(): void {
    if (this.multiplexed) {
      this.#end();
    }
  }

  onTimer(kind: number): void {
    runEvent(this.connection.context, this.connection, () => {
      if (kind === closeTimer) {
        this.destroy();
      } else if (kind === durationTimer) {
        this.drain();
      } else if (this.#users.size === 0) {
        this.#end();
      }
    });
  }

  #closeIfDone(): void {
    if (this.#draining && !this.#gone && this.#users.size === 0 && this.#codec.activeStreams === 0) {
      this.#end();
    }
  }

  /** Writes what is left and closes. */
  #end(): void {
    this.#leave();
    if (this.connection.isClosed) {
      return;
    }
    if (this.connection.output.byteLength === 0 && this.connection.queuedBytes === 0) {
      this.connection.destroy();
      return;
    }
    if (this.#closeTimer === undefined) {
      this.#closeTimer = new WheelTimer(this, closeTimer);
      const { wheel, clock } = this.#pool.context;
      wheel.arm(this.#closeTimer, clock.monotonicMs(), closeTimeoutMs);
      this.connection.end();
    }
  }

  /** The peer does not answer PINGs. */
  #fail(): void {
    this.#pool.cluster.counters.http2.keepaliveTimeout += 1;
    this.#leave();
    this.connection.destroy(new Error('http2_ping_timeout'));
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#codec.receive(bytes, start, end);
    if (!this.multiplexed && this.#users.size === 0 && this.#codec.availableStreams === 0) {
      // Bytes that nobody asked for: never give them to another client.
      this.destroy();
    }
  }

  onEnd(): void {
    this.#leave();
    this.#codec.receiveEnd();
    if (this.multiplexed || this.#users.size === 0) {
      this.connection.destroy();
    }
  }

  onClose(): void {
    this.#leave();
    const { wheel } = this.#pool.context;
    wheel.remove(this.#idleTimer);
    for (const timer of [this.#durationTimer, this.#closeTimer]) {
      if (timer !== undefined) {
        wheel.remove(timer);
      }
    }
    this.#keepalive?.stop();
    this.#keepalive = undefined;
    this.#codec.receiveEnd();
    this.#breaker.connections -= 1;
    this.#pool.connectionClosed();
  }

  onWritable(writable: boolean): void {
    if (writable) {
      this.#codec.outputWritable();
    }
    for (let user = this.#users.first; user !== undefined; ) {
      const next: UpstreamUser | undefined = user.nextInList;
      user.onUpstreamWritable(writable);
      user = next;
    }
  }

  #leave(): void {
    if (!this.#gone) {
      this.#gone = true;
      this.#pool.forget(this);
    }
  }
}
