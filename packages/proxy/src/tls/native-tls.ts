import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { SecureContext } from 'node:tls';

import { peerDerOf } from './peer-der.ts';

/**
 * The one place that knows the native side of Node's TLS: OpenSSL over a TCP handle, without `TLSSocket`, `net.Socket` and their streams.
 * A message costs two thirds of what it costs through streams, a handshake two thirds as well (bench/micro/tls.ts).
 * Used wrongly these objects end the process, so they are used only with the versions of Node that this was tested with; with any other one
 * `findNativeTls` finds nothing and TLS goes through `TLSSocket`.
 */

/** Major versions of Node whose handles have been tested. */
const testedMajors: ReadonlySet<string> = new Set(['24']);

/** End of the stream, as the native side writes it instead of a length. */
export const endOfStream = -4095;

/** Who is told what happens on a session. */
export interface TlsHandleOwner {
  /** `length` bytes are in the read buffer; a negative one is an error number or `endOfStream`. */
  onRead(length: number): void;
  onError(error: Error): void;
  /** Of TLS 1.2 also: the peer wants another handshake. */
  onHandshakeStart(): void;
  onHandshakeDone(): void;
  /** A client got a session that it may resume. */
  onSession(session: Buffer): void;
}

/** A write or shutdown under way. It belongs to one operation only. */
export interface StreamRequest {
  oncomplete?: (status: number) => void;
  owner?: unknown;
  /** OpenSSL's words, if it failed there. */
  error?: string;
}

/** A TCP or pipe handle of libuv. It keeps what hangs on it alive until it is closed; the session above it does not. */
export interface LowerHandle {
  onread: unknown;
  /** Node's: whoever reads from it through streams. */
  owner?: unknown;
  /** Ours. */
  user?: unknown;
  tls?: TlsHandle;
  readStop(): number;
  writeBuffer(request: StreamRequest, bytes: Uint8Array): number;
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, delaySec: number, intervalSec: number, probes: number): number;
  getpeername?(out: Partial<HandleName>): number;
  getsockname?(out: Partial<HandleName>): number;
  connect(request: ConnectRequest, address: string, port?: number): number;
  connect6?(request: ConnectRequest, address: string, port: number): number;
  /** Closes with a reset; only TCP. @returns a negative number when that cannot be, and nothing is closed. */
  reset?(done: (this: LowerHandle) => void): number;
  close(done: (this: LowerHandle) => void): void;
}

export interface HandleName {
  readonly address: string;
  readonly port: number;
}

export interface ConnectRequest {
  oncomplete?: (this: ConnectRequest, status: number) => void;
  owner?: unknown;
}

/** A session of OpenSSL over a handle. At most one write may be under way: a second one ends the process. */
export interface TlsHandle {
  user: TlsHandleOwner;
  onread: unknown;
  onerror: unknown;
  onhandshakestart: unknown;
  onhandshakedone: unknown;
  onnewsession: unknown;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /** Encrypts the bytes before it returns (or keeps a copy of them). @returns 0, or a negative error number. */
  writeBuffer(request: StreamRequest, bytes: Uint8Array): number;
  /** Sends close_notify and the end of the stream. @returns 1 when there is nothing to wait for. */
  shutdown(request: StreamRequest): number;
  /** Lets a client begin. */
  start(): void;
  /** Encrypted bytes that were read by somebody else. */
  receive(bytes: Uint8Array): void;
  setVerifyMode(requestCertificate: boolean, reject: boolean): void;
  setALPNProtocols(wire: Uint8Array): void;
  setServername(name: string): void;
  setSession(session: Buffer): void;
  /** With its secrets. */
  getSession(): Buffer | undefined;
  enableSessionCallbacks(): void;
  /** What OpenSSL has against the peer's chain. */
  verifyError(): (Error & { readonly code?: string }) | null | undefined;
  isSessionReused(): boolean;
  getServername(): string | false | undefined;
  getALPNNegotiatedProtocol(): string | false | undefined;
  getCipher(): { readonly standardName?: string } | undefined;
  getProtocol(): string | null;
  destroySSL(): void;
}

interface StreamWrapBinding {
  readonly WriteWrap: new () => StreamRequest;
  readonly ShutdownWrap: new () => StreamRequest;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

interface SocketBinding {
  readonly TCP: new (type: number) => LowerHandle;
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly constants: { readonly SOCKET: number };
}

interface PipeBinding {
  readonly Pipe: new (type: number) => LowerHandle;
  readonly PipeConnectWrap: new () => ConnectRequest;
  readonly constants: { readonly SOCKET: number };
}

interface TlsBinding {
  wrap(lower: LowerHandle, context: unknown, isServer: boolean, hasWrite: boolean): TlsHandle;
  readonly TLSWrap: { readonly prototype: object };
}

/** All sessions decrypt into this buffer, a record at a time: whoever needs bytes after the event copies them. */
export const tlsReadBuffer: Buffer = Buffer.allocUnsafeSlow(16 * 1024);

/** Makes sessions and what they are made of. */
export class NativeTls {
  readonly #stream: StreamWrapBinding;
  readonly #socket: SocketBinding;
  readonly #pipe: PipeBinding;
  readonly #tls: TlsBinding;
  readonly #onRead: (this: TlsHandle) => void;

  constructor(stream: StreamWrapBinding, socket: SocketBinding, pipe: PipeBinding, tls: TlsBinding) {
    this.#stream = stream;
    this.#socket = socket;
    this.#pipe = pipe;
    this.#tls = tls;
    const { streamBaseState, kReadBytesOrError } = stream;
    this.#onRead = function onRead(this: TlsHandle): void {
      this.user.onRead(streamBaseState[kReadBytesOrError] ?? 0);
    };
  }

  /** Puts a session over a connected handle. Nothing is read before `readStart`. */
  wrap(lower: LowerHandle, context: SecureContext, isServer: boolean, user: TlsHandleOwner): TlsHandle {
    const tls = this.#tls.wrap(
      lower,
      (context as SecureContext & { readonly context: unknown }).context,
      isServer,
      false,
    );
    // The session lives as long as something refers to it, and only the handle below is sure to live.
    lower.tls = tls;
    // What comes after the session has been taken down and before the handle has closed.
    lower.onread = ignore;
    tls.user = user;
    tls.onread = this.#onRead;
    tls.onerror = onError;
    tls.onhandshakestart = onHandshakeStart;
    tls.onhandshakedone = onHandshakeDone;
    tls.onnewsession = onNewSession;
    tls.useUserBuffer(tlsReadBuffer);
    return tls;
  }

  createWrite(): StreamRequest {
    return new this.#stream.WriteWrap();
  }

  createShutdown(): StreamRequest {
    return new this.#stream.ShutdownWrap();
  }

  get lastWriteWasAsync(): boolean {
    return this.#stream.streamBaseState[this.#stream.kLastWriteWasAsync] !== 0;
  }

  createTcp(): LowerHandle {
    return new this.#socket.TCP(this.#socket.constants.SOCKET);
  }

  createTcpConnect(): ConnectRequest {
    return new this.#socket.TCPConnectWrap();
  }

  createPipe(): LowerHandle {
    return new this.#pipe.Pipe(this.#pipe.constants.SOCKET);
  }

  createPipeConnect(): ConnectRequest {
    return new this.#pipe.PipeConnectWrap();
  }

  /** The handle of an accepted socket, undefined if it has none or one of another kind. */
  handleOf(socket: Socket): LowerHandle | undefined {
    const handle = (socket as unknown as { _handle?: (LowerHandle & { isStreamBase?: boolean }) | null })._handle;
    return handle?.isStreamBase === true && typeof handle.close === 'function' ? handle : undefined;
  }

  /** Makes the socket let go of its handle, which lives on. The socket counts as closed for its server. */
  detach(socket: Socket): void {
    const internal = socket as unknown as { _handle: LowerHandle | null };
    const handle = internal._handle;
    internal._handle = null;
    if (handle !== null) {
      // Otherwise the handle keeps the socket.
      handle.owner = null;
    }
    socket.destroy();
  }
}

/** The certificate of the peer of an established session, DER; undefined when it gave none. */
export function peerDerOfHandle(tls: TlsHandle): Buffer | undefined {
  const session = tls.getSession();
  return session === undefined ? undefined : peerDerOf(session);
}

/** ALPN names as they stand in the handshake (RFC 7301 §3.1). */
export function alpnWire(names: readonly string[]): Buffer {
  return Buffer.concat(names.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`, 'latin1')));
}

/** An error with the system's name for a negative error number. */
export function systemError(status: number, operation: string): NodeJS.ErrnoException {
  const code = errnoNames.get(-status) ?? 'EIO';
  return Object.assign(new Error(`${operation} ${code}`), { code, errno: status, syscall: operation });
}

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);

/** @returns undefined with a version of Node that was not tested, or one that does not hand out its handles. */
export function findNativeTls(nodeVersion: string = process.versions.node): NativeTls | undefined {
  if (!testedMajors.has(nodeVersion.split('.')[0] ?? '')) {
    return undefined;
  }
  try {
    const { binding } = process as unknown as { binding?: (name: string) => unknown };
    if (binding === undefined) {
      return undefined;
    }
    const stream = binding('stream_wrap') as StreamWrapBinding;
    const socket = binding('tcp_wrap') as SocketBinding;
    const pipe = binding('pipe_wrap') as PipeBinding;
    const tls = binding('tls_wrap') as TlsBinding;
    const complete =
      typeof stream.WriteWrap === 'function' &&
      typeof stream.ShutdownWrap === 'function' &&
      stream.streamBaseState instanceof Int32Array &&
      typeof stream.kReadBytesOrError === 'number' &&
      typeof stream.kLastWriteWasAsync === 'number' &&
      typeof socket.TCP === 'function' &&
      typeof socket.TCPConnectWrap === 'function' &&
      typeof pipe.Pipe === 'function' &&
      typeof pipe.PipeConnectWrap === 'function' &&
      typeof tls.wrap === 'function' &&
      neededMethods.every((name) => name in tls.TLSWrap.prototype);
    return complete ? new NativeTls(stream, socket, pipe, tls) : undefined;
  } catch {
    return undefined;
  }
}

const neededMethods: readonly (keyof TlsHandle)[] = [
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'shutdown',
  'start',
  'receive',
  'setVerifyMode',
  'setALPNProtocols',
  'setServername',
  'setSession',
  'getSession',
  'enableSessionCallbacks',
  'verifyError',
  'isSessionReused',
  'getServername',
  'getALPNNegotiatedProtocol',
  'getCipher',
  'getProtocol',
  'destroySSL',
];

function ignore(): void {}

function onError(this: TlsHandle, error: Error): void {
  this.user.onError(error);
}

function onHandshakeStart(this: TlsHandle): void {
  this.user.onHandshakeStart();
}

function onHandshakeDone(this: TlsHandle): void {
  this.user.onHandshakeDone();
}

function onNewSession(this: TlsHandle, _id: Buffer, session: Buffer): void {
  this.user.onSession(session);
}
