import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Clock, systemClock } from '@weft/base';
import { TlsAcceptor } from '../../src/listener/tls-acceptor.ts';
import type { DownstreamTls, FilterChain, UpstreamTls } from '../../src/runtime-config/config.ts';
import type { HandshakeContext } from '../../src/tls/handshake.ts';
import type { NativeTls } from '../../src/tls/native-tls.ts';
import type { PeerCertificate } from '../../src/tls/peer-cache.ts';
import { SessionCache } from '../../src/tls/session-cache.ts';
import { connectTls } from '../../src/tls/tls-connect.ts';
import { TlsContexts } from '../../src/tls/tls-context.ts';
import type { Connection, ConnectionHandler, TransportContext } from '../../src/transport/connection.ts';
import { EventClock } from '../../src/transport/event-clock.ts';
import { FlushQueue } from '../../src/transport/flush-queue.ts';
import type { PendingConnection } from '../../src/transport/raw-connection.ts';
import { TimerWheel } from '../../src/transport/timer-wheel.ts';
import { TestSecrets } from './proxy-harness.ts';
import { clientTls, meshRoots, ownKeyPair, serverTls, type TestCa } from './test-ca.ts';

/** What becomes of a connection, written down. */
class Witness implements ConnectionHandler {
  readonly pieces: Buffer[] = [];
  byteLength = 0;
  ended = false;
  closed = false;
  error: Error | undefined = undefined;
  writable: boolean[] = [];
  onBytes: (bytes: Buffer) => void = () => {};
  readonly #waiters = new Set<() => void>();

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const copy = Buffer.from(bytes.subarray(start, end));
    this.pieces.push(copy);
    this.byteLength += copy.length;
    this.onBytes(copy);
    this.#wake();
  }

  onEnd(): void {
    this.ended = true;
    this.#wake();
  }

  onClose(error: Error | undefined): void {
    this.closed = true;
    this.error = error;
    this.#wake();
  }

  onWritable(writable: boolean): void {
    this.writable.push(writable);
    this.#wake();
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      waiter();
    }
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (condition()) {
          this.#waiters.delete(look);
          resolve();
        }
      };
      this.#waiters.add(look);
      look();
    });
  }
}

/** One end of an established session. */
export interface End {
  readonly connection: Connection;
  readonly seen: Witness;
}

export type Outcome = { readonly end: End; readonly peer?: PeerCertificate | undefined } | { readonly failed: string };

/** Both ends of TLS as the proxy does them, without listeners, filters and pools. */
export class TlsPair {
  readonly faults: unknown[] = [];
  readonly clientSecrets = new TestSecrets();
  readonly serverSecrets = new TestSecrets();
  sessions = new SessionCache();
  readonly context: HandshakeContext;
  readonly accepted: Promise<Outcome>[] = [];
  readonly sockets: Socket[] = [];
  /** What the server's side says that the client offers. */
  offered: readonly string[] = ['http/1.1'];
  /** Takes an accepted socket first; resolves when it goes on. */
  beforeAccept: (socket: Socket) => Promise<void> = () => Promise.resolve();
  readonly #clientContexts: TlsContexts;
  readonly #acceptor: TlsAcceptor;
  readonly #server: Server;
  #port: number | undefined = undefined;
  #last: PendingConnection | undefined = undefined;
  readonly #waiting: ((outcome: Promise<Outcome>) => void)[] = [];

  private constructor(native: NativeTls | undefined, tls: DownstreamTls, clock: Clock) {
    const eventClock = new EventClock(clock);
    const transport: TransportContext = {
      flushQueue: new FlushQueue(eventClock),
      reportFault: (error) => this.faults.push(error),
      portable: native === undefined,
    };
    this.context = {
      clock: eventClock,
      wheel: new TimerWheel(eventClock, (error) => this.faults.push(error)),
      transport,
    };
    this.#clientContexts = new TlsContexts(this.clientSecrets, clock, native);
    const chain = { filter: { kind: 'tcp-proxy' } } as unknown as FilterChain;
    this.#acceptor = new TlsAcceptor(chain, tls, new TlsContexts(this.serverSecrets, clock, native));
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
  }

  static async start(
    ca: TestCa,
    native: NativeTls | undefined,
    tls: DownstreamTls = serverTls(),
    clock: Clock = systemClock,
  ): Promise<TlsPair> {
    const pair = new TlsPair(native, tls, clock);
    pair.serverSecrets.set(ownKeyPair, await ca.keyPair('catalog'));
    pair.serverSecrets.set(meshRoots, ca.roots);
    pair.clientSecrets.set(ownKeyPair, await ca.keyPair('storefront'));
    pair.clientSecrets.set(meshRoots, ca.roots);
    pair.#server.listen(0, '127.0.0.1');
    await once(pair.#server, 'listening');
    return pair;
  }

  get port(): number {
    return this.#port ?? (this.#server.address() as AddressInfo).port;
  }

  #accept(socket: Socket): void {
    this.sockets.push(socket);
    socket.on('error', () => {});
    const outcome = this.beforeAccept(socket).then(
      () =>
        new Promise<Outcome>((resolve) => {
          this.#acceptor.accept(this.context, socket, '', this.offered, {
            onSecure: (connection, peer) => resolve({ end: take(connection), peer }),
            onFailed: (reason) => {
              socket.destroy();
              resolve({ failed: reason });
            },
          });
        }),
    );
    this.accepted.push(outcome);
    this.#waiting.shift()?.(outcome);
  }

  /** What becomes of the connection that comes next. */
  next(): Promise<Outcome> {
    return new Promise((resolve, reject) => this.#waiting.push((outcome) => outcome.then(resolve, reject)));
  }

  connect(tls: UpstreamTls = clientTls([]), header?: Buffer): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#last = connectTls(
        this.context.transport,
        this.#clientContexts,
        tls,
        tls.alpn,
        { kind: 'ip', address: '127.0.0.1', port: this.port } as never,
        this.sessions,
        undefined,
        {
          onConnected: (connection) => resolve({ end: take(connection) }),
          onFailed: (error) => resolve({ failed: error.message }),
        },
        header,
      );
    });
  }

  /** Gives up the attempt that was begun last. */
  abandonLast(): void {
    this.#last?.abandon();
  }

  /** The next handshake is a full one. */
  forgetSessions(): void {
    this.sessions = new SessionCache();
  }

  /** For who makes many: what was accepted is not closed with the pair any more. */
  forgetConnections(): void {
    this.accepted.length = 0;
    this.sockets.length = 0;
  }

  stopListening(): void {
    this.#port = this.port;
    this.#server.close();
  }

  /** A session with both of its ends. */
  async both(
    tls?: UpstreamTls,
  ): Promise<{ readonly client: End; readonly server: End; readonly peer: PeerCertificate | undefined }> {
    const next = this.next();
    const [client, server] = await Promise.all([this.connect(tls), next]);
    if ('failed' in client || 'failed' in server) {
      throw new Error(
        `client ${'failed' in client ? client.failed : 'ok'}, server ${'failed' in server ? server.failed : 'ok'}`,
      );
    }
    return { client: client.end, server: server.end, peer: server.peer };
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) {
      socket.destroy();
    }
    for (const outcome of await Promise.all(this.accepted)) {
      if ('end' in outcome) {
        outcome.end.connection.destroy();
      }
    }
    this.context.wheel.close();
    this.#server.close();
  }
}

function take(connection: Connection): End {
  const seen = new Witness();
  connection.handler = seen;
  connection.resume();
  return { connection, seen };
}

export function send(end: End, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  end.connection.output.copy(bytes, 0, bytes.length);
}
