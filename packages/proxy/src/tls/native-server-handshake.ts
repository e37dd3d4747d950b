import type { Socket } from 'node:net';
import type { DownstreamTls } from '../runtime-config/config.ts';
import { type TimerOwner, WheelTimer } from '../transport/timer-wheel.ts';
import { type HandshakeCallbacks, type HandshakeContext, handshakeTimeoutMs } from './handshake.ts';
import {
  endOfStream,
  type NativeTls,
  peerDerOfHandle,
  systemError,
  type TlsHandle,
  type TlsHandleOwner,
} from './native-tls.ts';
import { NativeTlsConnection } from './native-tls-connection.ts';
import { isProven, refuseClient } from './peer-verification.ts';
import type { TlsContexts, TlsMaterial } from './tls-context.ts';
import { summaryOfHandle, tlsFactsOf } from './tls-facts.ts';

/**
 * The server's side of a handshake without Node's streams. The accepted socket keeps its handle until the session stands, so that whoever
 * holds the socket can drop it.
 */
export class NativeServerHandshake implements TlsHandleOwner, TimerOwner {
  readonly #native: NativeTls;
  readonly #context: HandshakeContext;
  readonly #contexts: TlsContexts;
  readonly #tls: DownstreamTls;
  readonly #material: TlsMaterial;
  readonly #socket: Socket;
  readonly #callbacks: HandshakeCallbacks;
  readonly #timer: WheelTimer = new WheelTimer(this, 0);
  #handle: TlsHandle | undefined = undefined;
  #settled = false;

  constructor(
    native: NativeTls,
    context: HandshakeContext,
    contexts: TlsContexts,
    tls: DownstreamTls,
    material: TlsMaterial,
    socket: Socket,
    callbacks: HandshakeCallbacks,
  ) {
    this.#native = native;
    this.#context = context;
    this.#contexts = contexts;
    this.#tls = tls;
    this.#material = material;
    this.#socket = socket;
    this.#callbacks = callbacks;
  }

  /** @param alpn what may be agreed on, undefined: no ALPN. */
  start(alpn: Buffer | undefined): void {
    const socket = this.#socket;
    const lower = this.#native.handleOf(socket);
    if (lower === undefined) {
      this.#fail('TLS_error: connection closed in the handshake');
      return;
    }
    const early = readBuffered(socket);
    // The end may have been read already; whoever reads next is told of it again.
    lower.readStop();
    const handle = this.#native.wrap(lower, this.#material.secureContext, true, this);
    this.#handle = handle;
    socket.once('close', this.#onSocketClosed);
    this.#context.wheel.arm(this.#timer, this.#context.clock.monotonicMs(), handshakeTimeoutMs);
    if (this.#tls.validation !== undefined) {
      // Not rejected by OpenSSL: its verdict is looked at below, where it can be reported.
      // verified-by: onHandshakeDone
      handle.setVerifyMode(true, false);
    }
    if (alpn !== undefined) {
      handle.setALPNProtocols(alpn);
    }
    for (const bytes of early) {
      handle.receive(bytes);
    }
    if (!this.#settled) {
      const status = handle.readStart();
      if (status !== 0) {
        this.#fail(`TLS_error: ${systemError(status, 'read').code}`);
      }
    }
  }

  /** @internal */
  onHandshakeDone(): void {
    if (this.#settled) {
      return;
    }
    try {
      this.#check();
    } catch (error) {
      this.#context.transport.reportFault(error, undefined);
      this.#fail('TLS_error: the session could not be taken over');
    }
  }

  #check(): void {
    const handle = this.#handle;
    const lower = this.#native.handleOf(this.#socket);
    if (handle === undefined || lower === undefined) {
      return;
    }
    const der = this.#tls.validation === undefined ? undefined : peerDerOfHandle(handle);
    const peer = der === undefined ? undefined : this.#contexts.peers.get(der);
    const verifyError = handle.verifyError();
    const verdict =
      verifyError === null || verifyError === undefined ? undefined : (verifyError.code ?? verifyError.message);
    const { revokedEndsMs } = this.#material;
    const nowMs = this.#contexts.now();
    const refusal = refuseClient(this.#tls, peer, verdict, revokedEndsMs, nowMs);
    if (refusal !== undefined) {
      this.#fail(`TLS_error: ${refusal}`);
      return;
    }
    const serverName = handle.getServername();
    const summary = summaryOfHandle(handle, typeof serverName === 'string' ? serverName : '');
    const proven = isProven(this.#tls, peer, verdict, revokedEndsMs, nowMs);
    const facts = tlsFactsOf(summary, peer, proven, this.#material);
    this.#settle();
    // It reads only when it is told to; what came with the end of the handshake is delivered all the same.
    handle.readStop();
    const { transport } = this.#context;
    const connection = new NativeTlsConnection(
      transport,
      this.#native,
      handle,
      lower,
      this.#socket,
      facts,
      undefined,
      false,
    );
    try {
      this.#callbacks.onSecure(connection, peer);
    } finally {
      this.#native.detach(this.#socket);
    }
  }

  /** @internal */
  onRead(length: number): void {
    if (length < 0) {
      const why = length === endOfStream ? 'connection closed in the handshake' : systemError(length, 'read').code;
      this.#fail(`TLS_error: ${why}`);
    }
  }

  /** @internal */
  onError(error: Error): void {
    this.#fail(`TLS_error: ${(error as NodeJS.ErrnoException).code ?? error.message}`);
  }

  /** @internal */
  onHandshakeStart(): void {}

  /** @internal */
  onSession(): void {}

  onTimer(): void {
    this.#fail('TLS_error: handshake timeout');
  }

  readonly #onSocketClosed = (): void => {
    this.#fail('TLS_error: connection closed in the handshake');
    this.#handle?.destroySSL();
  };

  #settle(): void {
    this.#settled = true;
    this.#context.wheel.remove(this.#timer);
    this.#socket.off('close', this.#onSocketClosed);
  }

  /** The socket is left to whoever is told; the session goes when the socket has closed. */
  #fail(reason: string): void {
    if (this.#settled) {
      return;
    }
    this.#settled = true;
    this.#context.wheel.remove(this.#timer);
    this.#callbacks.onFailed(reason);
    this.#socket.destroy();
  }
}

/** Takes what a paused socket has read and nobody has consumed. */
function readBuffered(socket: Socket): Buffer[] {
  const pieces: Buffer[] = [];
  while (socket.readableLength > 0) {
    const piece = socket.read() as Buffer | null;
    if (piece === null) {
      break;
    }
    pieces.push(piece);
  }
  return pieces;
}
