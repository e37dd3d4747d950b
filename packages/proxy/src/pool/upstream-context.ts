import type { Clock, Logger } from '@weft/base';
import type { Cluster } from '../cluster/cluster.ts';
import type { Place } from '../cluster/place.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { httpVersionOfAlpn } from '../http-alpn.ts';
import type { BackgroundWork } from '../load-balancer/background-work.ts';
import type { ProxiedConnection } from '../proxy-protocol/proxy-header.ts';
import { writeProxyHeader } from '../proxy-protocol/write-header.ts';
import type { BindAddress, UpstreamTransportSocket } from '../runtime-config/config.ts';
import type { SessionCache } from '../tls/session-cache.ts';
import { connectTls } from '../tls/tls-connect.ts';
import type { TlsContexts } from '../tls/tls-context.ts';
import type { TransportContext } from '../transport/connection.ts';
import { type ConnectCallbacks, connectRaw, type PendingConnection } from '../transport/raw-connection.ts';
import type { TcpKeepalive } from '../transport/tcp-keepalive.ts';
import type { TimerWheel } from '../transport/timer-wheel.ts';
import { ConnectRace } from './connect-race.ts';

/** What everything that talks to upstreams shares. */
export interface UpstreamContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly wheel: TimerWheel;
  readonly transport: TransportContext;
  readonly tls: TlsContexts;
  /** For what takes longer than a request may wait. */
  readonly work: BackgroundWork;
  readonly place: Place;
}

/** What a connection is for; of HTTP, what may be spoken on it (`auto`: ALPN decides). */
export type UpstreamUse = 'http1' | 'http2' | 'auto' | 'tcp';

/**
 * Connects to an endpoint by its transport socket.
 * @param proxied what a PROXY protocol header says, if the socket has one; undefined: the connection is nobody's in particular.
 */
export function connectEndpoint(
  context: UpstreamContext,
  cluster: Cluster,
  endpoint: Endpoint,
  sessions: SessionCache,
  use: UpstreamUse,
  callbacks: ConnectCallbacks,
  proxied?: ProxiedConnection,
): PendingConnection {
  const target: UpstreamTarget = {
    address: endpoint.config.address,
    additionalAddresses: endpoint.config.additionalAddresses,
    transportSocket: endpoint.transportSocket,
    keepalive: cluster.config.tcpKeepalive,
    alpn: undefined,
  };
  return connectTarget(context, target, sessions, use, callbacks, proxied);
}

/** Where a connection goes, and how. */
export interface UpstreamTarget {
  readonly address: BindAddress;
  /** Tried as well, see {@link ConnectRace}; undefined: none. */
  readonly additionalAddresses?: readonly BindAddress[] | undefined;
  readonly transportSocket: UpstreamTransportSocket;
  readonly keepalive: TcpKeepalive | undefined;
  /** To be offered whatever the connection is for; undefined: what the TLS context says of that. */
  readonly alpn: readonly string[] | undefined;
}

/** As {@link connectEndpoint}, to any address. */
export function connectTarget(
  context: UpstreamContext,
  target: UpstreamTarget,
  sessions: SessionCache,
  use: UpstreamUse,
  callbacks: ConnectCallbacks,
  proxied?: ProxiedConnection,
): PendingConnection {
  const { address, additionalAddresses } = target;
  if (additionalAddresses === undefined || additionalAddresses.length === 0) {
    return connectAddress(context, target, address, sessions, use, callbacks, proxied);
  }
  const race = new ConnectRace(
    context,
    [address, ...additionalAddresses],
    (each, racing) => connectAddress(context, target, each, sessions, use, racing, proxied),
    callbacks,
  );
  race.start();
  return race;
}

function connectAddress(
  context: UpstreamContext,
  target: UpstreamTarget,
  address: BindAddress,
  sessions: SessionCache,
  use: UpstreamUse,
  callbacks: ConnectCallbacks,
  proxied: ProxiedConnection | undefined,
): PendingConnection {
  const { transportSocket, keepalive } = target;
  const { proxyProtocol } = transportSocket;
  const header = proxyProtocol === undefined ? undefined : writeProxyHeader(proxyProtocol, proxied);
  if (transportSocket.kind === 'tls') {
    const { tls } = transportSocket;
    return connectTls(
      context.transport,
      context.tls,
      tls,
      target.alpn ?? alpnFor(use, tls.alpn),
      address,
      sessions,
      keepalive,
      callbacks,
      header,
    );
  }
  return connectRaw(context.transport, address, keepalive, header === undefined ? callbacks : after(header, callbacks));
}

/** The header is the first that is written, together with what the owner of the connection writes at once. */
function after(header: Buffer, callbacks: ConnectCallbacks): ConnectCallbacks {
  return {
    onConnected: (connection) => {
      connection.output.copy(header, 0, header.length);
      callbacks.onConnected(connection);
    },
    onFailed: (error) => callbacks.onFailed(error),
  };
}

/** What to offer: never what would not be spoken afterwards; a cluster without names of its own offers the usual ones. */
function alpnFor(use: UpstreamUse, configured: readonly string[]): readonly string[] {
  switch (use) {
    case 'tcp':
      return configured;
    case 'http1':
      return configured.length === 0 ? ['http/1.1'] : configured.filter((name) => httpVersionOfAlpn(name) !== 'http2');
    case 'http2':
      return configured.length === 0 ? ['h2'] : configured.filter((name) => httpVersionOfAlpn(name) !== 'http1');
    default:
      return configured.length === 0 ? ['h2', 'http/1.1'] : configured;
  }
}
