/** Clusters. */

import { ConfigSource, Metadata, Percent } from './core-schema.ts';
import { ClusterLoadAssignment } from './endpoint-schema.ts';
import { HealthCheck } from './health-check-schema.ts';
import { Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions } from './http-connection-manager-schema.ts';
import {
  ClusterCommonLbConfig,
  ClusterLeastRequestLbConfig,
  ClusterMaglevLbConfig,
  ClusterRingHashLbConfig,
  ClusterRoundRobinLbConfig,
  LoadBalancingPolicy,
} from './load-balancing-schema.ts';
import { MatchPredicate } from './match-predicate-schema.ts';
import { OutlierDetection } from './outlier-detection-schema.ts';
import {
  any,
  bool,
  boolValue,
  duration,
  enumeration,
  map,
  message,
  nested,
  optional,
  repeated,
  string,
  struct,
  uint32Value,
} from './schema.ts';
import { ClusterLbSubsetConfig } from './subset-schema.ts';
import { RawBuffer, UpstreamTlsContext } from './tls-schema.ts';

export const TcpKeepalive = message('envoy.config.core.v3.TcpKeepalive', {
  keepalive_probes: uint32Value(1),
  keepalive_time: uint32Value(2),
  keepalive_interval: uint32Value(3),
});

export const UpstreamConnectionOptions = message(
  'envoy.config.cluster.v3.UpstreamConnectionOptions',
  { tcp_keepalive: nested(1, TcpKeepalive) },
  '2:set_local_interface_name_on_upstream_connections 3:happy_eyeballs_config',
);

/** What a PROXY protocol header may stand before. */
export const InnerTransportSocket = message('envoy.config.core.v3.TransportSocket', {
  name: string(1),
  typed_config: any(3, [UpstreamTlsContext, RawBuffer]),
});

export const ProxyProtocolConfig = message(
  'envoy.config.core.v3.ProxyProtocolConfig',
  { version: enumeration(1, 'V1=0 V2=1') },
  '2:pass_through_tlvs',
);

export const ProxyProtocolUpstreamTransport = message(
  'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport',
  { config: nested(1, ProxyProtocolConfig), transport_socket: nested(2, InnerTransportSocket) },
);

export const UpstreamTransportSocket = message('envoy.config.core.v3.TransportSocket', {
  name: string(1),
  typed_config: any(3, [UpstreamTlsContext, RawBuffer, ProxyProtocolUpstreamTransport]),
});

export const ClusterTransportSocketMatch = message('envoy.config.cluster.v3.Cluster.TransportSocketMatch', {
  name: string(1),
  match: struct(2),
  transport_socket: nested(3, UpstreamTransportSocket),
});

export const ClusterEdsClusterConfig = message('envoy.config.cluster.v3.Cluster.EdsClusterConfig', {
  eds_config: nested(1, ConfigSource),
  service_name: string(2),
});

export const CircuitBreakersRetryBudget = message('envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget', {
  budget_percent: nested(1, Percent),
  min_retry_concurrency: uint32Value(2),
  budget_interval: duration(3),
});

export const CircuitBreakersThresholds = message(
  'envoy.config.cluster.v3.CircuitBreakers.Thresholds',
  {
    priority: enumeration(1, 'DEFAULT=0 HIGH=1'),
    max_connections: uint32Value(2),
    max_pending_requests: uint32Value(3),
    max_requests: uint32Value(4),
    max_retries: uint32Value(5),
    track_remaining: bool(6),
    retry_budget: nested(8, CircuitBreakersRetryBudget),
  },
  '7:max_connection_pools',
);

export const CircuitBreakers = message('envoy.config.cluster.v3.CircuitBreakers', {
  thresholds: repeated(nested(1, CircuitBreakersThresholds)),
  per_host_thresholds: repeated(nested(2, CircuitBreakersThresholds)),
});

export const UpstreamHttpProtocolOptions = message(
  'envoy.config.core.v3.UpstreamHttpProtocolOptions',
  {},
  '1:auto_sni 2:auto_san_validation 3:override_auto_sni_header',
);

export const HttpProtocolOptionsExplicitHttpConfig = message(
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig',
  { http_protocol_options: nested(1, Http1ProtocolOptions), http2_protocol_options: nested(2, Http2ProtocolOptions) },
  '3:http3_protocol_options',
  [['http_protocol_options', 'http2_protocol_options']],
);

export const HttpProtocolOptionsUseDownstreamHttpConfig = message(
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig',
  { http_protocol_options: nested(1, Http1ProtocolOptions), http2_protocol_options: nested(2, Http2ProtocolOptions) },
  '3:http3_protocol_options',
);

export const HttpProtocolOptionsAutoHttpConfig = message(
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.AutoHttpConfig',
  { http_protocol_options: nested(1, Http1ProtocolOptions), http2_protocol_options: nested(2, Http2ProtocolOptions) },
  '3:http3_protocol_options 4:alternate_protocols_cache_options',
);

export const HttpProtocolOptionsOutlierDetection = message(
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.OutlierDetection',
  { error_matcher: nested(1, MatchPredicate) },
);

export const UpstreamHttpOptions = message(
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
  {
    common_http_protocol_options: nested(1, HttpProtocolOptions),
    explicit_http_config: nested(3, HttpProtocolOptionsExplicitHttpConfig),
    use_downstream_protocol_config: nested(4, HttpProtocolOptionsUseDownstreamHttpConfig),
    auto_config: nested(5, HttpProtocolOptionsAutoHttpConfig),
    outlier_detection: nested(8, HttpProtocolOptionsOutlierDetection),
  },
  '2:upstream_http_protocol_options 6:http_filters 7:header_validation_config 9:request_mirror_policies 10:hash_policy 11:retry_policy',
  [['explicit_http_config', 'use_downstream_protocol_config', 'auto_config']],
);

export const ClusterOriginalDstLbConfig = message(
  'envoy.config.cluster.v3.Cluster.OriginalDstLbConfig',
  { use_http_header: bool(1), http_header_name: string(2), upstream_port_override: uint32Value(3) },
  '4:metadata_key',
);

export const ClusterRefreshRate = message('envoy.config.cluster.v3.Cluster.RefreshRate', {
  base_interval: duration(1),
  max_interval: duration(2),
});

export const Cluster = message(
  'envoy.config.cluster.v3.Cluster',
  {
    name: string(1),
    type: optional(enumeration(2, 'STATIC=0 STRICT_DNS=1 LOGICAL_DNS=2 EDS=3 ORIGINAL_DST=4')),
    eds_cluster_config: nested(3, ClusterEdsClusterConfig),
    connect_timeout: duration(4),
    per_connection_buffer_limit_bytes: uint32Value(5),
    health_checks: repeated(nested(8, HealthCheck)),
    lb_policy: enumeration(
      6,
      'ROUND_ROBIN=0 LEAST_REQUEST=1 RING_HASH=2 RANDOM=3 MAGLEV=5 CLUSTER_PROVIDED=6 LOAD_BALANCING_POLICY_CONFIG=7',
    ),
    circuit_breakers: nested(10, CircuitBreakers),
    dns_refresh_rate: duration(16),
    dns_lookup_family: enumeration(17, 'AUTO=0 V4_ONLY=1 V6_ONLY=2 V4_PREFERRED=3 ALL=4'),
    cleanup_interval: duration(20),
    original_dst_lb_config: nested(34, ClusterOriginalDstLbConfig),
    lb_subset_config: nested(22, ClusterLbSubsetConfig),
    ring_hash_lb_config: nested(23, ClusterRingHashLbConfig),
    transport_socket: nested(24, UpstreamTransportSocket),
    metadata: nested(25, Metadata),
    common_lb_config: nested(27, ClusterCommonLbConfig),
    alt_stat_name: string(28),
    upstream_connection_options: nested(30, UpstreamConnectionOptions),
    close_connections_on_host_health_failure: bool(31),
    ignore_health_on_host_removal: bool(32),
    load_assignment: nested(33, ClusterLoadAssignment),
    typed_extension_protocol_options: map(any(36, [UpstreamHttpOptions])),
    least_request_lb_config: nested(37, ClusterLeastRequestLbConfig),
    respect_dns_ttl: bool(39),
    outlier_detection: nested(19, OutlierDetection),
    dns_failure_refresh_rate: nested(44, ClusterRefreshRate),
    load_balancing_policy: nested(41, LoadBalancingPolicy),
    transport_socket_matches: repeated(nested(43, ClusterTransportSocketMatch)),
    maglev_lb_config: nested(52, ClusterMaglevLbConfig),
    wait_for_warm_on_init: boolValue(54),
    round_robin_lb_config: nested(56, ClusterRoundRobinLbConfig),
  },
  '9:max_requests_per_connection 13:http_protocol_options 14:http2_protocol_options 18:dns_resolvers 21:upstream_bind_config 26:protocol_selection 29:common_http_protocol_options 38:cluster_type 40:filters 42:lrs_server 45:use_tcp_for_dns_lookups 46:upstream_http_protocol_options 47:track_timeout_budgets 48:upstream_config 49:track_cluster_stats 50:preconnect_policy 51:connection_pool_per_downstream_connection 53:dns_resolution_config 55:typed_dns_resolver_config 57:lrs_report_endpoint_metrics',
  [
    [
      'least_request_lb_config',
      'round_robin_lb_config',
      'ring_hash_lb_config',
      'maglev_lb_config',
      'original_dst_lb_config',
    ],
  ],
);
