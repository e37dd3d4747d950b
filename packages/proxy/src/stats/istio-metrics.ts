import { parseSpiffeId, type SpiffeId } from '@weft/identity';
import { responseFlagsText } from '../response-flag.ts';
import type { ClusterConfig, ListenerConfig } from '../runtime-config/config.ts';
import type { ConnectionRecord, DownstreamConnectionInfo, EndpointInfo, StreamInfo, TlsFacts } from '../stream-info.ts';
import { type Exposition, formatLabels, type LabelPairs } from './exposition.ts';
import { Histogram } from './histogram.ts';
import { type Series, SeriesStore } from './series-store.ts';
import {
  downstreamPeerLabels,
  type SideLabels,
  serviceLabels,
  UNKNOWN,
  upstreamPeerLabels,
} from './workload-labels.ts';

/** Most label sets of requests, and of connections; the ones unused for longest are dropped. */
export const MAX_SERIES = 2000;
/** Pairs of peers whose labels are kept ready: more than both kinds of series can stand for. */
const MAX_PAIRS: number = 3 * MAX_SERIES;

interface RequestSeries {
  readonly labels: string;
  requests: number;
  readonly durationMs: Histogram;
  readonly requestBytes: Histogram;
  readonly responseBytes: Histogram;
  readonly isGrpc: boolean;
  readonly responseCode: number;
  readonly grpcStatus: string;
  readonly responseFlags: number;
  readonly policy: SecurityPolicy;
  requestMessages: number;
  responseMessages: number;
}

interface TcpSeries {
  readonly labels: string;
  opened: number;
  closed: number;
  sent: number;
  received: number;
}

/** Who talks to whom, as far as labels go: one object for each combination. */
interface Pair {
  readonly id: number;
  /** Label text from `reporter` to `destination_cluster`. */
  readonly labels: string;
  /** The requests of the pair that were counted last: nearly all end alike. */
  lastRequests: Series<RequestSeries> | undefined;
}

/** The pair found last for an endpoint or a downstream connection; right as long as the rest is the same. */
interface Shortcut {
  readonly pair: Pair;
  readonly listener: ListenerConfig;
  readonly cluster: ClusterConfig | undefined;
  readonly upstreamTls: TlsFacts | undefined;
}

/** Istio's standard metrics with the full set of labels. */
export class IstioMetrics {
  readonly #own: SideLabels;
  readonly #requests = new SeriesStore<RequestSeries>(MAX_SERIES);
  readonly #tcp = new SeriesStore<TcpSeries>(MAX_SERIES);
  readonly #pairs = new Map<string, Pair>();
  #lastPairId = 0;
  #shortcuts = new WeakMap<EndpointInfo | DownstreamConnectionInfo, Shortcut>();
  readonly #version: string;

  constructor(own: SideLabels, version: string) {
    this.#own = own;
    this.#version = version;
  }

  get seriesCount(): number {
    return this.#requests.size + this.#tcp.size;
  }

  get evictedCount(): number {
    return this.#requests.evicted + this.#tcp.evicted;
  }

  streamEnded(info: StreamInfo, listener: ListenerConfig): void {
    const { isGrpc } = info;
    const grpcStatus = isGrpc ? grpcStatusOf(info) : '';
    const pair = this.#pairOf(info, listener);
    const policy = securityPolicy(listener, info.downstream);
    const last = pair.lastRequests;
    const series =
      last !== undefined && isSeriesOf(last.value, info, grpcStatus, policy) && this.#requests.use(last)
        ? last.value
        : this.#findRequests(pair, info, grpcStatus, policy);
    series.requests += 1;
    series.durationMs.record(Math.max(0, info.endMs - info.startMs));
    series.requestBytes.record(info.wireBytesReceived);
    series.responseBytes.record(info.wireBytesSent);
    series.requestMessages += info.requestMessages;
    series.responseMessages += info.responseMessages;
  }

  #findRequests(pair: Pair, info: StreamInfo, grpcStatus: string, policy: SecurityPolicy): RequestSeries {
    const { isGrpc, responseCode, responseFlags } = info;
    const protocol = isGrpc ? 'grpc' : 'http';
    const found = this.#requests.find(
      `${pair.id}|${protocol}|${responseCode}|${grpcStatus}|${responseFlags}|${policy}`,
      () => ({
        labels:
          `${pair.labels}request_protocol="${protocol}",response_code="${responseCode}",` +
          `grpc_response_status="${grpcStatus}",response_flags="${responseFlagsText(responseFlags)}",` +
          `connection_security_policy="${policy}"}`,
        requests: 0,
        durationMs: new Histogram(),
        requestBytes: new Histogram(),
        responseBytes: new Histogram(),
        isGrpc,
        responseCode,
        grpcStatus,
        responseFlags,
        policy,
        requestMessages: 0,
        responseMessages: 0,
      }),
    );
    pair.lastRequests = found;
    return found.value;
  }

  tcpStarted(record: ConnectionRecord, listener: ListenerConfig): void {
    // The flags are those at the end of a connection; Istio counts the opening under none.
    this.#tcpSeries(record, listener, 0).opened += 1;
  }

  tcpEnded(record: ConnectionRecord, listener: ListenerConfig): void {
    const series = this.#tcpSeries(record, listener, record.responseFlags);
    series.closed += 1;
    series.sent += record.bytesSent;
    series.received += record.bytesReceived;
  }

  write(out: Exposition): void {
    out.family('istio_requests_total', 'counter', 'Requests that ended.');
    for (const [, series] of this.#requests.entries()) {
      out.sample('istio_requests_total', series.labels, series.requests);
    }
    const histograms = [
      ['istio_request_duration_milliseconds', 'durationMs', 'Time from the first byte of a request to its end.'],
      ['istio_request_bytes', 'requestBytes', 'Size of requests on the wire, heads included.'],
      ['istio_response_bytes', 'responseBytes', 'Size of responses on the wire, heads included.'],
    ] as const;
    for (const [name, field, help] of histograms) {
      out.family(name, 'histogram', help);
      for (const [, series] of this.#requests.entries()) {
        out.histogram(name, series.labels, series[field]);
      }
    }
    const messages = [
      ['istio_request_messages_total', 'requestMessages', 'gRPC messages of clients, in calls that ended.'],
      ['istio_response_messages_total', 'responseMessages', 'gRPC messages of servers, in calls that ended.'],
    ] as const;
    for (const [name, field, help] of messages) {
      out.family(name, 'counter', help);
      for (const [, series] of this.#requests.entries()) {
        if (series.isGrpc) {
          out.sample(name, series.labels, series[field]);
        }
      }
    }
    const counters = [
      ['istio_tcp_connections_opened_total', 'opened', 'TCP connections that were opened.'],
      ['istio_tcp_connections_closed_total', 'closed', 'TCP connections that ended.'],
      ['istio_tcp_sent_bytes_total', 'sent', 'Bytes sent to the downstream over TCP connections that ended.'],
      ['istio_tcp_received_bytes_total', 'received', 'Bytes received from it over TCP connections that ended.'],
    ] as const;
    for (const [name, field, help] of counters) {
      out.family(name, 'counter', help);
      for (const [, series] of this.#tcp.entries()) {
        out.sample(name, series.labels, series[field]);
      }
    }
    out.family('istio_build', 'gauge', 'Version of this proxy.');
    out.sample(
      'istio_build',
      formatLabels([
        ['component', 'proxy'],
        ['tag', this.#version],
      ]),
      1,
    );
  }

  #tcpSeries(record: ConnectionRecord, listener: ListenerConfig, flags: number): TcpSeries {
    const pair = this.#pairOf(record, listener);
    const policy = securityPolicy(listener, record.downstream);
    return this.#tcp.get(`${pair.id}|${flags}|${policy}`, () => ({
      labels: `${pair.labels}request_protocol="tcp",response_flags="${responseFlagsText(flags)}",connection_security_policy="${policy}"}`,
      opened: 0,
      closed: 0,
      sent: 0,
      received: 0,
    }));
  }

  /** The peer is a downstream connection for inbound traffic, else an endpoint: the object that lives longest finds the pair. */
  #pairOf(entry: StreamInfo | ConnectionRecord, listener: ListenerConfig): Pair {
    const anchor = listener.direction === 'inbound' ? entry.downstream : entry.endpoint;
    if (anchor === undefined) {
      return this.#findPair(entry, listener);
    }
    const known = this.#shortcuts.get(anchor);
    if (
      known !== undefined &&
      known.listener === listener &&
      known.cluster === entry.cluster &&
      (known.upstreamTls === entry.upstreamTls || listener.direction === 'inbound')
    ) {
      return known.pair;
    }
    const pair = this.#findPair(entry, listener);
    this.#shortcuts.set(anchor, { pair, listener, cluster: entry.cluster, upstreamTls: entry.upstreamTls });
    return pair;
  }

  #findPair(entry: StreamInfo | ConnectionRecord, listener: ListenerConfig): Pair {
    const labels = `${formatLabels(this.#describe(entry, listener)).slice(0, -1)},`;
    const known = this.#pairs.get(labels);
    if (known !== undefined) {
      return known;
    }
    if (this.#pairs.size >= MAX_PAIRS) {
      this.#dropPairs();
    }
    this.#lastPairId += 1;
    const pair: Pair = { id: this.#lastPairId, labels, lastRequests: undefined };
    this.#pairs.set(labels, pair);
    return pair;
  }

  /** Forgets the pairs without series. The others keep their ids: with a new one the same labels would stand in the metrics twice. */
  #dropPairs(): void {
    const used = new Set<number>();
    for (const store of [this.#requests, this.#tcp]) {
      for (const [key] of store.entries()) {
        used.add(Number.parseInt(key, 10));
      }
    }
    for (const [labels, { id }] of this.#pairs) {
      if (!used.has(id)) {
        this.#pairs.delete(labels);
      }
    }
    this.#shortcuts = new WeakMap();
  }

  /** From `reporter` to `destination_cluster`, in Istio's order. */
  #describe(entry: StreamInfo | ConnectionRecord, listener: ListenerConfig): LabelPairs {
    const { cluster, endpoint, upstreamTls } = entry;
    const peer = entry.downstream.tls;
    const inbound = listener.direction === 'inbound';
    const service = serviceLabels(cluster);
    const source = inbound ? downstreamPeerLabels(peer) : withPrincipal(this.#own, upstreamTls?.localUri);
    const destination = inbound ? withPrincipal(this.#own, peer?.localUri) : upstreamPeerLabels(endpoint, upstreamTls);
    return [
      ['reporter', inbound ? 'destination' : 'source'],
      ['source_workload', source.workload],
      ['source_canonical_service', source.canonicalService],
      ['source_canonical_revision', source.canonicalRevision],
      ['source_workload_namespace', source.namespace],
      ['source_principal', source.principal],
      ['source_app', source.app],
      ['source_version', source.version],
      ['source_cluster', source.cluster],
      ['destination_workload', destination.workload],
      ['destination_workload_namespace', destination.namespace],
      ['destination_principal', destination.principal],
      ['destination_app', destination.app],
      ['destination_version', destination.version],
      ['destination_service', service.host],
      ['destination_canonical_service', destination.canonicalService],
      ['destination_canonical_revision', destination.canonicalRevision],
      ['destination_service_name', service.name],
      ['destination_service_namespace', service.namespace],
      ['destination_cluster', destination.cluster],
    ];
  }
}

function withPrincipal(side: SideLabels, uri: string | undefined): SideLabels {
  return uri !== undefined && isSpiffeId(uri) ? { ...side, principal: uri } : side;
}

function isSpiffeId(text: string): text is SpiffeId {
  return parseSpiffeId(text).ok;
}

type SecurityPolicy = 'unknown' | 'mutual_tls' | 'none';

function isSeriesOf(series: RequestSeries, info: StreamInfo, grpcStatus: string, policy: SecurityPolicy): boolean {
  return (
    series.responseCode === info.responseCode &&
    series.responseFlags === info.responseFlags &&
    series.isGrpc === info.isGrpc &&
    series.grpcStatus === grpcStatus &&
    series.policy === policy
  );
}

/** Only the side that verified the client can say how the connection was secured. */
function securityPolicy(listener: ListenerConfig, downstream: DownstreamConnectionInfo): SecurityPolicy {
  if (listener.direction !== 'inbound') {
    return UNKNOWN;
  }
  return downstream.tls?.peerVerified === true ? 'mutual_tls' : 'none';
}

/** A number of the wire, bounded: anything else would be a label of the peer's choosing. */
function grpcStatusOf(info: StreamInfo): string {
  const text = info.grpcStatus;
  const isStatus = text.length > 0 && text.length <= 2 && isDigit(text, 0) && isDigit(text, text.length - 1);
  return isStatus ? text : '';
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}
