import type { Clock } from '@weft/base';
import type { Http2Options } from '../runtime-config/config.ts';
import { type TimerOwner, type TimerWheel, WheelTimer } from '../transport/timer-wheel.ts';

/** The part of an HTTP/2 codec that PINGs. */
export interface PingingCodec {
  sendKeepalive(): void;
  readonly keepalivePending: boolean;
}

interface KeepaliveContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly random: () => number;
}

/** Asks the peer of an HTTP/2 connection in intervals whether it is still there (Envoy's `connection_keepalive`). */
export class Keepalive implements TimerOwner {
  readonly #options: Http2Options;
  readonly #codec: PingingCodec;
  readonly #context: KeepaliveContext;
  readonly #onDead: () => void;
  readonly #timer: WheelTimer = new WheelTimer(this, 0);
  #asked = false;

  private constructor(options: Http2Options, codec: PingingCodec, context: KeepaliveContext, onDead: () => void) {
    this.#options = options;
    this.#codec = codec;
    this.#context = context;
    this.#onDead = onDead;
    this.#armInterval();
  }

  /**
   * Begins with the first interval, if the options want any.
   * @param onDead is called once, when an answer did not come in time.
   */
  static start(
    options: Http2Options,
    codec: PingingCodec,
    context: KeepaliveContext,
    onDead: () => void,
  ): Keepalive | undefined {
    return options.keepaliveIntervalMs > 0 ? new Keepalive(options, codec, context, onDead) : undefined;
  }

  stop(): void {
    this.#context.wheel.remove(this.#timer);
  }

  onTimer(): void {
    if (!this.#asked) {
      this.#asked = true;
      this.#codec.sendKeepalive();
      this.#arm(this.#options.keepaliveTimeoutMs);
    } else if (this.#codec.keepalivePending) {
      this.#onDead();
    } else {
      this.#asked = false;
      this.#armInterval();
    }
  }

  #armInterval(): void {
    const { keepaliveIntervalMs, keepaliveJitterPercent } = this.#options;
    const jitterMs = (keepaliveIntervalMs * keepaliveJitterPercent * this.#context.random()) / 100;
    this.#arm(keepaliveIntervalMs + jitterMs);
  }

  #arm(delayMs: number): void {
    const { wheel, clock } = this.#context;
    wheel.arm(this.#timer, clock.monotonicMs(), delayMs);
  }
}
