import { Socket } from 'node:net';

/** Probes on a silent connection, as the kernel sends them. */
export interface TcpKeepalive {
  /** Silence before the first one, in seconds. */
  readonly timeSec: number;
  /** Between two, in seconds. */
  readonly intervalSec: number;
  /** Without an answer before the connection counts as dead. */
  readonly probes: number;
}

/** Linux's `tcp_keepalive_time`, `tcp_keepalive_intvl` and `tcp_keepalive_probes`, which Envoy leaves alone where a field is unset. */
export const systemKeepalive: TcpKeepalive = { timeSec: 7200, intervalSec: 75, probes: 9 };

/** Whether this Node can set more than the time before the first probe (24.19 and later can). */
export const setsIntervals: boolean = Socket.prototype.setKeepAlive.length >= 4;

/** Switches probes on, on a connected socket. */
export function keepSocketAlive(socket: Socket, { timeSec, intervalSec, probes }: TcpKeepalive): void {
  socket.setKeepAlive(true, timeSec * 1000, intervalSec * 1000, probes);
}
