import type { Socket } from 'node:net';
import type { Clock } from '@weft/base';
import { ResponseFlag } from '../response-flag.ts';
import type { ListenerConfig } from '../runtime-config/config.ts';
import type { ConnectionRecord, DownstreamConnectionInfo } from '../stream-info.ts';
import { inspectClientHello, maxClientHelloBytes } from '../tls/client-hello.ts';
import { TlsConnection } from '../tls/tls-connection.ts';
import { tlsFactsOf } from '../tls/tls-facts.ts';
import type { Connection, TransportContext } from '../transport/connection.ts';
import { acceptRaw, type RawConnection } from '../transport/raw-connection.ts';
import { type TimerOwner, type TimerWheel, WheelTimer } from '../transport/timer-wheel.ts';
import type { ActiveFilterChain } from './filter-chain.ts';
import { matchFilterChain } from './filter-chain-match.ts';

/** What accepting needs of the listener that a connection came by. */
export interface AcceptorListener {
  readonly config: ListenerConfig;
  readonly chains: readonly ActiveFilterChain[];
  readonly defaultChain: ActiveFilterChain | undefined;
}

export interface AcceptorContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly transport: TransportContext;
  nextConnectionId(): number;
  /** A connection ended before a filter got it. */
  onRefused(record: ConnectionRecord, listener: ListenerConfig): void;
}

/** Brings an accepted socket to its filter chain: inspection, choice of the chain, TLS. */
export class ConnectionAcceptor implements TimerOwner {
  readonly #socket: Socket;
  readonly #listener: AcceptorListener;
  readonly #context: AcceptorContext;
  readonly #onDone: () => void;
  readonly #timer: WheelTimer = new WheelTimer(this, 0);
  readonly #startMs: number;
  readonly #startTimeMs: number;
  readonly #remoteAddress: string;
  #seen: Buffer = Buffer.alloc(0);
  #serverName = '';
  #done = false;
  #onChunk: ((chunk: Buffer) => void) | undefined = undefined;

  /** @param onDone is called once, when the socket has found its filter or is gone. */
  constructor(socket: Socket, listener: AcceptorListener, context: AcceptorContext, onDone: () => void) {
    this.#socket = socket;
    this.#listener = listener;
    this.#context = context;
    this.#onDone = onDone;
    this.#startMs = context.clock.monotonicMs();
    this.#startTimeMs = context.clock.now();
    this.#remoteAddress = `${socket.remoteAddress ?? ''}`;
  }

  start(): void {
    const { config, chains, defaultChain } = this.#listener;
    const anyTls = [...chains, ...(defaultChain === undefined ? [] : [defaultChain])].some(
      (chain) => chain.tls !== undefined,
    );
    if (!config.tlsInspector && !anyTls) {
      this.#choose('raw_buffer', []);
      return;
    }
    this.#socket.on('error', this.#onError);
    this.#socket.on('close', this.#onError);
    const { wheel } = this.#context;
    if (config.listenerFiltersTimeoutMs > 0) {
      wheel.arm(this.#timer, this.#startMs, config.listenerFiltersTimeoutMs);
    }
    this.#onChunk = (chunk) => this.#inspect(chunk);
    this.#socket.on('data', this.#onChunk);
    this.#socket.on('end', this.#onError);
    // A server with pauseOnConnect hands sockets over paused for good: listening to data alone does not start them.
    this.#socket.resume();
  }

  readonly #onError = (): void => {
    if (!this.#done) {
      this.#finish();
      this.#socket.destroy();
    }
  };

  #inspect(chunk: Buffer): void {
    this.#seen = this.#seen.length === 0 ? chunk : Buffer.concat([this.#seen, chunk]);
    const result = inspectClientHello(this.#seen);
    switch (result.kind) {
      case 'need-more':
        if (this.#seen.length > 2 * maxClientHelloBytes) {
          this.#refuse('', ResponseFlag.DPE, 'client_hello_too_long');
        }
        return;
      case 'invalid':
        this.#refuse('TLS_error: invalid ClientHello', ResponseFlag.DPE, 'invalid_client_hello');
        return;
      case 'raw':
        this.#choose('raw_buffer', []);
        return;
      default:
        this.#serverName = result.serverName;
        this.#choose('tls', result.alpn);
    }
  }

  #choose(transportProtocol: 'tls' | 'raw_buffer', applicationProtocols: readonly string[]): void {
    const { chains, defaultChain } = this.#listener;
    const socket = this.#socket;
    this.#stopInspection();
    const [only] = chains;
    const chain =
      chains.length === 1 && only !== undefined && isUnconditional(only)
        ? only
        : (matchFilterChain(chains, {
            localPort: socket.localPort ?? 0,
            serverName: this.#serverName,
            transportProtocol,
            applicationProtocols,
          }) ?? defaultChain);
    if (chain === undefined) {
      this.#refuse('', ResponseFlag.NR, 'filter_chain_not_found');
      return;
    }
    if (chain.tls === undefined) {
      this.#serveRaw(chain);
      return;
    }
    if (transportProtocol === 'raw_buffer') {
      this.#refuse('TLS_error: plaintext on a TLS listener', 0, 'tls_expected');
      return;
    }
    if (this.#seen.length > 0) {
      socket.unshift(this.#seen);
      this.#seen = Buffer.alloc(0);
    }
    chain.tls.accept(socket, applicationProtocols, {
      onSecure: (secure, peer, localUri) => {
        if (this.#done) {
          secure.destroy();
          return;
        }
        this.#finish();
        const facts = tlsFactsOf(secure, peer, localUri);
        const transport = new TlsConnection(this.#context.transport, secure, socket, facts);
        secure.pause();
        chain.serve(transport, this.#info(transport, chain), () => peer?.certificate.toString() ?? '');
      },
      onFailed: (reason) => this.#refuse(reason, 0, 'tls_handshake_failed'),
    });
  }

  #serveRaw(chain: ActiveFilterChain): void {
    this.#finish();
    const { transport } = this.#context;
    const connection: RawConnection = acceptRaw(transport, this.#socket);
    const seen = this.#seen;
    this.#seen = Buffer.alloc(0);
    transport.flushQueue.enter();
    chain.serve(connection, this.#info(connection, chain), () => '');
    if (seen.length > 0) {
      connection.received(seen, seen.length);
    }
    transport.flushQueue.leave();
  }

  #info(transport: Connection, chain: ActiveFilterChain): DownstreamConnectionInfo {
    return {
      id: this.#context.nextConnectionId(),
      remoteAddress: transport.remoteAddress,
      remoteIp: transport.remoteIp,
      localAddress: transport.localAddress,
      localIp: transport.localIp,
      localPort: transport.localPort,
      tls: transport.tls,
      requestedServerName: this.#serverName,
      startTimeMs: this.#startTimeMs,
      filterChainName: chain.config.name,
    };
  }

  #refuse(transportFailure: string, flags: number, details: string): void {
    if (this.#done) {
      return;
    }
    this.#finish();
    const socket = this.#socket;
    const record: ConnectionRecord = {
      downstream: {
        id: this.#context.nextConnectionId(),
        remoteAddress: `${this.#remoteAddress}:${socket.remotePort ?? 0}`,
        remoteIp: this.#remoteAddress,
        localAddress: `${socket.localAddress ?? ''}:${socket.localPort ?? 0}`,
        localIp: socket.localAddress ?? '',
        localPort: socket.localPort ?? 0,
        tls: undefined,
        requestedServerName: this.#serverName,
        startTimeMs: this.#startTimeMs,
        filterChainName: '',
      },
      startMs: this.#startMs,
      endMs: this.#context.clock.monotonicMs(),
      bytesReceived: socket.bytesRead,
      bytesSent: socket.bytesWritten,
      clusterName: '',
      cluster: undefined,
      endpoint: undefined,
      upstreamLocalAddress: '',
      upstreamTls: undefined,
      attemptCount: 0,
      responseFlags: flags,
      connectionTerminationDetails: details,
      upstreamTransportFailureReason: '',
      downstreamTransportFailureReason: transportFailure,
    };
    socket.on('error', () => {});
    socket.destroy();
    this.#context.onRefused(record, this.#listener.config);
  }

  onTimer(): void {
    this.#refuse('', 0, 'listener_filters_timeout');
  }

  #stopInspection(): void {
    const socket = this.#socket;
    this.#context.wheel.remove(this.#timer);
    if (this.#onChunk !== undefined) {
      socket.off('data', this.#onChunk);
      socket.off('end', this.#onError);
      this.#onChunk = undefined;
      socket.pause();
    }
  }

  #finish(): void {
    this.#done = true;
    this.#stopInspection();
    this.#socket.off('error', this.#onError);
    this.#socket.off('close', this.#onError);
    this.#onDone();
  }
}

function isUnconditional(chain: ActiveFilterChain): boolean {
  const { match } = chain.config;
  return (
    match.destinationPort === undefined &&
    match.serverNames.length === 0 &&
    match.transportProtocol === undefined &&
    match.applicationProtocols.length === 0
  );
}
