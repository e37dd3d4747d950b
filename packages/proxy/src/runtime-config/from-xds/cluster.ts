import { setsIntervals, systemKeepalive } from '../../transport/tcp-keepalive.ts';
import type {
  CircuitBreakerThresholds,
  ClusterConfig,
  ClusterMetadata,
  UpstreamHttpOptions,
  UpstreamTransportSocket,
} from '../config.ts';
import type { DnsOptions } from '../discovery.ts';
import type {
  CircuitBreakers,
  CircuitBreakersRetryBudget,
  Cluster,
  UpstreamTransportSocket as TransportSocketSchema,
  UpstreamHttpOptions as UpstreamHttpSchema,
} from '../wire/cluster-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { endpointsFromXds } from './endpoint.ts';
import { healthCheckFromXds } from './health-check.ts';
import { http2OptionsFromXds } from './http2-options.ts';
import { loadBalancerFromXds } from './load-balancer.ts';
import { labelsFromStruct, stringAt } from './metadata.ts';
import { originalDestinationFromXds } from './original-destination.ts';
import { outlierDetectionFromXds } from './outlier-detection.ts';
import { responseMatchFromXds } from './response-match.ts';
import { upstreamTlsFromXds } from './tls.ts';

/** `Cluster.connect_timeout`, "If not set, a default value of 5s will be used". */
const DEFAULT_CONNECT_TIMEOUT_MS = 5000;
const DEFAULT_BUFFER_LIMIT_BYTES = 1024 * 1024;
const DEFAULT_DNS_REFRESH_MS = 5000;
/** `HttpProtocolOptions.idle_timeout`, "If not specified, this defaults to 1 hour". */
const DEFAULT_IDLE_TIMEOUT_MS = 3_600_000;
const DEFAULT_PANIC_THRESHOLD_PERCENT = 50;
const HTTP_OPTIONS_KEY = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** `envoy.config.cluster.v3.Cluster` with Envoy's defaults. */
export function clusterFromXds(cluster: Decoded<typeof Cluster>, version: string, problems: Problems): ClusterConfig {
  if (cluster.name === '') {
    problems.add('required', 'name');
  }
  if (cluster.connect_timeout !== undefined && cluster.connect_timeout <= 0) {
    problems.add('must be above 0', 'connect_timeout');
  }
  const loadBalancer = loadBalancerFromXds(cluster, problems);
  const outlier = cluster.outlier_detection;
  return {
    name: cluster.name,
    statName: cluster.alt_stat_name === '' ? cluster.name : cluster.alt_stat_name,
    discovery: discoveryFromXds(cluster, version, problems),
    connectTimeoutMs: cluster.connect_timeout ?? DEFAULT_CONNECT_TIMEOUT_MS,
    loadBalancer: loadBalancer.policy,
    balancing: loadBalancer.balancing,
    panicThresholdPercent: cluster.common_lb_config?.healthy_panic_threshold?.value ?? DEFAULT_PANIC_THRESHOLD_PERCENT,
    outlierDetection:
      outlier === undefined
        ? undefined
        : problems.within('outlier_detection', () => outlierDetectionFromXds(outlier, problems)),
    healthCheck: healthChecksFromXds(cluster, problems),
    ignoreHealthOnHostRemoval: cluster.ignore_health_on_host_removal,
    closeConnectionsOnHealthFailure: cluster.close_connections_on_host_health_failure,
    waitForWarm: cluster.wait_for_warm_on_init ?? true,
    maxConnectionsPerEndpoint: perEndpointFromXds(cluster.circuit_breakers, problems),
    circuitBreakers: circuitBreakersFromXds(cluster.circuit_breakers, problems),
    upstreamHttp: upstreamHttpFromXds(cluster, problems),
    transportSocket: problems.within('transport_socket', () =>
      transportSocketFromXds(cluster.transport_socket, problems),
    ),
    transportSocketMatches: problems.each('transport_socket_matches', cluster.transport_socket_matches, (match) => ({
      name: match.name,
      match: match.match === undefined ? {} : labelsFromStruct(match.match, 'match', problems),
      transportSocket: problems.within('transport_socket', () =>
        transportSocketFromXds(match.transport_socket, problems),
      ),
    })),
    bufferLimitBytes: cluster.per_connection_buffer_limit_bytes ?? DEFAULT_BUFFER_LIMIT_BYTES,
    metadata: metadataFromXds(cluster),
    tcpKeepalive: keepaliveFromXds(cluster, problems),
    version,
  };
}

function keepaliveFromXds(cluster: Decoded<typeof Cluster>, problems: Problems): ClusterConfig['tcpKeepalive'] {
  const keepalive = cluster.upstream_connection_options?.tcp_keepalive;
  if (keepalive === undefined) {
    return undefined;
  }
  const { keepalive_time: timeSec, keepalive_interval: intervalSec, keepalive_probes: probes } = keepalive;
  if (!setsIntervals && (intervalSec ?? probes) !== undefined) {
    problems.add('this needs Node 24.19 or later', 'upstream_connection_options.tcp_keepalive');
  }
  return {
    timeSec: timeSec ?? systemKeepalive.timeSec,
    intervalSec: intervalSec ?? systemKeepalive.intervalSec,
    probes: probes ?? systemKeepalive.probes,
  };
}

function discoveryFromXds(
  cluster: Decoded<typeof Cluster>,
  version: string,
  problems: Problems,
): ClusterConfig['discovery'] {
  const assignment = cluster.load_assignment;
  const inline = (names: boolean): ReturnType<typeof endpointsFromXds> => {
    if (assignment === undefined) {
      problems.add('required', 'load_assignment');
      return { clusterName: cluster.name, localities: [], overprovisioningFactor: 140, version };
    }
    return problems.within('load_assignment', () => endpointsFromXds(assignment, names, version, problems));
  };
  const { eds_cluster_config: eds, type = 'STATIC' } = cluster;
  if (type !== 'EDS' && eds !== undefined) {
    problems.add(`set in a cluster of type ${type}`, 'eds_cluster_config');
  }
  switch (type) {
    case 'STATIC':
      return { kind: 'static', endpoints: inline(false) };
    case 'STRICT_DNS':
      return { kind: 'dns', endpoints: inline(true), dns: dnsFromXds(cluster, 'strict', problems) };
    case 'LOGICAL_DNS': {
      const endpoints = inline(true);
      if (endpoints.localities.length !== 1 || endpoints.localities[0]?.endpoints.length !== 1) {
        problems.add('a cluster of type LOGICAL_DNS has one locality with one endpoint', 'load_assignment');
      }
      return { kind: 'dns', endpoints, dns: dnsFromXds(cluster, 'logical', problems) };
    }
    case 'EDS': {
      if (eds?.eds_config?.ads === undefined) {
        problems.add('endpoints are fetched by ADS only', 'eds_cluster_config.eds_config');
      }
      if (assignment !== undefined) {
        problems.add('set in a cluster of type EDS', 'load_assignment');
      }
      const serviceName = eds?.service_name ?? '';
      return { kind: 'eds', serviceName: serviceName === '' ? cluster.name : serviceName };
    }
    case 'ORIGINAL_DST':
      return {
        kind: 'original-dst',
        endpoints: { clusterName: cluster.name, localities: [], overprovisioningFactor: 140, version },
        original: originalDestinationFromXds(cluster, problems),
      };
  }
}

const dnsFamilies = {
  AUTO: 'auto',
  V4_ONLY: 'v4-only',
  V6_ONLY: 'v6-only',
  V4_PREFERRED: 'v4-preferred',
  ALL: 'all',
} as const;

/** `Cluster.RefreshRate.max_interval`, "The default is 10 times the base_interval". */
const DEFAULT_MAX_FAILURE_FACTOR = 10;

function dnsFromXds(cluster: Decoded<typeof Cluster>, kind: DnsOptions['kind'], problems: Problems): DnsOptions {
  const { dns_refresh_rate: refreshMs = DEFAULT_DNS_REFRESH_MS, dns_failure_refresh_rate: failure } = cluster;
  if (refreshMs <= 1) {
    problems.add('must be above 1 ms', 'dns_refresh_rate');
  }
  const baseMs = failure?.base_interval ?? 0;
  const maxMs = failure?.max_interval ?? baseMs * DEFAULT_MAX_FAILURE_FACTOR;
  if (failure !== undefined && baseMs <= 1) {
    problems.add('must be above 1 ms', 'dns_failure_refresh_rate.base_interval');
  }
  if (maxMs < baseMs) {
    problems.add('must be at least base_interval', 'dns_failure_refresh_rate.max_interval');
  }
  return {
    kind,
    families: dnsFamilies[cluster.dns_lookup_family],
    refreshMs,
    respectTtl: cluster.respect_dns_ttl,
    failureRefresh: failure === undefined ? undefined : { baseMs, maxMs },
  };
}

/** At most one, as with Envoy. */
function healthChecksFromXds(cluster: Decoded<typeof Cluster>, problems: Problems): ClusterConfig['healthCheck'] {
  const [check, ...others] = cluster.health_checks;
  if (others.length > 0) {
    problems.add('one health check at most', 'health_checks');
  }
  if (check === undefined) {
    return undefined;
  }
  const options = cluster.typed_extension_protocol_options.get(HTTP_OPTIONS_KEY)?.value;
  const speaksHttp2 = protocolOf(options) !== 'http1';
  return problems.within('health_checks', () =>
    problems.within(0, () => healthCheckFromXds(check, speaksHttp2, problems)),
  );
}

const DEFAULT_BREAKERS: CircuitBreakerThresholds = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
};

function circuitBreakersFromXds(
  breakers: Decoded<typeof CircuitBreakers> | undefined,
  problems: Problems,
): ClusterConfig['circuitBreakers'] {
  const result = { default: DEFAULT_BREAKERS, high: DEFAULT_BREAKERS };
  const seen = new Set<string>();
  for (const thresholds of breakers?.thresholds ?? []) {
    if (seen.has(thresholds.priority)) {
      problems.add(`two entries for the priority ${thresholds.priority}`, 'circuit_breakers.thresholds');
    }
    seen.add(thresholds.priority);
    result[thresholds.priority === 'HIGH' ? 'high' : 'default'] = {
      maxConnections: thresholds.max_connections ?? DEFAULT_BREAKERS.maxConnections,
      maxPendingRequests: thresholds.max_pending_requests ?? DEFAULT_BREAKERS.maxPendingRequests,
      maxRequests: thresholds.max_requests ?? DEFAULT_BREAKERS.maxRequests,
      maxRetries: thresholds.max_retries ?? DEFAULT_BREAKERS.maxRetries,
      ...(thresholds.track_remaining ? { tracksRemaining: true } : {}),
      ...retryBudgetFromXds(thresholds.retry_budget, problems),
    };
  }
  return result;
}

/** `per_host_thresholds`: Envoy takes `max_connections` of them, and nothing else. */
function perEndpointFromXds(
  breakers: Decoded<typeof CircuitBreakers> | undefined,
  problems: Problems,
): number | undefined {
  const given = breakers?.per_host_thresholds ?? [];
  problems.each('circuit_breakers.per_host_thresholds', given, (thresholds) => {
    for (const field of ['max_pending_requests', 'max_requests', 'max_retries', 'retry_budget'] as const) {
      if (thresholds[field] !== undefined) {
        problems.add('only max_connections counts by endpoint', field);
      }
    }
    if (thresholds.track_remaining) {
      problems.add('only max_connections counts by endpoint', 'track_remaining');
    }
    if (thresholds.priority !== 'DEFAULT') {
      problems.add('only DEFAULT is supported by this proxy', 'priority');
    }
  });
  if (given.length > 1) {
    problems.add('one entry at most', 'circuit_breakers.per_host_thresholds');
  }
  return given[0]?.max_connections;
}

const DEFAULT_BUDGET_PERCENT = 20;
const DEFAULT_MIN_RETRY_CONCURRENCY = 3;

function retryBudgetFromXds(
  budget: Decoded<typeof CircuitBreakersRetryBudget> | undefined,
  problems: Problems,
): Pick<CircuitBreakerThresholds, 'retryBudget'> {
  if (budget === undefined) {
    return {};
  }
  const percent = budget.budget_percent?.value ?? DEFAULT_BUDGET_PERCENT;
  if (!(percent >= 0 && percent <= 100)) {
    problems.add('must be from 0 to 100', 'circuit_breakers.thresholds.retry_budget.budget_percent');
  }
  const intervalMs = budget.budget_interval ?? 0;
  return {
    retryBudget: {
      percent,
      minConcurrency: budget.min_retry_concurrency ?? DEFAULT_MIN_RETRY_CONCURRENCY,
      ...(intervalMs > 0 ? { intervalMs } : {}),
    },
  };
}

/** HTTP/2's own limit of concurrent streams, which Envoy uses for clients when none is configured. */
const DEFAULT_MAX_CONCURRENT_STREAMS = 1024;

function upstreamHttpFromXds(cluster: Decoded<typeof Cluster>, problems: Problems): UpstreamHttpOptions {
  let options: Decoded<typeof UpstreamHttpSchema> | undefined;
  for (const [key, value] of cluster.typed_extension_protocol_options) {
    if (key === HTTP_OPTIONS_KEY) {
      options = value.value;
    } else {
      problems.add('not supported by this proxy', `typed_extension_protocol_options.${key}`);
    }
  }
  const at = `typed_extension_protocol_options.${HTTP_OPTIONS_KEY}`;
  const common = options?.common_http_protocol_options;
  if (common?.max_stream_duration !== undefined && common.max_stream_duration > 0) {
    problems.add('not supported by this proxy', `${at}.common_http_protocol_options.max_stream_duration`);
  }
  if (
    options !== undefined &&
    (options.explicit_http_config ?? options.use_downstream_protocol_config ?? options.auto_config) === undefined
  ) {
    problems.add('one of explicit_http_config, use_downstream_protocol_config, auto_config is required', at);
  }
  const errorMatcher = options?.outlier_detection?.error_matcher;
  const chosen = options?.explicit_http_config ?? options?.auto_config ?? options?.use_downstream_protocol_config;
  return {
    protocol: protocolOf(options),
    idleTimeoutMs: common?.idle_timeout ?? DEFAULT_IDLE_TIMEOUT_MS,
    maxRequestsPerConnection: common?.max_requests_per_connection ?? 0,
    maxConnectionDurationMs: common?.max_connection_duration ?? 0,
    http2: problems.within(at, () =>
      http2OptionsFromXds(chosen?.http2_protocol_options, DEFAULT_MAX_CONCURRENT_STREAMS, problems),
    ),
    ...(errorMatcher === undefined
      ? {}
      : {
          outlierErrors: problems.within(`${at}.outlier_detection.error_matcher`, () =>
            responseMatchFromXds(errorMatcher, problems),
          ),
        }),
  };
}

function protocolOf(options: Decoded<typeof UpstreamHttpSchema> | undefined): UpstreamHttpOptions['protocol'] {
  if (options?.use_downstream_protocol_config !== undefined) {
    return 'use-downstream';
  }
  if (options?.auto_config !== undefined) {
    return 'auto';
  }
  return options?.explicit_http_config?.http2_protocol_options === undefined ? 'http1' : 'http2';
}

function transportSocketFromXds(
  socket: Decoded<typeof TransportSocketSchema> | undefined,
  problems: Problems,
): UpstreamTransportSocket {
  if (socket === undefined) {
    return { kind: 'raw' };
  }
  const config = socket.typed_config;
  if (config === undefined) {
    problems.add('required', 'typed_config');
    return { kind: 'raw' };
  }
  if (config.type === 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer') {
    return { kind: 'raw' };
  }
  if (config.type === 'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport') {
    const { config: header, transport_socket: inner } = config.value;
    return problems.within('typed_config', () => {
      if (inner === undefined) {
        problems.add('required', 'transport_socket');
      }
      const socket = problems.within('transport_socket', () => transportSocketFromXds(inner, problems));
      return { ...socket, proxyProtocol: header?.version === 'V2' ? 2 : 1 };
    });
  }
  return { kind: 'tls', tls: problems.within('typed_config', () => upstreamTlsFromXds(config.value, problems)) };
}

/** Istio's `istio.services[0]`: which service the cluster stands for. */
function metadataFromXds(cluster: Decoded<typeof Cluster>): ClusterMetadata {
  const istio = cluster.metadata?.filter_metadata.get('istio');
  return {
    destinationHost: stringAt(istio, 'services', 0, 'host'),
    destinationName: stringAt(istio, 'services', 0, 'name'),
    destinationNamespace: stringAt(istio, 'services', 0, 'namespace'),
  };
}
