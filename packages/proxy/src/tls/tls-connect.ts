import { isIP, connect as netConnect, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { BindAddress, UpstreamTls } from '../runtime-config/config.ts';
import type { TransportContext } from '../transport/connection.ts';
import { runEvent } from '../transport/guarded-event.ts';
import type { ConnectCallbacks, PendingConnection } from '../transport/raw-connection.ts';
import { keepSocketAlive, type TcpKeepalive } from '../transport/tcp-keepalive.ts';
import { isDirect, NativeClientHandshake } from './native-client-handshake.ts';
import { refuseServer } from './peer-verification.ts';
import type { SessionCache } from './session-cache.ts';
import { TlsConnection } from './tls-connection.ts';
import type { TlsContexts, TlsMaterial } from './tls-context.ts';
import { summaryOfSocket, tlsFactsOf } from './tls-facts.ts';

/**
 * Connects and does the handshake; `onConnected` is called when the peer has been verified.
 * @param alpn what we offer.
 * @param header what goes first, before TLS: that of the PROXY protocol.
 */
export function connectTls(
  context: TransportContext,
  contexts: TlsContexts,
  tls: UpstreamTls,
  alpn: readonly string[],
  address: BindAddress,
  sessions: SessionCache,
  keepalive: TcpKeepalive | undefined,
  callbacks: ConnectCallbacks,
  header?: Buffer,
): PendingConnection {
  const material = contexts.get(tls);
  let settled = false;
  if ('missing' in material) {
    process.nextTick(() => {
      if (!settled) {
        settled = true;
        callbacks.onFailed(new Error(`TLS_error: waiting for ${material.missing.join(', ')}`));
      }
    });
    return { abandon: () => (settled = true) };
  }
  const { native } = contexts;
  if (native !== undefined && isDirect(address)) {
    const handshake = new NativeClientHandshake({
      native,
      context,
      contexts,
      tls,
      material,
      alpn,
      address,
      sessions,
      keepalive,
      callbacks,
      header,
    });
    handshake.start();
    return handshake;
  }
  return connectThroughStreams(context, contexts, tls, material, alpn, address, sessions, keepalive, callbacks, header);
}

/** The same with Node's public interface alone. */
function connectThroughStreams(
  context: TransportContext,
  contexts: TlsContexts,
  tls: UpstreamTls,
  material: TlsMaterial,
  alpn: readonly string[],
  address: BindAddress,
  sessions: SessionCache,
  keepalive: TcpKeepalive | undefined,
  callbacks: ConnectCallbacks,
  header: Buffer | undefined,
): PendingConnection {
  let settled = false;
  const resumed = sessions.take(material.version);
  const target = address.kind === 'pipe' ? { path: address.path } : { host: address.address, port: address.port };
  const lower = header === undefined ? undefined : connectWith(header, target);
  const socket: TLSSocket = connect({
    ...(lower === undefined ? target : { socket: lower }),
    secureContext: material.secureContext,
    ...(tls.sni === '' || isIP(tls.sni) !== 0 ? {} : { servername: tls.sni }),
    ALPNProtocols: [...alpn],
    // The chain is verified against the bundle by OpenSSL; its verdict and whom the peer's certificate names are looked at below.
    // verified-by: refuseServer
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(resumed === undefined ? {} : { session: resumed.session }),
  });
  const onError = (error: Error): void => {
    if (!settled) {
      settled = true;
      socket.destroy();
      lower?.destroy();
      callbacks.onFailed(error);
    }
  };
  lower?.on('error', onError);
  socket.setNoDelay(true);
  if (keepalive !== undefined) {
    keepSocketAlive(socket, keepalive);
  }
  socket.on('error', onError);
  socket.once('close', () => onError(new Error('TLS_error: connection closed in the handshake')));
  // TLS 1.2 gives the session within the handshake, before the peer is known; 1.3 after it.
  let early: Buffer | undefined;
  let keep = (ticket: Buffer): void => {
    early = ticket;
  };
  socket.on('session', (ticket) => keep(ticket));
  socket.once('secureConnect', () => {
    if (settled) {
      return;
    }
    const certificate = socket.getPeerX509Certificate();
    const resumedPeer = socket.isSessionReused() ? resumed?.peer : undefined;
    const peer = certificate === undefined ? resumedPeer : contexts.peers.get(certificate.raw);
    const verdict = socket.authorized ? undefined : String(socket.authorizationError);
    const refusal = refuseServer(tls, peer, verdict, material.revokedEndsMs, contexts.now());
    if (refusal !== undefined) {
      onError(new Error(`TLS_error: ${refusal}`));
      return;
    }
    settled = true;
    socket.off('error', onError);
    keep = (session) => sessions.put(material.version, { session, peer });
    if (early !== undefined) {
      keep(early);
    }
    const verified = tls.validation !== undefined && verdict === undefined;
    const facts = tlsFactsOf(summaryOfSocket(socket), peer, verified, material);
    const connection = new TlsConnection(context, socket, socket, facts);
    runEvent(context, connection, () => callbacks.onConnected(connection));
  });
  return {
    abandon: () => {
      settled = true;
      socket.on('error', () => {});
      socket.destroy();
      lower?.destroy();
    },
  };
}

/** A socket whose first bytes are `header`; TLS is put over it while it connects. */
function connectWith(header: Buffer, target: { path: string } | { host: string; port: number }): Socket {
  const socket = netConnect({ ...target, allowHalfOpen: true, noDelay: true });
  socket.write(header);
  return socket;
}
