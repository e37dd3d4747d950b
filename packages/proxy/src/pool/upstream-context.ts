import type { Clock, Logger } from '@weft/base';
import type { Cluster } from '../cluster/cluster.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { SessionCache } from '../tls/tls-connect.ts';
import { connectTls } from '../tls/tls-connect.ts';
import type { TlsContexts } from '../tls/tls-context.ts';
import type { TransportContext } from '../transport/connection.ts';
import { type ConnectCallbacks, connectRaw, type PendingConnection } from '../transport/raw-connection.ts';
import type { TimerWheel } from '../transport/timer-wheel.ts';

/** What everything that talks to upstreams shares. */
export interface UpstreamContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly wheel: TimerWheel;
  readonly transport: TransportContext;
  readonly tls: TlsContexts;
}

/** Connects to an endpoint by its transport socket. */
export function connectEndpoint(
  context: UpstreamContext,
  cluster: Cluster,
  endpoint: Endpoint,
  sessions: SessionCache,
  use: 'http' | 'tcp',
  callbacks: ConnectCallbacks,
): PendingConnection {
  const { address } = endpoint.config;
  const keepaliveSec = cluster.config.tcpKeepalive?.timeSec;
  if (endpoint.transportSocket.kind === 'tls') {
    const { tls } = endpoint.transportSocket;
    // What we offer we must be able to speak.
    const alpn = use === 'http' ? tls.alpn.filter((protocol) => protocol !== 'h2') : tls.alpn;
    return connectTls(context.transport, context.tls, tls, alpn, address, sessions, keepaliveSec, callbacks);
  }
  return connectRaw(context.transport, address, keepaliveSec, callbacks);
}
