import type { ClusterStatus, EndpointStatus } from '../data-plane.ts';
import { describeHealth, HealthFlag } from '../endpoint/endpoint-health.ts';
import type { JsonObject } from '../runtime-config/wire/schema.ts';
import type { AdminContext } from './admin-context.ts';

/** Envoy's text form: `cluster::fact::value` and `cluster::address::fact::value`. */
export function clustersText(context: AdminContext): string {
  let text = '';
  for (const cluster of context.dataPlane.clusters()) {
    const { name, config } = cluster;
    text += `${name}::observability_name::${config.statName}\n`;
    for (const [priority, breakers] of Object.entries(config.circuitBreakers)) {
      text += `${name}::${priority}_priority::max_connections::${breakers.maxConnections}\n`;
      text += `${name}::${priority}_priority::max_pending_requests::${breakers.maxPendingRequests}\n`;
      text += `${name}::${priority}_priority::max_requests::${breakers.maxRequests}\n`;
      text += `${name}::${priority}_priority::max_retries::${breakers.maxRetries}\n`;
    }
    text += `${name}::added_via_api::true\n`;
    for (const endpoint of cluster.endpoints) {
      const head = `${name}::${endpoint.info.address}`;
      for (const { name: stat, value } of endpointStats(endpoint)) {
        text += `${head}::${stat}::${value}\n`;
      }
      text += `${head}::hostname::${endpoint.info.config.hostname}\n`;
      text += `${head}::health_flags::${describeHealth(endpoint.healthFlags)}\n`;
      text += `${head}::weight::${endpoint.info.config.weight}\n`;
      text += `${head}::region::${endpoint.info.region}\n`;
      text += `${head}::zone::${endpoint.info.zone}\n`;
      text += `${head}::sub_zone::${endpoint.info.subZone}\n`;
      text += `${head}::priority::${endpoint.priority}\n`;
    }
  }
  return text;
}

/** `envoy.admin.v3.Clusters` */
export function clustersJson(context: AdminContext): JsonObject {
  return { cluster_statuses: context.dataPlane.clusters().map(clusterJson) };
}

function clusterJson({ name, config, endpoints, state }: ClusterStatus): JsonObject {
  return {
    name,
    observability_name: config.statName,
    added_via_api: true,
    state,
    circuit_breakers: {
      thresholds: (['default', 'high'] as const).map((priority) => ({
        priority: priority.toUpperCase(),
        max_connections: config.circuitBreakers[priority].maxConnections,
        max_pending_requests: config.circuitBreakers[priority].maxPendingRequests,
        max_requests: config.circuitBreakers[priority].maxRequests,
        max_retries: config.circuitBreakers[priority].maxRetries,
      })),
    },
    host_statuses: endpoints.map((endpoint) => ({
      address: addressJson(endpoint),
      stats: endpointStats(endpoint).map((stat) => ({ ...stat, value: String(stat.value) })),
      health_status: healthJson(endpoint),
      weight: endpoint.info.config.weight,
      hostname: endpoint.info.config.hostname,
      priority: endpoint.priority,
      locality: { region: endpoint.info.region, zone: endpoint.info.zone, sub_zone: endpoint.info.subZone },
    })),
  };
}

/** `envoy.admin.v3.HostHealthStatus` */
function healthJson({ healthFlags, edsStatus }: EndpointStatus): JsonObject {
  const flags = {
    failed_active_health_check: HealthFlag.failedActiveCheck,
    failed_outlier_check: HealthFlag.ejected,
    failed_active_degraded_check: HealthFlag.degradedActiveCheck,
    pending_active_hc: HealthFlag.pendingActiveCheck,
    excluded_via_immediate_hc_fail: HealthFlag.excludedByUpstream,
    active_hc_timeout: HealthFlag.activeCheckTimeout,
  };
  const set = Object.entries(flags).filter(([, flag]) => (healthFlags & flag) !== 0);
  return { ...Object.fromEntries(set.map(([name]) => [name, true])), eds_health_status: edsStatus.toUpperCase() };
}

function addressJson({ info }: EndpointStatus): JsonObject {
  const { address } = info.config;
  return address.kind === 'pipe'
    ? { pipe: { path: address.path } }
    : { socket_address: { address: address.address, port_value: address.port } };
}

function endpointStats(
  endpoint: EndpointStatus,
): { readonly name: string; readonly value: number; readonly type: string }[] {
  const counter = (name: string, value: number) => ({ name, value, type: 'COUNTER' });
  const gauge = (name: string, value: number) => ({ name, value, type: 'GAUGE' });
  return [
    gauge('cx_active', endpoint.connectionsActive),
    counter('cx_connect_fail', endpoint.connectFailures),
    counter('cx_total', endpoint.connectionsTotal),
    gauge('rq_active', endpoint.requestsActive),
    counter('rq_error', endpoint.requestsError),
    counter('rq_success', endpoint.requestsSuccess),
    counter('rq_total', endpoint.requestsTotal),
  ];
}
