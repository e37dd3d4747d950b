import { createServer, type Server, type Socket } from 'node:net';
import type { BindAddress, ListenerConfig } from '../runtime-config/config.ts';
import { type AcceptorContext, ConnectionAcceptor } from './connection-acceptor.ts';
import type { ActiveFilterChain } from './filter-chain.ts';

/** Connections of one listener that have not found their filter yet (inspection, handshake); more are closed at once. */
const maxPendingConnections = 1024;

/** Length of the kernel's queue of connections that nobody has accepted. */
const backlog = 4096;

/** A bound socket whose filter chains can be exchanged while it listens. */
export class ActiveListener {
  config: ListenerConfig;
  chains: readonly ActiveFilterChain[] = [];
  defaultChain: ActiveFilterChain | undefined = undefined;
  connectionsTotal = 0;
  readonly #context: AcceptorContext;
  readonly #mayAccept: () => boolean;
  #server: Server | undefined = undefined;
  #pending = 0;

  /** @param mayAccept says no when the proxy holds as many connections as it may. */
  constructor(config: ListenerConfig, context: AcceptorContext, mayAccept: () => boolean) {
    this.config = config;
    this.#context = context;
    this.#mayAccept = mayAccept;
  }

  /** As bound; undefined before. */
  get bound(): { readonly address: string; readonly port: number } | undefined {
    const address = this.#server?.address();
    if (address === null || address === undefined) {
      return undefined;
    }
    return typeof address === 'string' ? { address, port: 0 } : { address: address.address, port: address.port };
  }

  get listening(): boolean {
    return this.#server !== undefined;
  }

  /** Binds; rejects with the system's error. */
  listen(): Promise<void> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...listenOptions(this.config.address), backlog }, () => {
        server.off('error', reject);
        // Errors while accepting (no descriptors left) concern one connection, not the listener.
        server.on('error', () => {});
        this.#server = server;
        resolve();
      });
    });
  }

  /** Accepts nothing more; connections go on. */
  stop(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #accept(socket: Socket): void {
    this.connectionsTotal += 1;
    if (this.#pending >= maxPendingConnections || !this.#mayAccept()) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    this.#pending += 1;
    new ConnectionAcceptor(socket, this, this.#context, () => {
      this.#pending -= 1;
    }).start();
  }
}

function listenOptions(address: BindAddress): { host: string; port: number } | { path: string } {
  return address.kind === 'pipe' ? { path: address.path } : { host: address.address, port: address.port };
}
