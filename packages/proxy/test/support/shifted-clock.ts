import { type Clock, systemClock } from '@weft/base';

/** Time goes on at once, for our clock only: OpenSSL's own, which a full handshake asks, stays. */
export class ShiftedClock implements Clock {
  offsetMs = 0;
  monotonicMs = systemClock.monotonicMs;
  setTimeout = systemClock.setTimeout;

  now(): number {
    return systemClock.now() + this.offsetMs;
  }
}
