import type { ClusterStatus, DataPlane, ListenerStatus } from '../data-plane.ts';
import { ejectionCauses } from '../outlier-detection/outlier-counters.ts';
import type { HttpConnectionManagerConfig } from '../runtime-config/config.ts';
import type { StreamInfo } from '../stream-info.ts';
import { type Exposition, formatLabels } from './exposition.ts';
import { Histogram } from './histogram.ts';
import { writeFilters, writeHttp2, writeManagers } from './http-protocol-metrics.ts';
import { SeriesStore } from './series-store.ts';

/** Most clusters, most connection managers and most routes whose responses are counted. */
const MAX_COUNTED = 2000;

class ResponseCounts {
  /** By class: index 1 is 1xx. */
  readonly classes = new Float64Array(6);
  readonly codes = new Map<number, number>();
  readonly timeMs = new Histogram();

  record(code: number, durationMs: number): void {
    const group = Math.floor(code / 100);
    if (group >= 1 && group <= 5) {
      this.classes[group] = (this.classes[group] ?? 0) + 1;
      // Codes are numbers from 100 to 599: bounded by themselves.
      this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    }
    this.timeMs.record(durationMs);
  }
}

/** Between the values of several labels in one key. */
const BETWEEN = '\0';

const newCounts = (): ResponseCounts => new ResponseCounts();

/** The statistics of stock Envoy that dashboards read, with Envoy's names. */
export class EnvoyMetrics {
  readonly #byCluster = new SeriesStore<ResponseCounts>(MAX_COUNTED);
  readonly #byManager = new SeriesStore<ResponseCounts>(MAX_COUNTED);
  /** Of routes with a `stat_prefix`, by virtual host and prefix. */
  readonly #byRoute = new SeriesStore<ResponseCounts>(MAX_COUNTED);

  streamEnded(info: StreamInfo, manager: HttpConnectionManagerConfig): void {
    this.#byManager
      .get(manager.statPrefix, newCounts)
      .record(info.responseCode, Math.max(0, info.endMs - info.startMs));
    const { cluster, upstreamRequestStartMs: start } = info;
    if (cluster !== undefined && start > 0) {
      const end = info.upstreamResponseEndMs > 0 ? info.upstreamResponseEndMs : info.endMs;
      const durationMs = Math.max(0, end - start);
      this.#byCluster.get(cluster.statName, newCounts).record(info.responseCode, durationMs);
      const statPrefix = info.route?.statPrefix;
      if (statPrefix !== undefined) {
        const key = `${info.virtualHost?.name ?? ''}${BETWEEN}${statPrefix}`;
        this.#byRoute.get(key, newCounts).record(info.responseCode, durationMs);
      }
    }
  }

  write(out: Exposition, dataPlane: DataPlane): void {
    const clusters = dataPlane.clusters();
    const present = new Set(clusters.map(({ config }) => config.statName));
    this.#byCluster.deleteWhere((name) => !present.has(name));
    this.#writeClusters(out, clusters);
    this.#writeResponses(out, 'envoy_cluster_upstream', ['envoy_cluster_name'], this.#byCluster);
    this.#writeResponses(out, 'envoy_http_downstream', ['envoy_http_conn_manager_prefix'], this.#byManager);
    if (this.#byRoute.size > 0) {
      const labels = ['envoy_virtual_host', 'envoy_route'];
      this.#writeResponses(out, 'envoy_vhost_route_upstream', labels, this.#byRoute);
    }
    writeManagers(out, dataPlane.downstreamHttp().managers);
    writeFilters(out, dataPlane.downstreamHttp().managers);
    writeHttp2(out, 'envoy_http2', [{ labels: '', counters: dataPlane.downstreamHttp().http2 }]);
    writeHttp2(
      out,
      'envoy_cluster_http2',
      clusters
        .filter(({ http2ConnectionsTotal }) => http2ConnectionsTotal > 0)
        .map(({ config, http2 }) => ({
          labels: formatLabels([['envoy_cluster_name', config.statName]]),
          counters: http2,
        })),
    );
    writeListeners(out, dataPlane);
    out.family('envoy_cluster_manager_active_clusters', 'gauge', 'Clusters that are warm.');
    out.sample('envoy_cluster_manager_active_clusters', '', clusters.filter(({ state }) => state === 'active').length);
    out.family('envoy_cluster_manager_warming_clusters', 'gauge', 'Clusters that wait for their endpoints.');
    out.sample(
      'envoy_cluster_manager_warming_clusters',
      '',
      clusters.filter(({ state }) => state === 'warming').length,
    );
  }

  #writeClusters(out: Exposition, clusters: readonly ClusterStatus[]): void {
    for (const { name, type, help, value, wanted } of clusterFamilies) {
      const told = wanted === undefined ? clusters : clusters.filter(wanted);
      if (told.length === 0 && wanted !== undefined) {
        continue;
      }
      out.family(name, type, help);
      for (const cluster of told) {
        out.sample(name, formatLabels([['envoy_cluster_name', cluster.config.statName]]), value(cluster));
      }
    }
  }

  #writeResponses(
    out: Exposition,
    prefix: string,
    labels: readonly string[],
    store: SeriesStore<ResponseCounts>,
  ): void {
    const entries = [...store.entries()].map(([key, counts]) => {
      const values = key.split(BETWEEN);
      return [labels.map((label, index): [string, string] => [label, values[index] ?? '']), counts] as const;
    });
    out.family(`${prefix}_rq_xx`, 'counter', 'Responses by class.');
    for (const [name, { classes }] of entries) {
      classes.forEach((count, group) => {
        if (count > 0) {
          out.sample(`${prefix}_rq_xx`, formatLabels([['envoy_response_code_class', String(group)], ...name]), count);
        }
      });
    }
    out.family(`${prefix}_rq`, 'counter', 'Responses by status.');
    for (const [name, { codes }] of entries) {
      for (const [code, count] of codes) {
        out.sample(`${prefix}_rq`, formatLabels([['envoy_response_code', String(code)], ...name]), count);
      }
    }
    out.family(`${prefix}_rq_time`, 'histogram', 'Time of requests, milliseconds.');
    for (const [name, { timeMs }] of entries) {
      out.histogram(`${prefix}_rq_time`, formatLabels(name), timeMs);
    }
  }
}

interface ClusterFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: (status: ClusterStatus) => number;
  /** Clusters that have it; absent: all. */
  readonly wanted?: (status: ClusterStatus) => boolean;
}

const family = (
  name: string,
  type: ClusterFamily['type'],
  help: string,
  value: ClusterFamily['value'],
): ClusterFamily => ({ name: `envoy_cluster_${name}`, type, help, value });
const healthOf = (status: ClusterStatus, health: string): number =>
  status.endpoints.filter((endpoint) => endpoint.health === health).length;
const flag = (condition: boolean): number => (condition ? 1 : 0);

const checkFamily = (
  name: string,
  type: ClusterFamily['type'],
  help: string,
  value: (counters: ClusterStatus['healthChecks']) => number,
): ClusterFamily => family(`health_check_${name}`, type, help, ({ healthChecks }) => value(healthChecks));

const healthCheckFamilies: readonly ClusterFamily[] = [
  checkFamily('attempt', 'counter', 'Health checks.', (c) => c.attempt),
  checkFamily('success', 'counter', 'Of them, passed.', (c) => c.success),
  checkFamily('failure', 'counter', 'Failed, or failed by an answer to a request.', (c) => c.failure),
  checkFamily('passive_failure', 'counter', 'Of them, by an answer to a request.', (c) => c.passiveFailure),
  checkFamily(
    'network_failure',
    'counter',
    'Of them, by a connection or for want of an answer.',
    (c) => c.networkFailure,
  ),
  checkFamily('verify_cluster', 'counter', 'Times that the name of the cluster was verified.', (c) => c.verifyCluster),
  checkFamily('healthy', 'gauge', 'Endpoints whose checks pass.', (c) => c.healthy),
  checkFamily('degraded', 'gauge', 'Endpoints that call themselves degraded.', (c) => c.degraded),
];

function breakerFamilies(priority: 'default' | 'high'): ClusterFamily[] {
  const open = (name: string, what: string, allows: (breaker: ClusterStatus['breakers']['default']) => boolean) =>
    family(`circuit_breakers_${priority}_${name}_open`, 'gauge', `Whether the breaker of ${what} is open.`, (c) =>
      flag(!allows(c.breakers[priority])),
    );
  const left = (name: string, what: string, count: (breaker: ClusterStatus['breakers']['default']) => number) => ({
    ...family(`circuit_breakers_${priority}_remaining_${name}`, 'gauge', `${what} that the breaker leaves.`, (c) =>
      Math.max(0, count(c.breakers[priority])),
    ),
    wanted: (c: ClusterStatus) => c.breakers[priority].thresholds.tracksRemaining === true,
  });
  return [
    open('cx', 'connections', (breaker) => breaker.allowsConnection),
    open('rq_pending', 'waiting requests', (breaker) => breaker.allowsPending),
    open('rq', 'requests', (breaker) => breaker.allowsRequest),
    open('rq_retry', 'retries', (breaker) => breaker.allowsRetry),
    left('cx', 'Connections', ({ thresholds, connections }) => thresholds.maxConnections - connections),
    left('pending', 'Waiting requests', ({ thresholds, pending }) => thresholds.maxPendingRequests - pending),
    left('rq', 'Requests', ({ thresholds, requests }) => thresholds.maxRequests - requests),
    left('retries', 'Retries', ({ maxRetries, retries }) => maxRetries - retries),
  ];
}

const clusterFamilies: readonly ClusterFamily[] = [
  family('upstream_cx_total', 'counter', 'Connections opened.', (c) => c.connectionsTotal),
  family('upstream_cx_active', 'gauge', 'Connections open.', (c) => c.connectionsActive),
  family('upstream_cx_http1_total', 'counter', 'Of them, HTTP/1.1.', (c) =>
    Math.max(0, c.httpConnectionsTotal - c.http2ConnectionsTotal),
  ),
  family('upstream_cx_http2_total', 'counter', 'Of them, HTTP/2.', (c) => c.http2ConnectionsTotal),
  family('upstream_cx_connect_fail', 'counter', 'Connections that failed.', (c) => c.connectFailures),
  family('upstream_cx_connect_timeout', 'counter', 'Connections not up in time.', (c) => c.connectTimeouts),
  family('upstream_cx_overflow', 'counter', 'Times the breaker of connections was open.', (c) => c.connectionOverflow),
  family('upstream_rq_total', 'counter', 'Requests.', (c) => c.requestsTotal),
  family('upstream_rq_active', 'gauge', 'Requests in flight.', (c) => c.requestsActive),
  family('upstream_rq_pending_active', 'gauge', 'Requests that wait for a connection.', (c) => c.requestsPending),
  family('upstream_rq_pending_overflow', 'counter', 'Requests refused by a breaker.', (c) => c.requestsPendingOverflow),
  family('upstream_rq_timeout', 'counter', 'Requests without an answer in time.', (c) => c.requestTimeouts),
  family('upstream_rq_per_try_timeout', 'counter', 'Tries without an answer in time.', (c) => c.perTryTimeouts),
  family('upstream_rq_per_try_idle_timeout', 'counter', 'Tries that stood still.', (c) => c.perTryIdleTimeouts),
  family('upstream_rq_retry', 'counter', 'Retries.', (c) => c.retries),
  family(
    'upstream_rq_retry_backoff_exponential',
    'counter',
    'Retries after a pause of our choice.',
    (c) => c.retriesBackOffExponential,
  ),
  family(
    'upstream_rq_retry_backoff_ratelimited',
    'counter',
    'Retries after the pause that the upstream asked for.',
    (c) => c.retriesBackOffRateLimited,
  ),
  family('upstream_rq_retry_success', 'counter', 'Retries that succeeded.', (c) => c.retrySuccess),
  family('upstream_rq_retry_overflow', 'counter', 'Retries refused by the breaker.', (c) => c.retryOverflow),
  family('upstream_rq_retry_limit_exceeded', 'counter', 'Requests out of retries.', (c) => c.retryLimitExceeded),
  family('lb_subsets_active', 'gauge', 'Subsets that have endpoints.', (c) => c.balancer.subsetsActive),
  family(
    'lb_subsets_selected',
    'counter',
    'Choices in the subset that was asked for.',
    (c) => c.balancer.subsetsSelected,
  ),
  family(
    'lb_subsets_fallback',
    'counter',
    'Choices by the fallback policy of subsets.',
    (c) => c.balancer.subsetsFallback,
  ),
  family(
    'lb_subsets_fallback_panic',
    'counter',
    'Choices among all endpoints, as there was none in a subset.',
    (c) => c.balancer.subsetsFallbackPanic,
  ),
  family(
    'original_dst_host_invalid',
    'counter',
    'Requests whose destination is no address.',
    (c) => c.balancer.originalDstHostInvalid,
  ),
  family('lb_healthy_panic', 'counter', 'Choices among all endpoints, healthy or not.', (c) => c.balancer.healthyPanic),
  family(
    'lb_zone_routing_all_directly',
    'counter',
    'Choices in the own zone, which can take everything.',
    (c) => c.balancer.zoneRoutingAllDirectly,
  ),
  family(
    'lb_zone_routing_sampled',
    'counter',
    'Choices in the own zone, which cannot take everything.',
    (c) => c.balancer.zoneRoutingSampled,
  ),
  family('lb_zone_routing_cross_zone', 'counter', 'Choices in other zones.', (c) => c.balancer.zoneRoutingCrossZone),
  family(
    'lb_zone_cluster_too_small',
    'counter',
    'Times that a cluster was too small for zones.',
    (c) => c.balancer.zoneClusterTooSmall,
  ),
  family(
    'lb_local_cluster_not_ok',
    'counter',
    'Times that the own cluster was no guide.',
    (c) => c.balancer.localClusterNotOk,
  ),
  family(
    'lb_recalculate_zone_structures',
    'counter',
    'Times that zones were reckoned anew.',
    (c) => c.balancer.recalculateZoneStructures,
  ),
  family(
    'outlier_detection_ejections_active',
    'gauge',
    'Endpoints that are ejected.',
    (c) => c.outliers.ejectionsActive,
  ),
  family('outlier_detection_ejections_enforced_total', 'counter', 'Ejections.', (c) => c.outliers.ejectionsEnforced),
  family(
    'outlier_detection_ejections_overflow',
    'counter',
    'Ejections that the maximum prevented.',
    (c) => c.outliers.ejectionsOverflow,
  ),
  ...ejectionCauses.flatMap((cause) => [
    family(
      `outlier_detection_ejections_detected_${cause}`,
      'counter',
      'Reasons to eject an endpoint.',
      (c) => c.outliers.detected[cause],
    ),
    family(
      `outlier_detection_ejections_enforced_${cause}`,
      'counter',
      'Ejections for that reason.',
      (c) => c.outliers.enforced[cause],
    ),
  ]),
  ...healthCheckFamilies,
  family('membership_total', 'gauge', 'Endpoints.', (c) => c.endpoints.length),
  family('membership_healthy', 'gauge', 'Healthy endpoints.', (c) => healthOf(c, 'healthy')),
  family('membership_degraded', 'gauge', 'Degraded endpoints.', (c) => healthOf(c, 'degraded')),
  ...breakerFamilies('default'),
  ...breakerFamilies('high'),
];

function writeListeners(out: Exposition, dataPlane: DataPlane): void {
  const listeners = dataPlane.listeners();
  const labelsOf = ({ address, port }: ListenerStatus): string =>
    formatLabels([['envoy_listener_address', `${address}_${port}`.replaceAll(':', '_')]]);
  out.family('envoy_listener_downstream_cx_total', 'counter', 'Connections accepted.');
  for (const listener of listeners) {
    out.sample('envoy_listener_downstream_cx_total', labelsOf(listener), listener.connectionsTotal);
  }
  out.family('envoy_listener_downstream_cx_active', 'gauge', 'Connections open.');
  for (const listener of listeners) {
    out.sample('envoy_listener_downstream_cx_active', labelsOf(listener), listener.connectionsActive);
  }
  out.family(
    'envoy_listener_downstream_pre_cx_timeout',
    'counter',
    'Clients that said too little in time to be inspected.',
  );
  for (const listener of listeners) {
    out.sample('envoy_listener_downstream_pre_cx_timeout', labelsOf(listener), listener.inspectionTimeouts);
  }
  out.family('envoy_listener_no_filter_chain_match', 'counter', 'Connections that no filter chain matched.');
  for (const listener of listeners) {
    out.sample('envoy_listener_no_filter_chain_match', labelsOf(listener), listener.connectionsWithoutChain);
  }
  out.family('weft_listener_detected_protocol_total', 'counter', 'Connections by what the inspectors took them for.');
  // One that drains may have the name of one that took its place.
  for (const listener of listeners.filter(({ state }) => state !== 'draining')) {
    for (const [protocol, count] of listener.detected) {
      out.sample(
        'weft_listener_detected_protocol_total',
        formatLabels([
          ['listener', listener.name],
          ['protocol', protocol],
        ]),
        count,
      );
    }
  }
  for (const state of ['active', 'warming', 'draining'] as const) {
    out.family(`envoy_listener_manager_total_listeners_${state}`, 'gauge', `Listeners that are ${state}.`);
    out.sample(
      `envoy_listener_manager_total_listeners_${state}`,
      '',
      listeners.filter((listener) => listener.state === state).length,
    );
  }
}
