import type { ResponseHead } from '@weft/http-codec';
import { healthCheckReply } from '../../../local-reply.ts';
import { matchesHeaders } from '../../../route/route-match.ts';
import type { HealthCheckFilterConfig } from '../../../runtime-config/config.ts';
import { FilterStatus, type FilterStatusCode } from '../filter-status.ts';
import type { HttpContext } from '../http-context.ts';
import type { HttpStream } from '../http-stream.ts';
import type { HttpFilter } from './http-filter.ts';

interface Health {
  readonly status: number;
  readonly degraded: boolean;
  readonly details: string;
}

const healthy: Health = { status: 200, degraded: false, details: 'health_check_ok' };
const clustersHealthy: Health = { ...healthy, details: 'health_check_ok_cluster_healthy' };
const failing = (details: string): Health => ({ status: 503, degraded: false, details });

/**
 * `envoy.filters.http.health_check`: answers the health checks of others, by itself, by how clusters do, or with what the upstream said
 * last. While this proxy drains it fails them all, and every other answer tells load balancers to leave it out.
 */
export class HealthCheckFilter implements HttpFilter {
  readonly #config: HealthCheckFilterConfig;
  #cached: Health | undefined = undefined;
  #cachedUntilMs = 0;

  constructor(config: HealthCheckFilterConfig) {
    this.#config = config;
  }

  readonly onRequest = (stream: HttpStream): FilterStatusCode => {
    const { context } = stream.manager;
    if (!matchesHeaders(this.#config.headers, stream)) {
      return FilterStatus.continue;
    }
    stream.filters.healthCheckedBy = this;
    const isFailed = context.localHealthFailed();
    const cached =
      this.#cached !== undefined && context.clock.monotonicMs() < this.#cachedUntilMs ? this.#cached : undefined;
    if (this.#config.passThrough && !isFailed && cached === undefined) {
      return FilterStatus.continue;
    }
    const { status, degraded, details } = isFailed
      ? failing('health_check_failed')
      : (cached ?? healthOfClusters(this.#config.clusterMinHealthyPercentages, context));
    stream.reply(healthCheckReply(status, degraded, details));
    return FilterStatus.replied;
  };

  readonly onResponse = (stream: HttpStream, head: ResponseHead): void => {
    const { context } = stream.manager;
    if (stream.filters.healthCheckedBy !== this) {
      if (context.localHealthFailed()) {
        head.set('x-envoy-immediate-health-check-fail', 'true');
      }
      return;
    }
    const { cacheTimeMs } = this.#config;
    if (cacheTimeMs > 0 && context.clock.monotonicMs() >= this.#cachedUntilMs) {
      this.#cached = { status: head.status, degraded: head.has('x-envoy-degraded'), details: 'health_check_cached' };
      this.#cachedUntilMs = context.clock.monotonicMs() + cacheTimeMs;
    }
    head.set('x-envoy-upstream-healthchecked-cluster', context.nodeCluster);
  };
}

function healthOfClusters(percentages: ReadonlyMap<string, number>, { clusters }: HttpContext): Health {
  for (const [name, percentage] of percentages) {
    const cluster = clusters.get(name);
    if (cluster === undefined) {
      return failing('health_check_failed_no_cluster_found');
    }
    let total = 0;
    let usable = 0;
    for (const { condition } of cluster.endpoints()) {
      total += 1;
      usable += condition === 'unhealthy' ? 0 : 1;
    }
    if (total === 0 && percentage > 0) {
      return failing('health_check_failed_cluster_empty');
    }
    if (usable * 100 < total * percentage) {
      return failing('health_check_failed_cluster_unhealthy');
    }
  }
  return percentages.size === 0 ? healthy : clustersHealthy;
}
