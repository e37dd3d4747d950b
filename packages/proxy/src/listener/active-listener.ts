import { createServer, type Server, type Socket } from 'node:net';
import type { ListenerProtocols } from '../load-report/protocols-seen.ts';
import type { ListenerConfig } from '../runtime-config/config.ts';
import { bindServer } from './bind-server.ts';
import { type AcceptorContext, type AcceptorListener, ConnectionAcceptor } from './connection-acceptor.ts';
import { ConnectionRate } from './connection-rate.ts';
import type { ActiveFilterChain } from './filter-chain.ts';
import type { DetectedProtocol } from './first-bytes.ts';

/**
 * Connections of one listener that have not found their filter yet (inspection, handshake). When there are more the oldest
 * is closed: an honest client needs milliseconds, and clients that hold their connection up cannot keep it out.
 */
const maxPendingConnections = 1024;

/** A bound socket whose filter chains can be exchanged while it listens. */
export class ActiveListener implements AcceptorListener {
  config: ListenerConfig;
  chains: readonly ActiveFilterChain[] = [];
  defaultChain: ActiveFilterChain | undefined = undefined;
  connectionsTotal = 0;
  /** Connections by what the inspectors took them for. */
  readonly detected = new Map<DetectedProtocol, number>();
  inspectionTimeouts = 0;
  connectionsWithoutChain = 0;
  readonly #protocols: ListenerProtocols;
  readonly #context: AcceptorContext;
  readonly #mayAccept: () => boolean;
  readonly #onLearnt: (listener: string, protocol: DetectedProtocol) => void;
  #server: Server | undefined = undefined;
  readonly #rate = new ConnectionRate();
  /** Oldest first. */
  readonly #pending = new Set<ConnectionAcceptor>();

  /**
   * @param mayAccept says no when the proxy holds as many connections as it may.
   * @param protocols is told of what is no HTTP.
   * @param onLearnt is called when the inspectors find a protocol for the first time.
   */
  constructor(
    config: ListenerConfig,
    context: AcceptorContext,
    mayAccept: () => boolean,
    protocols: ListenerProtocols,
    onLearnt: (listener: string, protocol: DetectedProtocol) => void,
  ) {
    this.config = config;
    this.#context = context;
    this.#mayAccept = mayAccept;
    this.#protocols = protocols;
    this.#onLearnt = onLearnt;
  }

  /** As bound; undefined before. */
  get bound(): { readonly address: string; readonly port: number } | undefined {
    const address = this.#server?.address();
    if (address === null || address === undefined) {
      return undefined;
    }
    return typeof address === 'string' ? { address, port: 0 } : { address: address.address, port: address.port };
  }

  /** Connections that have not found their filter yet. */
  get pending(): number {
    return this.#pending.size;
  }

  get listening(): boolean {
    return this.#server !== undefined;
  }

  /** Binds; rejects with the system's error. */
  listen(): Promise<void> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
    return bindServer(server, this.config.address, this.config.backlog, this.config.reusePort === true).then(() => {
      // Errors while accepting (no descriptors left) concern one connection, not the listener.
      server.on('error', () => {});
      this.#server = server;
    });
  }

  /** Accepts nothing more; connections go on. */
  stop(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  onDetected(protocol: DetectedProtocol): void {
    if (!this.detected.has(protocol)) {
      this.#onLearnt(this.config.name, protocol);
    }
    this.detected.set(protocol, (this.detected.get(protocol) ?? 0) + 1);
  }

  onOpaque(protocol: 'tls' | 'tcp' | 'server-first'): void {
    this.#protocols.note(protocol, this.#context.clock.now());
  }

  onInspectionTimeout(): void {
    this.inspectionTimeouts += 1;
  }

  onNoChain(): void {
    this.connectionsWithoutChain += 1;
  }

  #accept(socket: Socket): void {
    this.connectionsTotal += 1;
    if (!this.#mayAccept()) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    if (this.#pending.size >= maxPendingConnections) {
      const [oldest] = this.#pending;
      oldest?.evict();
    }
    const acceptor: ConnectionAcceptor = new ConnectionAcceptor(socket, this, this.#context, () =>
      this.#pending.delete(acceptor),
    );
    this.#pending.add(acceptor);
    const { connectionRate } = this.config;
    if (connectionRate === undefined || this.#rate.admits(connectionRate, this.#context.clock.monotonicMs())) {
      acceptor.start();
    } else {
      acceptor.exceedRate();
    }
  }
}
