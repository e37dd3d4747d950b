import type { Clock } from '@weft/base';
import type { Connection, TransportContext } from '../transport/connection.ts';
import type { TimerWheel } from '../transport/timer-wheel.ts';
import type { PeerCertificate } from './peer-cache.ts';

/** What handshakes with clients share. */
export interface HandshakeContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly transport: TransportContext;
}

/** The outcome of a handshake; exactly one of the two is called, unless the socket is destroyed before. */
export interface HandshakeCallbacks {
  /** @param connection does not read yet. */
  onSecure(connection: Connection, peer: PeerCertificate | undefined): void;
  onFailed(reason: string): void;
}

/** Handshakes that a client may take its time for, milliseconds. */
export const handshakeTimeoutMs = 15_000;
