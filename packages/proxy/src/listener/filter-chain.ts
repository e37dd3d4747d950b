import { HttpConnection } from '../filter/http/http-connection.ts';
import type { HttpContext } from '../filter/http/http-context.ts';
import { HttpManager } from '../filter/http/http-manager.ts';
import { type TcpContext, TcpProxyConnection } from '../filter/network/tcp-proxy.ts';
import type { FilterChain, ListenerConfig } from '../runtime-config/config.ts';
import type { DownstreamConnectionInfo } from '../stream-info.ts';
import type { TlsContexts } from '../tls/tls-context.ts';
import type { Connection } from '../transport/connection.ts';
import { TlsAcceptor } from './tls-acceptor.ts';

/** A connection that a filter chain serves. */
export interface ServedConnection {
  destroy(): void;
}

/** A filter chain with what it needs at run time and the connections that it serves. */
export class ActiveFilterChain {
  readonly config: FilterChain;
  /** Changes with anything that its connections could notice. */
  readonly fingerprint: string;
  readonly tls: TlsAcceptor | undefined;
  readonly #listener: ListenerConfig;
  readonly #manager: HttpManager | undefined;
  readonly #tcp: TcpContext;
  readonly #connections = new Set<HttpConnection | TcpProxyConnection>();
  readonly #onEmpty: () => void;
  #draining = false;

  constructor(
    config: FilterChain,
    listener: ListenerConfig,
    contexts: TlsContexts,
    http: HttpContext,
    tcp: TcpContext,
    onEmpty: () => void,
  ) {
    this.config = config;
    this.fingerprint = filterChainFingerprint(config, listener);
    this.#listener = listener;
    this.#tcp = tcp;
    this.#onEmpty = onEmpty;
    this.tls = config.downstreamTls === undefined ? undefined : new TlsAcceptor(config, config.downstreamTls, contexts);
    this.#manager =
      config.filter.kind === 'http-connection-manager' ? new HttpManager(config.filter, listener, http) : undefined;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Hands a connection, decrypted if need be, to the chain's filter. */
  serve(transport: Connection, info: DownstreamConnectionInfo, peerPem: () => string): void {
    const { filter } = this.config;
    transport.bufferLimitBytes = this.#listener.bufferLimitBytes;
    if (filter.kind === 'tcp-proxy') {
      const connection = new TcpProxyConnection(transport, filter, this.#listener, this.#tcp, info, (closed) =>
        this.#closed(closed),
      );
      this.#connections.add(connection);
      connection.start();
    } else if (this.#manager !== undefined) {
      const connection = new HttpConnection(transport, this.#manager, info, (closed) => this.#closed(closed), peerPem);
      this.#connections.add(connection);
      if (this.#draining) {
        connection.beginDrain();
      }
    }
    if (!transport.isClosed) {
      transport.resume();
    }
  }

  /** Each HTTP connection ends with its next response. */
  drain(): void {
    this.#draining = true;
    for (const connection of this.#connections) {
      if (connection instanceof HttpConnection) {
        connection.beginDrain();
      }
    }
  }

  /** Ends the HTTP connections that carry no request. */
  closeIdle(): void {
    for (const connection of this.#connections) {
      if (connection instanceof HttpConnection) {
        connection.closeIfIdle();
      }
    }
  }

  /** @returns how many connections or requests ended because nothing had moved for `share` of their idle timeouts. */
  endIdle(share: number, nowMs: number): number {
    let ended = 0;
    for (const connection of this.#connections) {
      if (connection.endIfIdle(share, nowMs)) {
        ended += 1;
      }
    }
    return ended;
  }

  get connections(): Iterable<HttpConnection | TcpProxyConnection> {
    return this.#connections;
  }

  destroy(): void {
    for (const connection of this.#connections) {
      connection.destroy();
    }
  }

  #closed(connection: HttpConnection | TcpProxyConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) {
      this.#onEmpty();
    }
  }
}

/** Two configurations with the same text serve alike, so connections need not be drained between them. */
export function filterChainFingerprint(chain: FilterChain, listener: ListenerConfig): string {
  return JSON.stringify([listener.name, listener.direction, chain]);
}
