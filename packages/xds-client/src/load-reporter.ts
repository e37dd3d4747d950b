import { Backoff, type Clock, type Logger, type Timer } from '@weft/base';
import type { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import type { ClusterStats } from '@weft/xds-types/envoy/config/endpoint/v3/load_report.ts';
import { LoadStatsRequest, LoadStatsResponse } from '@weft/xds-types/envoy/service/load_stats/v3/lrs.ts';
import type { GrpcChannel, GrpcStream } from './grpc/channel.ts';
import { millisecondsOf } from './protocol/duration.ts';

/** What the server wants to know. */
export interface LoadReportRequest {
  /** Undefined: all clusters. */
  readonly clusters: ReadonlySet<string> | undefined;
  readonly perEndpoint: boolean;
}

export interface LoadReporterOptions {
  /** `XdsClient.channel`: one connection serves both. */
  readonly channel: GrpcChannel;
  readonly node: Node;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Counters since the last call, for each cluster that had any; called at the interval that the server demands and only while
   * it can be told, so that nothing is lost while it is away. `loadReportInterval` is filled in by the reporter.
   */
  collect(request: LoadReportRequest): readonly ClusterStats[];
  /** Memory that the client takes, bytes; goes with the reports as the node's metadata `WEFT_MEMORY_BYTES`, twice a minute. */
  memoryBytes?(): number;
  /**
   * What clients of the proxy were seen to speak, where there is news; goes with a report as the node's metadata `WEFT_PROTOCOLS_SEEN`:
   * `{<listener>: {<protocol>: [count, seconds since]}}`, all of it since the start of the process.
   * @param isFirst whether this server has been told nothing yet on this stream.
   */
  protocolsSeen?(isFirst: boolean): Readonly<Record<string, unknown>> | undefined;
  /**
   * Listeners that were accepted but cannot be opened, and why, where there is news; goes along as `WEFT_CLOSED_LISTENERS`: `{<listener>: <reason>}`, all
   * of them each time.
   */
  closedListeners?(isFirst: boolean): Readonly<Record<string, string>> | undefined;
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
  readonly random?: () => number;
}

/** Streams load reports (LRS) for as long as the server wants them. */
export interface LoadReporter {
  start(): void;
  close(): void;
}

/** How often the memory is told. */
const memoryIntervalMs = 30_000;
/** The shortest interval a server may ask for. */
const minIntervalMs = 100;
const path = '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats';

export function createLoadReporter(options: LoadReporterOptions): LoadReporter {
  return new Reporter(options);
}

class Reporter implements LoadReporter {
  readonly #options: LoadReporterOptions;
  readonly #backoff: Backoff;
  #stream: GrpcStream | undefined;
  #timer: Timer | undefined;
  #reportedAtMs = 0;
  #memoryDueMs = 0;
  #protocolsTold = false;
  #listenersTold = false;
  #closed = false;

  constructor(options: LoadReporterOptions) {
    this.#options = options;
    this.#backoff = new Backoff({
      baseMs: options.backoff?.baseMs ?? 500,
      maxMs: options.backoff?.maxMs ?? 10_000,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  start(): void {
    if (this.#closed || this.#stream !== undefined) {
      return;
    }
    const stream = this.#options.channel.open(path, {
      onMessage: (message) => this.#onMessage(message),
      onEnd: ({ code, details }) => {
        this.#stream = undefined;
        this.#timer?.cancel();
        this.#options.logger.debug('the load report stream ended', { code, details });
        this.#timer = this.#options.clock.setTimeout(() => this.start(), this.#backoff.nextDelayMs());
      },
    });
    this.#stream = stream;
    stream.write(LoadStatsRequest.encode({ node: this.#options.node, clusterStats: [] }).finish());
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#stream?.cancel();
    this.#stream = undefined;
  }

  #onMessage(message: Uint8Array): void {
    let response: LoadStatsResponse;
    try {
      response = LoadStatsResponse.decode(message);
    } catch (error) {
      this.#options.logger.warn('a load report request cannot be decoded', { error });
      return;
    }
    this.#backoff.reset();
    this.#timer?.cancel();
    const interval = response.loadReportingInterval;
    if (interval === undefined) {
      return;
    }
    const request: LoadReportRequest = {
      clusters: response.sendAllClusters ? undefined : new Set(response.clusters),
      perEndpoint: response.reportEndpointGranularity,
    };
    this.#reportedAtMs = this.#options.clock.monotonicMs();
    this.#memoryDueMs = this.#reportedAtMs;
    this.#protocolsTold = false;
    this.#listenersTold = false;
    this.#scheduleReport(request, Math.max(minIntervalMs, millisecondsOf(interval)));
  }

  #scheduleReport(request: LoadReportRequest, intervalMs: number): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#report(request);
      this.#scheduleReport(request, intervalMs);
    }, intervalMs);
  }

  #report(request: LoadReportRequest): void {
    const now = this.#options.clock.monotonicMs();
    const sinceMs = Math.round(now - this.#reportedAtMs);
    this.#reportedAtMs = now;
    const loadReportInterval = { seconds: BigInt(Math.floor(sinceMs / 1000)), nanos: (sinceMs % 1000) * 1_000_000 };
    const clusterStats = this.#options.collect(request).map((stats) => ({ ...stats, loadReportInterval }));
    const news = this.#news(now);
    if (clusterStats.length > 0 || news !== undefined) {
      const { node } = this.#options;
      const told = news === undefined ? undefined : { ...node, metadata: { ...node.metadata, ...news } };
      this.#stream?.write(LoadStatsRequest.encode({ node: told, clusterStats }).finish());
    }
  }

  /** What goes along as the node's metadata; undefined when there is nothing to say. */
  #news(now: number): Readonly<Record<string, unknown>> | undefined {
    const { memoryBytes, protocolsSeen, closedListeners } = this.#options;
    const closed = closedListeners?.(!this.#listenersTold);
    this.#listenersTold ||= closed !== undefined;
    const protocols = protocolsSeen?.(!this.#protocolsTold);
    this.#protocolsTold ||= protocols !== undefined;
    const isMemoryDue = memoryBytes !== undefined && now >= this.#memoryDueMs;
    if (isMemoryDue) {
      this.#memoryDueMs = now + memoryIntervalMs;
    }
    return protocols === undefined && closed === undefined && !isMemoryDue
      ? undefined
      : {
          ...(isMemoryDue ? { WEFT_MEMORY_BYTES: memoryBytes() } : {}),
          ...(protocols === undefined ? {} : { WEFT_PROTOCOLS_SEEN: protocols }),
          ...(closed === undefined ? {} : { WEFT_CLOSED_LISTENERS: closed }),
        };
  }
}
