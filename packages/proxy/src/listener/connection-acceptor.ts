import type { Socket } from 'node:net';
import type { Clock } from '@weft/base';
import { ResponseFlag } from '../response-flag.ts';
import type { ListenerConfig } from '../runtime-config/config.ts';
import type { ConnectionRecord, DownstreamConnectionInfo, TlsFacts } from '../stream-info.ts';
import { formatAddress, plainIp, type TransportContext } from '../transport/connection.ts';
import { runEvent } from '../transport/guarded-event.ts';
import { acceptRaw, type RawConnection } from '../transport/raw-connection.ts';
import { type TimerOwner, type TimerWheel, WheelTimer } from '../transport/timer-wheel.ts';
import type { ActiveFilterChain } from './filter-chain.ts';
import { matchFilterChain } from './filter-chain-match.ts';
import { type DetectedProtocol, FirstBytes } from './first-bytes.ts';

/** First byte of a TLS connection: the content type of its ClientHello (RFC 8446 §5.1). */
const tlsHandshake = 0x16;

/** What accepting needs of the listener that a connection came by. */
export interface AcceptorListener {
  readonly config: ListenerConfig;
  readonly chains: readonly ActiveFilterChain[];
  readonly defaultChain: ActiveFilterChain | undefined;
  /** What an inspector took a connection for, to be counted. */
  onDetected(protocol: DetectedProtocol): void;
  /** A chain without HTTP takes a connection whose client speaks this. */
  onOpaque(protocol: 'tls' | 'tcp' | 'server-first'): void;
  /** A client did not say enough in time; the connection goes on only if the listener is told so. */
  onInspectionTimeout(): void;
  onNoChain(): void;
}

export interface AcceptorContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly transport: TransportContext;
  nextConnectionId(): number;
  /** A connection ended before a filter got it. */
  onRefused(record: ConnectionRecord, listener: ListenerConfig): void;
}

/** Brings an accepted socket to its filter chain: PROXY protocol header, inspection, choice of the chain, TLS. */
export class ConnectionAcceptor implements TimerOwner {
  readonly #socket: Socket;
  readonly #listener: AcceptorListener;
  readonly #context: AcceptorContext;
  readonly #onDone: () => void;
  readonly #timer: WheelTimer = new WheelTimer(this, 0);
  readonly #startMs: number;
  readonly #startTimeMs: number;
  /** As the socket has them: it forgets them when it is closed. */
  readonly #remoteIp: string;
  readonly #remoteAddress: string;
  readonly #first: FirstBytes;
  #done = false;
  #inspecting = false;
  #timedOut = false;

  /** @param onDone is called once, when the socket has found its filter or is gone. */
  constructor(socket: Socket, listener: AcceptorListener, context: AcceptorContext, onDone: () => void) {
    this.#socket = socket;
    this.#listener = listener;
    this.#context = context;
    this.#onDone = onDone;
    this.#startMs = context.clock.monotonicMs();
    this.#startTimeMs = context.clock.now();
    this.#remoteIp = plainIp(socket.remoteAddress);
    this.#remoteAddress = formatAddress(socket.remoteAddress, socket.remotePort);
    const { config, chains, defaultChain } = listener;
    const anyTls = chains.some((chain) => chain.tls !== undefined) || defaultChain?.tls !== undefined;
    this.#first = new FirstBytes({
      proxyProtocol: config.proxyProtocol,
      tls: config.tlsInspector || anyTls,
      http: config.httpInspector,
    });
  }

  start(): void {
    this.#guard(() => this.#start());
  }

  /** A client that takes its time makes room for one that just came. */
  evict(): void {
    this.#refuse('', 0, 'pending_connections_overflow');
  }

  /** It is one more than the listener takes now. */
  exceedRate(): void {
    this.#refuse('', 0, 'connection_rate_limited');
  }

  /** A defect of ours closes this socket and nothing else. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#context.transport.reportFault(error, undefined);
      if (!this.#done) {
        this.#finish();
      }
      this.#socket.destroy();
    }
  }

  #start(): void {
    if (!this.#first.waiting) {
      this.#choose();
      return;
    }
    const { config } = this.#listener;
    const socket = this.#socket;
    this.#inspecting = true;
    socket.on('error', this.#onError);
    socket.on('close', this.#onError);
    socket.on('data', this.#onChunk);
    socket.on('end', this.#onEnd);
    if (config.listenerFiltersTimeoutMs > 0) {
      this.#context.wheel.arm(this.#timer, this.#startMs, config.listenerFiltersTimeoutMs);
    }
    // A server with pauseOnConnect hands sockets over paused for good: listening to data alone does not start them.
    socket.resume();
  }

  readonly #onError = (): void => {
    if (!this.#done) {
      this.#finish();
      this.#socket.destroy();
    }
  };

  readonly #onChunk = (chunk: Buffer): void => this.#guard(() => this.#inspect(chunk));

  #inspect(chunk: Buffer): void {
    switch (this.#first.add(chunk)) {
      case 'need-more':
        return;
      case 'refused':
        this.#refuseFirstBytes();
        return;
      default:
        this.#choose();
    }
  }

  /** A client that ends its side may still want to listen, if it speaks no TLS; the filter is told of the end when it reads. */
  readonly #onEnd = (): void => this.#guard(() => this.#onEarlyEnd());

  #onEarlyEnd(): void {
    const chain = this.#first.giveUp() === 'done' ? this.#chainFor() : undefined;
    if (chain === undefined || chain.tls !== undefined) {
      this.#onError();
    } else {
      this.#choose();
    }
  }

  onTimer(): void {
    this.#guard(() => this.#onTimeout());
  }

  #onTimeout(): void {
    this.#timedOut = true;
    this.#listener.onInspectionTimeout();
    if (!this.#listener.config.continueOnListenerFiltersTimeout) {
      this.#refuse('', 0, 'listener_filters_timeout');
    } else if (this.#first.giveUp() === 'refused') {
      this.#refuseFirstBytes();
    } else {
      this.#choose();
    }
  }

  #refuseFirstBytes(): void {
    const { fault } = this.#first;
    const transportFailure = fault === 'invalid_client_hello' ? 'TLS_error: invalid ClientHello' : '';
    this.#refuse(transportFailure, ResponseFlag.DPE, fault);
  }

  #chainFor(): ActiveFilterChain | undefined {
    const { chains, defaultChain } = this.#listener;
    const [only] = chains;
    if (chains.length === 1 && only !== undefined && isUnconditional(only)) {
      return only;
    }
    const { serverName, transportProtocol, applicationProtocols, proxied } = this.#first;
    const localPort = proxied?.destination.port ?? this.#socket.localPort ?? 0;
    return matchFilterChain(chains, { localPort, serverName, transportProtocol, applicationProtocols }) ?? defaultChain;
  }

  #choose(): void {
    this.#stopInspection();
    const { detected } = this.#first;
    if (detected !== undefined) {
      this.#listener.onDetected(detected);
    }
    const chain = this.#chainFor();
    if (chain === undefined) {
      this.#listener.onNoChain();
      this.#refuse('', ResponseFlag.NR, 'filter_chain_not_found');
    } else if (chain.tls === undefined) {
      if (chain.config.filter.kind === 'tcp-proxy') {
        this.#listener.onOpaque(this.#opaqueProtocol());
      }
      this.#serveRaw(chain);
    } else if (this.#first.transportProtocol === 'raw_buffer') {
      this.#refuse('TLS_error: plaintext on a TLS listener', 0, 'tls_expected');
    } else {
      this.#serveTls(chain, chain.tls);
    }
  }

  /** As far as somebody looked: of a port that is declared to be TCP the first bytes are the application's alone. */
  #opaqueProtocol(): 'tls' | 'tcp' | 'server-first' {
    const { transportProtocol, rest } = this.#first;
    if (transportProtocol === 'tls' || rest[0] === tlsHandshake) {
      return 'tls';
    }
    return this.#timedOut && rest.length === 0 ? 'server-first' : 'tcp';
  }

  #serveTls(chain: ActiveFilterChain, tls: NonNullable<ActiveFilterChain['tls']>): void {
    const socket = this.#socket;
    const { rest, applicationProtocols, serverName } = this.#first;
    if (rest.length > 0) {
      socket.unshift(rest);
      this.#first.rest = Buffer.alloc(0);
    }
    tls.accept(this.#context, socket, serverName, applicationProtocols, {
      onSecure: (connection, peer) => {
        if (this.#done) {
          connection.destroy();
          return;
        }
        this.#finish();
        const info = this.#info(connection.tls, chain.config.name);
        if (chain.config.filter.kind === 'tcp-proxy') {
          this.#listener.onOpaque('tcp');
        }
        runEvent(this.#context.transport, connection, () => {
          chain.serve(connection, info, () => peer?.certificate.toString() ?? '');
        });
      },
      onFailed: (reason) => this.#guard(() => this.#refuse(reason, 0, 'tls_handshake_failed')),
    });
  }

  #serveRaw(chain: ActiveFilterChain): void {
    this.#finish();
    const { transport } = this.#context;
    const info = this.#info(undefined, chain.config.name);
    const connection: RawConnection = acceptRaw(transport, this.#socket);
    const { rest } = this.#first;
    this.#first.rest = Buffer.alloc(0);
    runEvent(transport, connection, () => {
      chain.serve(connection, info, () => '');
      if (rest.length > 0) {
        connection.received(rest, rest.length);
      }
    });
  }

  /** A PROXY protocol header says who the client is and where it went; who is at the other end of the socket is kept beside. */
  #info(tls: TlsFacts | undefined, filterChainName: string): DownstreamConnectionInfo {
    const { proxied, serverName } = this.#first;
    const socket = this.#socket;
    const local = proxied?.destination ?? { ip: plainIp(socket.localAddress), port: socket.localPort ?? 0 };
    return {
      id: this.#context.nextConnectionId(),
      remoteAddress:
        proxied === undefined ? this.#remoteAddress : formatAddress(proxied.source.ip, proxied.source.port),
      remoteIp: proxied?.source.ip ?? this.#remoteIp,
      directRemoteAddress: this.#remoteAddress,
      directRemoteIp: this.#remoteIp,
      localAddress: formatAddress(local.ip, local.port),
      localIp: local.ip,
      localPort: local.port,
      tls,
      requestedServerName: serverName,
      startTimeMs: this.#startTimeMs,
      filterChainName,
    };
  }

  #refuse(transportFailure: string, flags: number, details: string): void {
    if (this.#done) {
      return;
    }
    this.#finish();
    const socket = this.#socket;
    const record: ConnectionRecord = {
      downstream: this.#info(undefined, ''),
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

  #stopInspection(): void {
    if (!this.#inspecting) {
      return;
    }
    this.#inspecting = false;
    this.#context.wheel.remove(this.#timer);
    const socket = this.#socket;
    socket.off('data', this.#onChunk);
    socket.off('end', this.#onEnd);
    socket.pause();
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
