import type { Clock, Logger } from '@weft/base';
import type { XdsClientState } from '@weft/xds-client';
import type { DataPlane } from '../data-plane.ts';
import type { IdentityStatus } from '../identity/workload-identity.ts';
import type { OverloadStatus } from '../overload/overload-manager.ts';
import { writeOverloadMetrics } from '../overload/write-overload-metrics.ts';
import type { HttpConnectionManagerConfig, ListenerConfig } from '../runtime-config/config.ts';
import type { ConnectionRecord, StreamInfo } from '../stream-info.ts';
import { EnvoyMetrics } from './envoy-metrics.ts';
import { Exposition, formatLabels } from './exposition.ts';
import { IstioMetrics } from './istio-metrics.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { RefusedConnections } from './refused-connections.ts';
import type { SideLabels } from './workload-labels.ts';

/** What the metrics read at the time of a scrape. */
export interface MetricsSources {
  readonly dataPlane: DataPlane;
  readonly overload: OverloadStatus;
  readonly xds: XdsClientState | undefined;
  readonly identity: IdentityStatus | undefined;
  readonly accessLogLinesDropped: number;
  readonly demandedHosts: number;
}

/** All metrics of the proxy. */
export class Metrics {
  readonly #istio: IstioMetrics;
  readonly #envoy = new EnvoyMetrics();
  readonly #process = new ProcessMetrics();
  readonly #refused: RefusedConnections;
  readonly #clock: Clock;
  #configUpdates = { cache: 0, server: 0, static: 0 };
  #unhandledErrors = 0;

  /** @param logger hears of refused connections. */
  constructor(own: SideLabels, version: string, clock: Clock, logger: Logger) {
    this.#refused = new RefusedConnections(clock, logger);
    this.#istio = new IstioMetrics(own, version);
    this.#clock = clock;
  }

  streamEnded(info: StreamInfo, listener: ListenerConfig, manager: HttpConnectionManagerConfig): void {
    this.#istio.streamEnded(info, listener);
    this.#envoy.streamEnded(info, manager);
  }

  tcpStarted(record: ConnectionRecord, listener: ListenerConfig): void {
    this.#istio.tcpStarted(record, listener);
  }

  tcpEnded(record: ConnectionRecord, listener: ListenerConfig): void {
    this.#istio.tcpEnded(record, listener);
  }

  /** A connection ended before a filter got it. */
  connectionRefused(record: ConnectionRecord, listener: ListenerConfig): void {
    this.#refused.record(record, listener);
  }

  configApplied(source: 'cache' | 'server' | 'static'): void {
    this.#configUpdates[source] += 1;
  }

  errorUnhandled(): void {
    this.#unhandledErrors += 1;
  }

  /** The Prometheus text. */
  text(sources: MetricsSources): string {
    const out = new Exposition();
    this.#istio.write(out);
    this.#envoy.write(out, sources.dataPlane);
    this.#refused.write(out);
    this.#process.write(out);
    writeOverloadMetrics(out, sources.overload);
    this.#writeOwn(out, sources);
    return out.toString();
  }

  close(): void {
    this.#process.close();
  }

  #writeOwn(out: Exposition, sources: MetricsSources): void {
    const { dataPlane, xds, identity, accessLogLinesDropped, demandedHosts } = sources;
    const single = (name: string, type: 'counter' | 'gauge', help: string, value: number): void => {
      out.family(name, type, help);
      out.sample(name, '', value);
    };
    single('weft_unhandled_errors_total', 'counter', 'Errors that nothing caught: defects.', this.#unhandledErrors);
    single('weft_connection_faults_total', 'counter', 'Connections closed by a defect.', dataPlane.faults());
    single('weft_access_log_dropped_total', 'counter', 'Log lines dropped by a slow disk.', accessLogLinesDropped);
    single('weft_metric_series', 'gauge', 'Label sets that are kept.', this.#istio.seriesCount);
    single('weft_metric_series_evicted_total', 'counter', 'Label sets that were dropped.', this.#istio.evictedCount);
    single('weft_on_demand_hosts', 'gauge', 'Hosts that are subscribed to on demand.', demandedHosts);
    out.family('weft_config_updates_total', 'counter', 'Configurations that were applied, by where they came from.');
    for (const [source, count] of Object.entries(this.#configUpdates)) {
      out.sample('weft_config_updates_total', formatLabels([['source', source]]), count);
    }
    if (xds !== undefined) {
      writeXds(out, xds);
      single('weft_xds_connected', 'gauge', 'Whether the control plane is connected.', xds.connected ? 1 : 0);
      single('envoy_control_plane_connected_state', 'gauge', 'The same.', xds.connected ? 1 : 0);
    }
    if (identity !== undefined) {
      const now = this.#clock.now();
      const { svid } = identity;
      single('weft_certificate_renewals_total', 'counter', 'Certificates obtained.', identity.renewals);
      single('weft_certificate_failures_total', 'counter', 'Attempts that failed.', identity.failures);
      if (svid !== undefined) {
        const leftMs = svid.notAfter - now;
        single('weft_certificate_expiry_seconds', 'gauge', 'Seconds until the certificate ends.', leftMs / 1000);
        single(
          'envoy_server_days_until_first_cert_expiring',
          'gauge',
          'Whole days until the certificate ends.',
          Math.max(0, Math.floor(leftMs / 86_400_000)),
        );
      }
    }
  }
}

function writeXds(out: Exposition, state: XdsClientState): void {
  out.family('weft_xds_resources', 'gauge', 'Resources by type and status.');
  for (const { typeUrl, resources } of state.types) {
    const counts = new Map<string, number>();
    for (const { status, refused } of resources) {
      const label = refused === undefined ? status : 'refused';
      counts.set(label, (counts.get(label) ?? 0) + 1);
    }
    const type = typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
    for (const [status, count] of counts) {
      out.sample(
        'weft_xds_resources',
        formatLabels([
          ['type', type],
          ['status', status],
        ]),
        count,
      );
    }
  }
}
