import { isIP, connect as netConnect, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { BindAddress, UpstreamTls } from '../runtime-config/config.ts';
import type { TransportContext } from '../transport/connection.ts';
import { runEvent } from '../transport/guarded-event.ts';
import type { ConnectCallbacks, PendingConnection } from '../transport/raw-connection.ts';
import { acceptsPeer } from './peer-verification.ts';
import { TlsConnection } from './tls-connection.ts';
import type { TlsContexts } from './tls-context.ts';
import { type PeerCertificate, peerCertificateOf, tlsFactsOf } from './tls-facts.ts';

/** A session, and who was at the other end when it was made. */
interface ResumableSession {
  readonly session: Buffer;
  readonly peer: PeerCertificate | undefined;
}

/**
 * Sessions for resumption, each bound to the secrets that it was made under. One cache for each endpoint's pool. The peer sends no
 * certificate when a session is resumed, and Node does not remember it: the one that was verified then is kept with the session.
 */
export class SessionCache {
  #version = '';
  #resumable: ResumableSession | undefined = undefined;

  take(version: string): ResumableSession | undefined {
    if (this.#version !== version) {
      return undefined;
    }
    const resumable = this.#resumable;
    // TLS 1.3 tickets are for one use (RFC 8446 appendix C.4).
    this.#resumable = undefined;
    return resumable;
  }

  put(version: string, resumable: ResumableSession): void {
    this.#version = version;
    this.#resumable = resumable;
  }
}

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
  keepaliveSec: number | undefined,
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
  const resumed = sessions.take(material.version);
  const target = address.kind === 'pipe' ? { path: address.path } : { host: address.address, port: address.port };
  const lower = header === undefined ? undefined : connectWith(header, target);
  const socket: TLSSocket = connect({
    ...(lower === undefined ? target : { socket: lower }),
    secureContext: material.secureContext,
    ...(tls.sni === '' || isIP(tls.sni) !== 0 ? {} : { servername: tls.sni }),
    ALPNProtocols: [...alpn],
    // The chain is verified against the bundle by OpenSSL; whom it names is checked below, against the SAN matchers.
    rejectUnauthorized: tls.validation !== undefined,
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
  if (keepaliveSec !== undefined) {
    socket.setKeepAlive(true, keepaliveSec * 1000);
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
    const peer = peerCertificateOf(socket) ?? (socket.isSessionReused() ? resumed?.peer : undefined);
    const matchers = tls.validation?.subjectAltNames ?? [];
    if (tls.validation !== undefined && (peer === undefined || !acceptsPeer(matchers, peer.names))) {
      const seen = peer === undefined ? 'none' : [...peer.names.uris, ...peer.names.dnsNames].join(', ');
      onError(new Error(`TLS_error: verify SAN list failed, peer is ${seen}`));
      return;
    }
    if (tls.validation !== undefined && peer !== undefined && contexts.hasExpired(peer)) {
      onError(new Error('TLS_error: certificate has expired'));
      return;
    }
    settled = true;
    socket.off('error', onError);
    keep = (session) => sessions.put(material.version, { session, peer });
    if (early !== undefined) {
      keep(early);
    }
    const connection = new TlsConnection(context, socket, socket, tlsFactsOf(socket, peer, material.localUri));
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
