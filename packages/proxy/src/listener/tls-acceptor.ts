import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { DownstreamTls, FilterChain } from '../runtime-config/config.ts';
import { acceptsPeer } from '../tls/peer-verification.ts';
import type { TlsContexts } from '../tls/tls-context.ts';
import { type PeerCertificate, peerCertificateOf } from '../tls/tls-facts.ts';

/** Handshakes that a client may take its time for, milliseconds. */
const handshakeTimeoutMs = 15_000;

/** The outcome of a handshake; exactly one of the two is called. */
export interface HandshakeCallbacks {
  onSecure(socket: TLSSocket, peer: PeerCertificate | undefined, localUri: string): void;
  onFailed(reason: string): void;
}

interface Variant {
  readonly version: string;
  readonly server: Server;
  readonly localUri: string;
}

/**
 * Terminates TLS for one filter chain. New secrets make a new server object for new connections; established sessions
 * and handshakes under way go on under the old one.
 */
export class TlsAcceptor {
  readonly #tls: DownstreamTls;
  readonly #contexts: TlsContexts;
  readonly #alpn: readonly string[];
  #withAlpn: Variant | undefined = undefined;
  #withoutAlpn: Variant | undefined = undefined;

  constructor(chain: FilterChain, tls: DownstreamTls, contexts: TlsContexts) {
    this.#tls = tls;
    this.#contexts = contexts;
    // Only what the filter behind it can speak may be agreed on.
    this.#alpn = chain.filter.kind === 'http-connection-manager' ? tls.alpn.filter((name) => name !== 'h2') : tls.alpn;
  }

  /** @param offered the client's ALPN names. Without a common one the handshake goes on without ALPN, as in Envoy. */
  accept(socket: Socket, offered: readonly string[], callbacks: HandshakeCallbacks): void {
    const variant = this.#variant(this.#alpn.some((name) => offered.includes(name)));
    if (typeof variant === 'string') {
      callbacks.onFailed(variant);
      return;
    }
    pending.set(socket, { callbacks, localUri: variant.localUri, tls: this.#tls, contexts: this.#contexts });
    variant.server.emit('connection', socket);
  }

  #variant(alpn: boolean): Variant | string {
    const material = this.#contexts.get(this.#tls);
    if ('missing' in material) {
      return `TLS_error: waiting for ${material.missing.join(', ')}`;
    }
    const known = alpn ? this.#withAlpn : this.#withoutAlpn;
    if (known?.version === material.version) {
      return known;
    }
    const server = createServer({
      ...material.options,
      requestCert: this.#tls.validation !== undefined,
      // Node drops a peer that it rejects without a word; its verdict is looked at where it can be reported.
      // verified-by: onSecureConnection
      rejectUnauthorized: false,
      ...(alpn ? { ALPNProtocols: [...this.#alpn] } : {}),
      handshakeTimeout: handshakeTimeoutMs,
      allowHalfOpen: true,
    });
    server.on('secureConnection', onSecureConnection);
    server.on('tlsClientError', onClientError);
    const variant = { version: material.version, server, localUri: material.localUri };
    if (alpn) {
      this.#withAlpn = variant;
    } else {
      this.#withoutAlpn = variant;
    }
    return variant;
  }
}

interface PendingHandshake {
  readonly callbacks: HandshakeCallbacks;
  readonly localUri: string;
  readonly tls: DownstreamTls;
  readonly contexts: TlsContexts;
}

/** Handshakes under way, by the socket below them. */
const pending = new WeakMap<Socket, PendingHandshake>();

function takePending(socket: TLSSocket): PendingHandshake | undefined {
  const parent = (socket as unknown as { _parent?: Socket })._parent;
  const found = parent === undefined ? undefined : pending.get(parent);
  if (parent !== undefined) {
    pending.delete(parent);
  }
  return found;
}

function onSecureConnection(socket: TLSSocket): void {
  const handshake = takePending(socket);
  if (handshake === undefined) {
    socket.destroy();
    return;
  }
  const peer = peerCertificateOf(socket);
  const { tls, callbacks, localUri, contexts } = handshake;
  const validation = tls.validation;
  if (validation !== undefined) {
    const refusal =
      peer === undefined
        ? tls.requireClientCertificate && 'peer did not return a certificate'
        : (!socket.authorized && `certificate verify failed: ${String(socket.authorizationError)}`) ||
          (contexts.hasExpired(peer) && 'certificate has expired') ||
          (!acceptsPeer(validation.subjectAltNames, peer.names) && 'verify SAN list failed');
    if (refusal !== false) {
      socket.on('error', () => {});
      socket.destroy();
      callbacks.onFailed(`TLS_error: ${refusal}`);
      return;
    }
  }
  callbacks.onSecure(socket, peer, localUri);
}

function onClientError(error: Error, socket: TLSSocket): void {
  socket.on('error', () => {});
  socket.destroy();
  takePending(socket)?.callbacks.onFailed(`TLS_error: ${(error as NodeJS.ErrnoException).code ?? error.message}`);
}
