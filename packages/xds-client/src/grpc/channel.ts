import * as http2 from 'node:http2';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { type Clock, MeshError, type Timer } from '@weft/base';
import { GrpcCall, type GrpcCallHandlers } from './call.ts';

export type GrpcAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * `plaintext` is for tests and Unix sockets. With `tls`: options of `tls.connect`; unless `checkServerIdentity` says otherwise
 * the server's certificate must be valid for `servername` (default: the host of the address).
 */
export type ClientCredentials =
  | { readonly kind: 'plaintext' }
  | {
      readonly kind: 'tls';
      readonly tls: Pick<tls.ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'checkServerIdentity'>;
    };

export interface GrpcChannelOptions {
  readonly address: GrpcAddress;
  /** Asked before each connection, so that a renewed certificate is used by the next one. */
  credentials(): ClientCredentials | Promise<ClientCredentials>;
  readonly clock: Clock;
  /** Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A quiet connection is probed this often; a probe unanswered for half of it ends the connection. Default 20,000. */
  readonly keepaliveMs?: number;
}

/** One message stream in both directions. */
export interface GrpcStream {
  write(message: Uint8Array): void;
  /** Ends it from our side; `onEnd` is not called any more. */
  cancel(): void;
}

/** A gRPC client for streams: one HTTP/2 connection, made when it is needed. */
export interface GrpcChannel {
  /** Opens `/package.Service/Method`. Never throws: a failure to connect arrives at `onEnd`. */
  open(path: string, handlers: GrpcCallHandlers): GrpcStream;
  close(): void;
}

/** Receive window of the connection and of each stream. */
const windowBytes = 1024 * 1024;

/**
 * gRPC over `node:http2`. We need four methods of two services and no name resolution, balancing, retries or interceptors; this
 * is 4 MB of memory less than grpc-js (docs/adr, "xDS client transport").
 */
export function createGrpcChannel(options: GrpcChannelOptions): GrpcChannel {
  return new Channel(options);
}

interface Connection {
  readonly session: http2.ClientHttp2Session;
  readonly calls: Set<GrpcCall>;
}

class Channel implements GrpcChannel {
  readonly #options: GrpcChannelOptions;
  #connection: Promise<Connection> | undefined;
  #current: Connection | undefined;
  /** The current one, and those that are being left. */
  readonly #sessions = new Set<http2.ClientHttp2Session>();
  #closed = false;

  constructor(options: GrpcChannelOptions) {
    this.#options = options;
  }

  open(path: string, handlers: GrpcCallHandlers): GrpcStream {
    const call = new GrpcCall(handlers);
    this.#connect().then(
      (connection) => {
        if (call.ended) {
          return;
        }
        connection.calls.add(call);
        call.start(connection.session, path, () => this.#callEnded(connection, call));
      },
      (error: unknown) => call.end({ code: 'UNAVAILABLE', details: MeshError.from(error).message }),
    );
    return call;
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#sessions) {
      session.destroy();
    }
    this.#forget();
  }

  #forget(): void {
    this.#connection = undefined;
    this.#current = undefined;
  }

  /** A connection that is being left goes with its last call. */
  #callEnded(connection: Connection, call: GrpcCall): void {
    connection.calls.delete(call);
    if (connection !== this.#current && connection.calls.size === 0) {
      connection.session.destroy();
    }
  }

  #retire(connection: Connection): void {
    if (this.#current === connection) {
      this.#forget();
    }
  }

  #connect(): Promise<Connection> {
    if (this.#closed) {
      return Promise.reject(new MeshError('UNAVAILABLE', 'the channel is closed'));
    }
    if (this.#connection === undefined) {
      const connection = this.#dial();
      this.#connection = connection;
      connection.catch(() => {
        if (this.#connection === connection) {
          this.#forget();
        }
      });
    }
    return this.#connection;
  }

  async #dial(): Promise<Connection> {
    const credentials = await this.#options.credentials();
    const socket = connectSocket(this.#options.address, credentials);
    await this.#whenConnected(socket, credentials.kind === 'tls' ? 'secureConnect' : 'connect');
    if (this.#closed) {
      socket.destroy();
      throw new MeshError('UNAVAILABLE', 'the channel is closed');
    }
    const session = http2.connect(authorityOf(this.#options.address, credentials), {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    });
    session.setLocalWindowSize(windowBytes);
    const connection: Connection = { session, calls: new Set() };
    this.#current = connection;
    this.#watch(connection);
    return connection;
  }

  #whenConnected(socket: net.Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    return new Promise((resolve, reject) => {
      const timeoutMs = this.#options.connectTimeoutMs ?? 5_000;
      const fail = (error: unknown): void => {
        timer.cancel();
        socket.destroy();
        reject(error);
      };
      const timer = this.#options.clock.setTimeout(
        () => fail(new MeshError('TIMEOUT', `no connection within ${timeoutMs} ms`)),
        timeoutMs,
      );
      socket.once('error', fail);
      socket.once('close', () => fail(new MeshError('UNAVAILABLE', 'the connection was closed')));
      socket.once(event, () => {
        timer.cancel();
        socket.removeAllListeners('error').removeAllListeners('close');
        resolve();
      });
    });
  }

  #watch(connection: Connection): void {
    const { session, calls } = connection;
    this.#sessions.add(session);
    let reason = 'the connection was closed';
    const keepalive = new Keepalive(session, this.#options.clock, this.#options.keepaliveMs ?? 20_000);
    session.on('error', (error: Error) => {
      reason = error.message;
    });
    // The server wants us to leave (maximum age, shutdown): new streams get a new connection, open ones may end in peace.
    session.on('goaway', () => {
      reason = 'the server asked to reconnect';
      this.#retire(connection);
      for (const call of [...calls]) {
        call.goaway();
      }
    });
    session.on('close', () => {
      keepalive.stop();
      this.#sessions.delete(session);
      this.#retire(connection);
      for (const call of [...calls]) {
        call.end({ code: 'UNAVAILABLE', details: reason });
      }
    });
  }
}

/** Pings a connection; one that does not answer is dead. */
class Keepalive {
  readonly #session: http2.ClientHttp2Session;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #timer: Timer;

  constructor(session: http2.ClientHttp2Session, clock: Clock, intervalMs: number) {
    this.#session = session;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#timer = clock.setTimeout(() => this.#probe(), intervalMs, { unref: true });
  }

  stop(): void {
    this.#timer.cancel();
  }

  #probe(): void {
    if (this.#session.destroyed || this.#session.closed) {
      return;
    }
    this.#timer = this.#clock.setTimeout(() => this.#session.destroy(), this.#intervalMs / 2, { unref: true });
    this.#session.ping((error) => {
      this.#timer.cancel();
      if (error === null && !this.#session.destroyed) {
        this.#timer = this.#clock.setTimeout(() => this.#probe(), this.#intervalMs, { unref: true });
      }
    });
  }
}

function connectSocket(address: GrpcAddress, credentials: ClientCredentials): net.Socket {
  const target = 'path' in address ? { path: address.path } : { host: address.host, port: address.port };
  const socket =
    credentials.kind === 'plaintext'
      ? net.connect(target)
      : tls.connect({
          ...target,
          ...serverNameOf(address),
          ...credentials.tls,
          // Said outright: NODE_TLS_REJECT_UNAUTHORIZED=0 of a developer's shell must not let anybody pose as the control plane.
          rejectUnauthorized: true,
          ALPNProtocols: ['h2'],
          minVersion: 'TLSv1.2',
        });
  return socket.setNoDelay(true);
}

/** SNI must be a name, not an address (RFC 6066 §3). */
function serverNameOf(address: GrpcAddress): { servername?: string } {
  return 'host' in address && net.isIP(address.host) === 0 ? { servername: address.host } : {};
}

function authorityOf(address: GrpcAddress, credentials: ClientCredentials): string {
  const host = 'path' in address ? 'localhost' : net.isIPv6(address.host) ? `[${address.host}]` : address.host;
  const port = 'path' in address ? '' : `:${address.port}`;
  return `${credentials.kind === 'tls' ? 'https' : 'http'}://${host}${port}`;
}
