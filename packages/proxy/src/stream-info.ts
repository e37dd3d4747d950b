import type { Clock } from '@weft/base';
import { type HeaderView, noHeaders, type RequestHead } from '@weft/http-codec';
import type { ClusterConfig, EndpointConfig, Route, VirtualHost } from './runtime-config/config.ts';

/** What is known of the TLS session of one connection; the object lives as long as the connection. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3` */
  readonly version: string;
  /** Name by OpenSSL, e.g. `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** Server name that the client asked for, empty when none. */
  readonly sni: string;
  /** Protocol agreed by ALPN, empty when none. */
  readonly alpn: string;
  /** Whether the peer proved an identity (its chain was verified against the trust bundle). */
  readonly peerVerified: boolean;
  /** First URI SAN of the verified peer (its SPIFFE id), empty when none. */
  readonly peerUri: string;
  readonly peerUris: readonly string[];
  readonly peerDnsNames: readonly string[];
  /** Distinguished name as RFC 2253 writes it, empty when no certificate was given. */
  readonly peerSubject: string;
  /** SHA-256 of the peer's certificate, lower-case hex, empty when none was given. */
  readonly peerCertificateSha256: string;
  /** First URI SAN of the certificate that we presented. */
  readonly localUri: string;
  readonly resumed: boolean;
  /** When the certificate of the peer or ours ends, whichever is first; milliseconds since the epoch, `Infinity` when there is none. */
  readonly notAfterMs: number;
}

/** One accepted connection; shared by all of its streams. Addresses are `ip:port`, `[ip6]:port` or a path. */
export interface DownstreamConnectionInfo {
  readonly id: number;
  readonly remoteAddress: string;
  readonly remoteIp: string;
  /** Who is at the other end of the socket, where a PROXY protocol header names somebody else; absent: the same. */
  readonly directRemoteAddress?: string;
  readonly directRemoteIp?: string;
  readonly localAddress: string;
  readonly localIp: string;
  readonly localPort: number;
  readonly tls: TlsFacts | undefined;
  /** Server name seen in the ClientHello, also where TLS is passed through. */
  readonly requestedServerName: string;
  /** Wall clock, milliseconds. */
  readonly startTimeMs: number;
  readonly filterChainName: string;
}

/** An endpoint as the data plane holds it; the same object as long as the endpoint exists. */
export interface EndpointInfo {
  /** `ip:port` or the path of a pipe. */
  readonly address: string;
  readonly config: EndpointConfig;
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/**
 * The record of one HTTP request, from its first byte to its end: what access log, metrics and traces are made of.
 * The object is used again for another request: take what you need while you are called, keep none of it.
 * Times named `…Ms` without "Time" are monotonic (`Clock.monotonicMs`), 0 = did not happen.
 */
export class StreamInfo {
  /** Wall clock at the first byte of the request, milliseconds since the epoch. */
  startTimeMs = 0;
  startMs = 0;
  /** The request was received to its end. */
  requestEndMs = 0;
  /** First byte of the request went to an upstream (of the last attempt). */
  upstreamRequestStartMs = 0;
  /** Last byte of the request went to an upstream. */
  upstreamRequestEndMs = 0;
  /** First byte of the response's head arrived. */
  upstreamResponseStartMs = 0;
  upstreamResponseEndMs = 0;
  /** First and last byte of the response left for the downstream. */
  responseStartMs = 0;
  endMs = 0;

  protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2' = 'HTTP/1.1';
  method = '';
  /** Path with query as it came in (after normalisation), before any rewrite. */
  path = '';
  /** Path sent upstream; the same as `path` when nothing was rewritten. */
  upstreamPath = '';
  /** Host header or authority as it came in. */
  authority = '';
  scheme: 'http' | 'https' = 'http';
  requestId = '';
  /** Request fields after our edits, as they went upstream. */
  requestHeaders: HeaderView = noHeaders;
  /** Response fields after our edits, as they went downstream. */
  responseHeaders: HeaderView = noHeaders;
  responseTrailers: HeaderView = noHeaders;

  /** 0 when no response was begun. */
  responseCode = 0;
  responseCodeDetails = '';
  /** Sum of `ResponseFlag`. */
  responseFlags = 0;
  /** `%CONNECTION_TERMINATION_DETAILS%`, empty when none. */
  connectionTerminationDetails = '';
  /** Why TLS or the connection to the upstream failed, empty when it did not. */
  upstreamTransportFailureReason = '';

  /** Bodies without framing, bytes. */
  bytesReceived = 0;
  bytesSent = 0;
  /** Everything on the wire of this stream: heads, framing, bodies. */
  wireBytesReceived = 0;
  wireBytesSent = 0;

  virtualHost: VirtualHost | undefined = undefined;
  route: Route | undefined = undefined;
  routeName = '';
  /** Which of the virtual host's virtual clusters the request belongs to; empty if to none. */
  virtualClusterName = '';
  /** The cluster chosen; the name also when it does not exist. */
  clusterName = '';
  cluster: ClusterConfig | undefined = undefined;
  /** The endpoint of the last attempt. */
  endpoint: EndpointInfo | undefined = undefined;
  upstreamLocalAddress = '';
  upstreamTls: TlsFacts | undefined = undefined;
  /** Tries that were sent to an upstream or failed on the way; 0 for a local reply. */
  attemptCount = 0;

  downstream: DownstreamConnectionInfo = noConnection;
  /** Trusted address of the client (x-forwarded-for considered). */
  downstreamRemoteIp = '';
  /** Whether the connection became a tunnel (upgrade or CONNECT). */
  upgraded = false;
  /** The request is gRPC, by its content type. */
  isGrpc = false;
  /** gRPC messages of the request and of the response. */
  requestMessages = 0;
  responseMessages = 0;

  /** A request begins now. */
  begin(head: RequestHead, downstream: DownstreamConnectionInfo, clock: Clock): void {
    this.startTimeMs = clock.now();
    this.startMs = clock.monotonicMs();
    this.protocol = head.protocol;
    this.method = head.method;
    this.path = head.path;
    this.upstreamPath = head.path;
    this.authority = head.authority;
    this.requestHeaders = head;
    this.wireBytesReceived = head.size;
    this.downstream = downstream;
    this.downstreamRemoteIp = downstream.remoteIp;
  }

  /** Back to the state of a new object. */
  reset(): void {
    this.startTimeMs = 0;
    this.startMs = 0;
    this.requestEndMs = 0;
    this.upstreamRequestStartMs = 0;
    this.upstreamRequestEndMs = 0;
    this.upstreamResponseStartMs = 0;
    this.upstreamResponseEndMs = 0;
    this.responseStartMs = 0;
    this.endMs = 0;
    this.protocol = 'HTTP/1.1';
    this.method = '';
    this.path = '';
    this.upstreamPath = '';
    this.authority = '';
    this.scheme = 'http';
    this.requestId = '';
    this.requestHeaders = noHeaders;
    this.responseHeaders = noHeaders;
    this.responseTrailers = noHeaders;
    this.responseCode = 0;
    this.responseCodeDetails = '';
    this.responseFlags = 0;
    this.connectionTerminationDetails = '';
    this.upstreamTransportFailureReason = '';
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.wireBytesReceived = 0;
    this.wireBytesSent = 0;
    this.virtualHost = undefined;
    this.route = undefined;
    this.routeName = '';
    this.virtualClusterName = '';
    this.clusterName = '';
    this.cluster = undefined;
    this.endpoint = undefined;
    this.upstreamLocalAddress = '';
    this.upstreamTls = undefined;
    this.attemptCount = 0;
    this.downstream = noConnection;
    this.downstreamRemoteIp = '';
    this.upgraded = false;
    this.isGrpc = false;
    this.requestMessages = 0;
    this.responseMessages = 0;
  }

  /** The status of a gRPC answer, in its trailers or, where it has none, in its head; empty when there is none. */
  get grpcStatus(): string {
    return this.responseTrailers.get('grpc-status') ?? this.responseHeaders.get('grpc-status') ?? '';
  }
}

/** The record of one connection that the TCP proxy carried, or that never reached a filter. */
export interface ConnectionRecord {
  readonly downstream: DownstreamConnectionInfo;
  /** Monotonic. */
  readonly startMs: number;
  readonly endMs: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly clusterName: string;
  readonly cluster: ClusterConfig | undefined;
  readonly endpoint: EndpointInfo | undefined;
  readonly upstreamLocalAddress: string;
  readonly upstreamTls: TlsFacts | undefined;
  readonly attemptCount: number;
  readonly responseFlags: number;
  readonly connectionTerminationDetails: string;
  readonly upstreamTransportFailureReason: string;
  /** Why the client's handshake failed, absent or empty when it did not. */
  readonly downstreamTransportFailureReason?: string;
}

/** Stands in before a connection is known; never seen by `onStreamEnd`. */
export const noConnection: DownstreamConnectionInfo = {
  id: 0,
  remoteAddress: '',
  remoteIp: '',
  localAddress: '',
  localIp: '',
  localPort: 0,
  tls: undefined,
  requestedServerName: '',
  startTimeMs: 0,
  filterChainName: '',
};
