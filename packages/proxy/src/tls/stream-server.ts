import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { DownstreamTls } from '../runtime-config/config.ts';
import { type HandshakeCallbacks, type HandshakeContext, handshakeTimeoutMs } from './handshake.ts';
import { isProven, refuseClient } from './peer-verification.ts';
import { TlsConnection } from './tls-connection.ts';
import type { TlsContexts, TlsMaterial } from './tls-context.ts';
import { summaryOfSocket, tlsFactsOf } from './tls-facts.ts';

interface Variant {
  readonly material: TlsMaterial;
  readonly server: Server;
}

/** The server's side of handshakes with Node's public interface alone, for one configuration. */
export class StreamTlsServer {
  readonly #tls: DownstreamTls;
  readonly #contexts: TlsContexts;
  #withAlpn: Variant | undefined = undefined;
  #withoutAlpn: Variant | undefined = undefined;

  constructor(tls: DownstreamTls, contexts: TlsContexts) {
    this.#tls = tls;
    this.#contexts = contexts;
  }

  accept(
    context: HandshakeContext,
    socket: Socket,
    material: TlsMaterial,
    alpn: readonly string[] | undefined,
    callbacks: HandshakeCallbacks,
  ): void {
    // Node does not say of each socket that it closed in its handshake.
    socket.once('close', () => {
      const unfinished = pending.get(socket);
      pending.delete(socket);
      unfinished?.callbacks.onFailed('TLS_error: connection closed in the handshake');
    });
    pending.set(socket, { context, socket, material, callbacks, tls: this.#tls, contexts: this.#contexts });
    this.#variant(material, alpn).server.emit('connection', socket);
  }

  #variant(material: TlsMaterial, alpn: readonly string[] | undefined): Variant {
    const known = alpn === undefined ? this.#withoutAlpn : this.#withAlpn;
    if (known?.material === material) {
      return known;
    }
    const server = createServer({
      ...material.options,
      requestCert: this.#tls.validation !== undefined,
      // Node drops a peer that it rejects without a word; its verdict is looked at where it can be reported.
      // verified-by: onSecureConnection
      rejectUnauthorized: false,
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      handshakeTimeout: handshakeTimeoutMs,
      allowHalfOpen: true,
    });
    server.on('secureConnection', onSecureConnection);
    server.on('tlsClientError', onClientError);
    const variant = { material, server };
    if (alpn === undefined) {
      this.#withoutAlpn = variant;
    } else {
      this.#withAlpn = variant;
    }
    return variant;
  }
}

interface PendingHandshake {
  readonly context: HandshakeContext;
  readonly socket: Socket;
  readonly callbacks: HandshakeCallbacks;
  readonly material: TlsMaterial;
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

function onSecureConnection(secure: TLSSocket): void {
  const handshake = takePending(secure);
  if (handshake === undefined) {
    secure.destroy();
    return;
  }
  const { tls, callbacks, contexts, context, socket, material } = handshake;
  const certificate = secure.getPeerX509Certificate();
  const peer = certificate === undefined ? undefined : contexts.peers.get(certificate.raw);
  const verdict = secure.authorized ? undefined : String(secure.authorizationError);
  const refusal = refuseClient(tls, peer, verdict, material.revokedEndsMs, contexts.now());
  if (refusal !== undefined) {
    secure.on('error', () => {});
    secure.destroy();
    callbacks.onFailed(`TLS_error: ${refusal}`);
    return;
  }
  const proven = isProven(tls, peer, verdict, material.revokedEndsMs, contexts.now());
  const facts = tlsFactsOf(summaryOfSocket(secure), peer, proven, material);
  const connection = new TlsConnection(context.transport, secure, socket, facts);
  secure.pause();
  callbacks.onSecure(connection, peer);
}

function onClientError(error: Error, socket: TLSSocket): void {
  socket.on('error', () => {});
  socket.destroy();
  takePending(socket)?.callbacks.onFailed(`TLS_error: ${(error as NodeJS.ErrnoException).code ?? error.message}`);
}
