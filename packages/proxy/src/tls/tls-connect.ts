import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { BindAddress, UpstreamTls } from '../runtime-config/config.ts';
import type { TransportContext } from '../transport/connection.ts';
import type { ConnectCallbacks, PendingConnection } from '../transport/raw-connection.ts';
import { acceptsPeer } from './peer-verification.ts';
import { TlsConnection } from './tls-connection.ts';
import type { TlsContexts } from './tls-context.ts';
import { peerCertificateOf, tlsFactsOf } from './tls-facts.ts';

/** Sessions for resumption, each bound to the secrets that it was made under. One cache for each endpoint's pool. */
export class SessionCache {
  #version = '';
  #session: Buffer | undefined = undefined;

  take(version: string): Buffer | undefined {
    if (this.#version !== version) {
      return undefined;
    }
    const session = this.#session;
    // TLS 1.3 tickets are for one use (RFC 8446 appendix C.4).
    this.#session = undefined;
    return session;
  }

  put(version: string, session: Buffer): void {
    this.#version = version;
    this.#session = session;
  }
}

/** Connects and does the handshake; `onConnected` is called when the peer has been verified. `alpn` is what we offer. */
export function connectTls(
  context: TransportContext,
  contexts: TlsContexts,
  tls: UpstreamTls,
  alpn: readonly string[],
  address: BindAddress,
  sessions: SessionCache,
  callbacks: ConnectCallbacks,
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
  const session = sessions.take(material.version);
  const socket: TLSSocket = connect({
    ...(address.kind === 'pipe' ? { path: address.path } : { host: address.address, port: address.port }),
    secureContext: material.secureContext,
    ...(tls.sni === '' || isIP(tls.sni) !== 0 ? {} : { servername: tls.sni }),
    ALPNProtocols: [...alpn],
    // The chain is verified against the bundle by OpenSSL; whom it names is checked below, against the SAN matchers.
    rejectUnauthorized: tls.validation !== undefined,
    checkServerIdentity: () => undefined,
    ...(session === undefined ? {} : { session }),
  });
  const onError = (error: Error): void => {
    if (!settled) {
      settled = true;
      socket.destroy();
      callbacks.onFailed(error);
    }
  };
  socket.setNoDelay(true);
  socket.on('error', onError);
  socket.once('close', () => onError(new Error('TLS_error: connection closed in the handshake')));
  socket.on('session', (ticket) => sessions.put(material.version, ticket));
  socket.once('secureConnect', () => {
    if (settled) {
      return;
    }
    const peer = peerCertificateOf(socket);
    const matchers = tls.validation?.subjectAltNames ?? [];
    if (tls.validation !== undefined && (peer === undefined || !acceptsPeer(matchers, peer.names))) {
      const seen = peer === undefined ? 'none' : [...peer.names.uris, ...peer.names.dnsNames].join(', ');
      onError(new Error(`TLS_error: verify SAN list failed, peer is ${seen}`));
      return;
    }
    settled = true;
    socket.off('error', onError);
    const connection = new TlsConnection(context, socket, socket, tlsFactsOf(socket, peer, material.localUri));
    context.flushQueue.enter();
    callbacks.onConnected(connection);
    context.flushQueue.leave();
  });
  return {
    abandon: () => {
      settled = true;
      socket.on('error', () => {});
      socket.destroy();
    },
  };
}
