import type { HeadFields } from '@weft/http-codec';

/** Time between two portions. */
export const portionIntervalMs = 50;
/** Bytes that may wait before their upstream is not read any further. */
const maxWaitingBytes = 64 * 1024;

/** What a throttled response does to the world. */
export interface ThrottledResponse {
  send(bytes: Buffer, start: number, end: number): void;
  sendEnd(trailers: HeadFields | undefined): void;
  /** Asks for a call of `onTick` in `portionIntervalMs`. */
  armTick(): void;
  pauseReading(pause: boolean): void;
}

/** Lets the body of a response pass at a rate, in portions: what came too fast waits in a bounded buffer. */
export class ResponseThrottle {
  readonly #target: ThrottledResponse;
  readonly #portionBytes: number;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #budget: number;
  #ticking = false;
  #paused = false;
  #ended = false;
  #trailers: HeadFields | undefined = undefined;

  constructor(bytesPerSecond: number, target: ThrottledResponse) {
    this.#portionBytes = Math.max(1, Math.floor((bytesPerSecond * portionIntervalMs) / 1000));
    this.#budget = this.#portionBytes;
    this.#target = target;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  onData(bytes: Buffer, start: number, end: number): void {
    // Valid during this call only.
    this.#waiting.push(Buffer.from(bytes.subarray(start, end)));
    this.#waitingBytes += end - start;
    this.#pass();
  }

  onEnd(trailers: HeadFields | undefined): void {
    this.#ended = true;
    this.#trailers = trailers;
    this.#pass();
  }

  onTick(): void {
    this.#ticking = false;
    this.#budget = this.#portionBytes;
    this.#pass();
  }

  #pass(): void {
    for (let piece = this.#waiting[0]; piece !== undefined && this.#budget > 0; piece = this.#waiting[0]) {
      const count = Math.min(this.#budget, piece.length);
      this.#target.send(piece, 0, count);
      this.#budget -= count;
      this.#waitingBytes -= count;
      if (count === piece.length) {
        this.#waiting.shift();
      } else {
        this.#waiting[0] = piece.subarray(count);
      }
    }
    const shouldPause = this.#waitingBytes > maxWaitingBytes;
    if (shouldPause !== this.#paused) {
      this.#paused = shouldPause;
      this.#target.pauseReading(shouldPause);
    }
    if (this.#ended && this.#waitingBytes === 0) {
      // Once: a tick may still come while the client is sending its request.
      this.#ended = false;
      this.#target.sendEnd(this.#trailers);
    } else if (this.#budget < this.#portionBytes && !this.#ticking) {
      this.#ticking = true;
      this.#target.armTick();
    }
  }
}
