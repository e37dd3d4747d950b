import { LoadStatsRequest, LoadStatsResponse } from '@weft/xds-types/envoy/service/load_stats/v3/lrs.ts';
import type { Duration } from '@weft/xds-types/google/protobuf/duration.ts';
import { admitCall } from './admission.ts';
import { type BytesCall, type CallHandler, endCall, serveCall } from './call.ts';
import type { ConnectedClient } from './client-state.ts';
import type { XdsServerOptions } from './options.ts';
import { RequestBudget } from './request-budget.ts';
import type { XdsServerSettings } from './settings.ts';

/** Reports that a client may send at once, and as a multiple of what it was asked for in the long run. */
const reportBurst = 20;
const reportRateFactor = 4;

/** Joins one load-reporting stream to the `onLoadReport` callback. Streams are told apart by their owner in `open`. */
export function serveLoadReports(
  call: BytesCall,
  options: XdsServerOptions,
  settings: XdsServerSettings,
  open: Set<BytesCall>,
): void {
  open.add(call);
  serveCall(call, new LoadSession(call, options, settings, () => open.delete(call)));
}

class LoadSession implements CallHandler {
  readonly #call: BytesCall;
  readonly #options: XdsServerOptions;
  readonly #settings: XdsServerSettings;
  readonly #budget: RequestBudget;
  readonly #onClosed: () => void;
  #admission: 'none' | 'pending' | ConnectedClient = 'none';

  constructor(call: BytesCall, options: XdsServerOptions, settings: XdsServerSettings, onClosed: () => void) {
    this.#call = call;
    this.#options = options;
    this.#settings = settings;
    this.#onClosed = onClosed;
    const perSecond = (reportRateFactor * 1000) / settings.loadReportIntervalMs;
    this.#budget = new RequestBudget(options.clock, reportBurst, perSecond);
  }

  onMessage(bytes: Buffer): void {
    if (!this.#budget.take()) {
      endCall(this.#call, 'RESOURCE_EXHAUSTED', 'too many load reports');
      return;
    }
    const request = LoadStatsRequest.decode(bytes);
    if (this.#admission === 'none') {
      this.#admission = 'pending';
      void this.#admit(request);
    } else if (this.#admission !== 'pending') {
      this.#report(this.#admission, request);
    }
  }

  onClosed(): void {
    this.#onClosed();
  }

  async #admit(request: LoadStatsRequest): Promise<void> {
    const client = await admitCall(this.#call, request.node, this.#options);
    if (client === undefined || this.#call.cancelled || this.#call.destroyed) {
      return;
    }
    this.#admission = client;
    const intervalMs = this.#settings.loadReportIntervalMs;
    const response: LoadStatsResponse = {
      clusters: [],
      sendAllClusters: true,
      loadReportingInterval: durationFromMs(intervalMs),
      reportEndpointGranularity: true,
    };
    this.#call.write(Buffer.from(LoadStatsResponse.encode(response).finish()));
    this.#report(client, request);
  }

  #report(client: ConnectedClient, request: LoadStatsRequest): void {
    const memory = request.node?.metadata?.['WEFT_MEMORY_BYTES'];
    const memoryBytes = typeof memory === 'number' && memory > 0 ? memory : undefined;
    const protocolsSeen: unknown = request.node?.metadata?.['WEFT_PROTOCOLS_SEEN'];
    const closedListeners: unknown = request.node?.metadata?.['WEFT_CLOSED_LISTENERS'];
    const isNews = memoryBytes !== undefined || protocolsSeen !== undefined || closedListeners !== undefined;
    if (request.clusterStats.length > 0 || isNews) {
      this.#options.onLoadReport?.(client, {
        clusters: request.clusterStats,
        receivedAtMs: this.#options.clock.now(),
        memoryBytes,
        protocolsSeen,
        closedListeners,
      });
    }
  }
}

function durationFromMs(milliseconds: number): Duration {
  return { seconds: BigInt(Math.floor(milliseconds / 1000)), nanos: (milliseconds % 1000) * 1_000_000 };
}
