/** Listeners, filter chains, the TCP proxy. */
import { AccessLog } from './access-log-schema.ts';
import { Address, Metadata } from './core-schema.ts';
import { HttpConnectionManager } from './http-connection-manager-schema.ts';
import {
  any,
  bool,
  boolValue,
  duration,
  enumeration,
  message,
  nested,
  only,
  optional,
  repeated,
  string,
  uint32,
  uint32Value,
} from './schema.ts';
import { DownstreamTlsContext, RawBuffer } from './tls-schema.ts';

export const TlsInspector = message(
  'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
  { enable_ja3_fingerprinting: only(boolValue(1), false) },
  '2:initial_read_buffer_size',
);

export const HttpInspector = message('envoy.extensions.filters.listener.http_inspector.v3.HttpInspector', {});

export const ProxyProtocol = message(
  'envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
  { allow_requests_without_proxy_protocol: bool(2), disallowed_versions: repeated(enumeration(4, 'V1=0 V2=1')) },
  '1:rules 3:pass_through_tlvs 5:stat_prefix',
);

export const TcpProxyWeightedClusterClusterWeight = message(
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight',
  { name: string(1), weight: uint32(2), metadata_match: nested(3, Metadata) },
);

export const TcpProxyWeightedCluster = message(
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster',
  { clusters: repeated(nested(1, TcpProxyWeightedClusterClusterWeight)) },
);

export const TcpProxyTunnelingConfig = message(
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.TunnelingConfig',
  { hostname: string(1), use_post: bool(2), post_path: string(5) },
  '3:headers_to_add 4:propagate_response_headers 6:propagate_response_trailers',
);

export const TcpHashPolicySourceIp = message('envoy.type.v3.HashPolicy.SourceIp', {});

export const TcpHashPolicy = message(
  'envoy.type.v3.HashPolicy',
  { source_ip: nested(1, TcpHashPolicySourceIp) },
  '2:filter_state',
);

export const TcpProxy = message(
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  {
    stat_prefix: string(1),
    cluster: optional(string(2)),
    access_log: repeated(nested(5, AccessLog)),
    max_connect_attempts: uint32Value(7),
    idle_timeout: duration(8),
    metadata_match: nested(9, Metadata),
    weighted_clusters: nested(10, TcpProxyWeightedCluster),
    hash_policy: repeated(nested(11, TcpHashPolicy)),
    tunneling_config: nested(12, TcpProxyTunnelingConfig),
    max_downstream_connection_duration: duration(13),
  },
  '3:downstream_idle_timeout 4:upstream_idle_timeout 14:on_demand 15:access_log_flush_interval 16:flush_access_log_on_connected 17:access_log_options',
  [['cluster', 'weighted_clusters']],
);

export const DownstreamTransportSocket = message('envoy.config.core.v3.TransportSocket', {
  name: string(1),
  typed_config: any(3, [DownstreamTlsContext, RawBuffer]),
});

export const Filter = message(
  'envoy.config.listener.v3.Filter',
  { name: string(1), typed_config: any(4, [HttpConnectionManager, TcpProxy]) },
  '5:config_discovery',
);

export const FilterChainMatch = message(
  'envoy.config.listener.v3.FilterChainMatch',
  {
    destination_port: uint32Value(8),
    transport_protocol: string(9),
    application_protocols: repeated(string(10)),
    server_names: repeated(string(11)),
  },
  '3:prefix_ranges 4:address_suffix 5:suffix_len 6:source_prefix_ranges 7:source_ports 12:source_type 13:direct_source_prefix_ranges',
);

export const FilterChain = message(
  'envoy.config.listener.v3.FilterChain',
  {
    filter_chain_match: nested(1, FilterChainMatch),
    filters: repeated(nested(3, Filter)),
    metadata: nested(5, Metadata),
    transport_socket: nested(6, DownstreamTransportSocket),
    name: string(7),
  },
  '4:use_proxy_proto 8:on_demand_configuration 9:transport_socket_connect_timeout',
);

export const TokenBucket = message('envoy.type.v3.TokenBucket', {
  max_tokens: uint32(1),
  tokens_per_fill: uint32Value(2),
  fill_interval: duration(3),
});

export const RuntimeFeatureFlag = message('envoy.config.core.v3.RuntimeFeatureFlag', {
  default_value: boolValue(1),
  runtime_key: string(2),
});

export const LocalRateLimit = message('envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit', {
  stat_prefix: string(1),
  token_bucket: nested(2, TokenBucket),
  runtime_enabled: nested(3, RuntimeFeatureFlag),
});

export const ListenerFilter = message(
  'envoy.config.listener.v3.ListenerFilter',
  { name: string(1), typed_config: any(3, [TlsInspector, HttpInspector, ProxyProtocol, LocalRateLimit]) },
  '4:filter_disabled 5:config_discovery',
);

export const Listener = message(
  'envoy.config.listener.v3.Listener',
  {
    name: string(1),
    address: nested(2, Address),
    filter_chains: repeated(nested(3, FilterChain)),
    use_original_dst: only(boolValue(4), false),
    per_connection_buffer_limit_bytes: uint32Value(5),
    metadata: nested(6, Metadata),
    drain_type: enumeration(8, 'DEFAULT=0 MODIFY_ONLY=1'),
    listener_filters: repeated(nested(9, ListenerFilter)),
    transparent: only(boolValue(10), false),
    freebind: only(boolValue(11), false),
    listener_filters_timeout: duration(15),
    traffic_direction: enumeration(16, 'UNSPECIFIED=0 INBOUND=1 OUTBOUND=2'),
    continue_on_listener_filters_timeout: bool(17),
    tcp_backlog_size: uint32Value(24),
    default_filter_chain: nested(25, FilterChain),
    bind_to_port: only(boolValue(26), true),
    enable_reuse_port: boolValue(29),
  },
  '7:deprecated_v1 12:tcp_fast_open_queue_length 13:socket_options 18:udp_listener_config 19:api_listener 20:connection_balance_config 21:reuse_port 22:access_log 27:internal_listener 28:stat_prefix 30:enable_mptcp 31:ignore_global_conn_limit 32:filter_chain_matcher 33:additional_addresses 34:max_connections_to_accept_per_socket_event 35:bypass_overload_manager',
);
