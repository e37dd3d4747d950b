import { isIP, isIPv6 } from 'node:net';
import type { BindAddress, UpstreamTls } from '../runtime-config/config.ts';
import type { SocketAddresses, TransportContext } from '../transport/connection.ts';
import { runEvent } from '../transport/guarded-event.ts';
import type { ConnectCallbacks, PendingConnection } from '../transport/raw-connection.ts';
import type { TcpKeepalive } from '../transport/tcp-keepalive.ts';
import {
  alpnWire,
  type ConnectRequest,
  endOfStream,
  type HandleName,
  type LowerHandle,
  type NativeTls,
  peerDerOfHandle,
  systemError,
  type TlsHandle,
  type TlsHandleOwner,
} from './native-tls.ts';
import { NativeTlsConnection, type SessionSink } from './native-tls-connection.ts';
import type { PeerCertificate } from './peer-cache.ts';
import { refuseServer } from './peer-verification.ts';
import type { ResumableSession, SessionCache } from './session-cache.ts';
import type { TlsContexts, TlsMaterial } from './tls-context.ts';
import { summaryOfHandle, tlsFactsOf } from './tls-facts.ts';

/** What a connection to a server is to be. */
export interface ClientHandshakeOptions {
  readonly native: NativeTls;
  readonly context: TransportContext;
  readonly contexts: TlsContexts;
  readonly tls: UpstreamTls;
  readonly material: TlsMaterial;
  readonly alpn: readonly string[];
  readonly address: BindAddress;
  readonly sessions: SessionCache;
  readonly keepalive: TcpKeepalive | undefined;
  readonly callbacks: ConnectCallbacks;
  /** What goes first, before TLS. */
  readonly header: Buffer | undefined;
}

/** Whether an address can be connected to without the resolver. */
export function isDirect(address: BindAddress): boolean {
  return address.kind === 'pipe' || isIP(address.address) !== 0;
}

/** Connects and does the client's side of a handshake without Node's streams. */
export class NativeClientHandshake implements TlsHandleOwner, PendingConnection {
  readonly #options: ClientHandshakeOptions;
  readonly #lower: LowerHandle;
  readonly #resumed: ResumableSession | undefined;
  #handle: TlsHandle | undefined = undefined;
  /** TLS 1.2 gives the session within the handshake, before the peer is known; 1.3 after it. */
  #early: Buffer | undefined = undefined;
  #settled = false;
  #closing = false;

  constructor(options: ClientHandshakeOptions) {
    const { native, address, material, sessions } = options;
    this.#options = options;
    this.#resumed = sessions.take(material.version);
    this.#lower = address.kind === 'pipe' ? native.createPipe() : native.createTcp();
    this.#lower.user = this;
    this.#lower.onread = ignore;
  }

  start(): void {
    const { native, address } = this.#options;
    const request = address.kind === 'pipe' ? native.createPipeConnect() : native.createTcpConnect();
    request.owner = this;
    request.oncomplete = onConnected;
    const status = this.#connect(request);
    if (status !== 0) {
      // Nobody has the attempt in hand yet.
      process.nextTick(() => this.#fail(systemError(status, 'connect')));
    }
  }

  #connect(request: ConnectRequest): number {
    const { address } = this.#options;
    const lower = this.#lower;
    if (address.kind === 'pipe') {
      return lower.connect(request, address.path);
    }
    return isIPv6(address.address) && lower.connect6 !== undefined
      ? lower.connect6(request, address.address, address.port)
      : lower.connect(request, address.address, address.port);
  }

  /** @internal */
  connected(status: number): void {
    if (this.#settled || this.#closing) {
      return;
    }
    if (status !== 0) {
      this.#fail(systemError(status, 'connect'));
      return;
    }
    try {
      this.#begin();
    } catch (error) {
      this.#options.context.reportFault(error, undefined);
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #begin(): void {
    const { native, material, tls, alpn, keepalive, header } = this.#options;
    const lower = this.#lower;
    lower.setNoDelay?.(true);
    if (keepalive !== undefined) {
      const { timeSec, intervalSec, probes } = keepalive;
      lower.setKeepAlive?.(true, timeSec, intervalSec, probes);
    }
    if (header !== undefined) {
      const status = lower.writeBuffer(native.createWrite(), header);
      // A new connection takes as little as this at once, and a session must not be put over a write under way.
      if (status !== 0 || native.lastWriteWasAsync) {
        this.#fail(systemError(status === 0 ? -11 : status, 'write'));
        return;
      }
    }
    const handle = native.wrap(lower, material.secureContext, false, this);
    this.#handle = handle;
    // OpenSSL goes on whatever it has against the server: its verdict is looked at below.
    // verified-by: onHandshakeDone
    handle.setVerifyMode(true, false);
    if (alpn.length > 0) {
      handle.setALPNProtocols(alpnWire(alpn));
    }
    if (tls.sni !== '' && isIP(tls.sni) === 0) {
      handle.setServername(tls.sni);
    }
    handle.enableSessionCallbacks();
    if (this.#resumed !== undefined) {
      handle.setSession(this.#resumed.session);
    }
    const status = handle.readStart();
    if (status !== 0) {
      this.#fail(systemError(status, 'read'));
      return;
    }
    handle.start();
  }

  /** @internal */
  onHandshakeDone(): void {
    if (this.#settled || this.#closing) {
      return;
    }
    try {
      this.#check();
    } catch (error) {
      this.#options.context.reportFault(error, undefined);
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #check(): void {
    const { native, context, contexts, tls, material, sessions, callbacks } = this.#options;
    const handle = this.#handle;
    if (handle === undefined) {
      return;
    }
    const der = peerDerOfHandle(handle);
    const resumedPeer = handle.isSessionReused() ? this.#resumed?.peer : undefined;
    const peer = der === undefined ? resumedPeer : contexts.peers.get(der);
    const verifyError = handle.verifyError();
    const verdict =
      verifyError === null || verifyError === undefined ? undefined : (verifyError.code ?? verifyError.message);
    const refusal = refuseServer(tls, peer, verdict, material.revokedEndsMs, contexts.now());
    if (refusal !== undefined) {
      this.#fail(new Error(`TLS_error: ${refusal}`));
      return;
    }
    this.#settled = true;
    const sink = new CachedSessions(sessions, material.version, peer);
    if (this.#early !== undefined) {
      sink.keep(this.#early);
    }
    const summary = summaryOfHandle(handle, tls.sni);
    const facts = tlsFactsOf(summary, peer, tls.validation !== undefined && verdict === undefined, material);
    const connection = new NativeTlsConnection(
      context,
      native,
      handle,
      this.#lower,
      namesOf(this.#lower),
      facts,
      sink,
      true,
    );
    runEvent(context, connection, () => callbacks.onConnected(connection));
  }

  /** @internal */
  onRead(length: number): void {
    if (length === endOfStream) {
      this.#fail(new Error('TLS_error: connection closed in the handshake'));
    } else if (length < 0) {
      this.#fail(systemError(length, 'read'));
    }
  }

  /** @internal */
  onError(error: Error): void {
    this.#fail(error);
  }

  /** @internal */
  onHandshakeStart(): void {}

  /** @internal */
  onSession(session: Buffer): void {
    this.#early = session;
  }

  abandon(): void {
    this.#settled = true;
    this.#close();
  }

  #fail(error: Error): void {
    if (this.#settled) {
      return;
    }
    this.#settled = true;
    this.#close();
    try {
      this.#options.callbacks.onFailed(error);
    } catch (thrown) {
      this.#options.context.reportFault(thrown, undefined);
    }
  }

  #close(): void {
    // A connection that came of it is not ours any more.
    if (!this.#closing && this.#lower.user === this) {
      this.#closing = true;
      this.#lower.close(onLowerClosed);
    }
  }

  /** @internal */
  lowerClosed(): void {
    this.#handle?.destroySSL();
  }
}

/** Puts the sessions of one connection into the cache, with who gave them. */
class CachedSessions implements SessionSink {
  readonly #cache: SessionCache;
  readonly #version: string;
  readonly #peer: PeerCertificate | undefined;

  constructor(cache: SessionCache, version: string, peer: PeerCertificate | undefined) {
    this.#cache = cache;
    this.#version = version;
    this.#peer = peer;
  }

  keep(session: Buffer): void {
    this.#cache.put(this.#version, { session, peer: this.#peer });
  }
}

function namesOf(lower: LowerHandle): SocketAddresses {
  const remote: Partial<HandleName> = {};
  const local: Partial<HandleName> = {};
  lower.getpeername?.(remote);
  lower.getsockname?.(local);
  return {
    remoteAddress: remote.address,
    remotePort: remote.port,
    localAddress: local.address,
    localPort: local.port,
  };
}

function ignore(): void {}

function onConnected(this: ConnectRequest, status: number): void {
  const handshake = this.owner as NativeClientHandshake;
  this.owner = undefined;
  handshake.connected(status);
}

function onLowerClosed(this: LowerHandle): void {
  const handshake = this.user as NativeClientHandshake;
  this.user = undefined;
  handshake.lowerClosed();
}
