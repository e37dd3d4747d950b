/** The HTTP connection manager and its filters. */

import { AccessLog } from './access-log-schema.ts';
import { CidrRange, ConfigSource, Percent } from './core-schema.ts';
import { Cors, HeaderMutation, HeaderMutationFilter, HealthCheckFilter, HttpFault } from './http-filter-schema.ts';
import { RouteConfiguration } from './route-schema.ts';
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
import { StatefulSession } from './stateful-session-schema.ts';

export const Router = message(
  'envoy.extensions.filters.http.router.v3.Router',
  { dynamic_stats: only(boolValue(1), true), start_child_span: only(bool(2), false), suppress_envoy_headers: bool(4) },
  '3:upstream_log 5:strict_check_headers 6:respect_expected_rq_timeout 7:suppress_grpc_request_failure_code_stats 8:upstream_http_filters 9:upstream_log_options',
);

export const OnDemand = message('envoy.extensions.filters.http.on_demand.v3.OnDemand', {}, '1:odcds');

export const GrpcWeb = message('envoy.extensions.filters.http.grpc_web.v3.GrpcWeb', {});

export const UuidRequestIdConfig = message('envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig', {
  pack_trace_reason: boolValue(1),
  use_request_id_for_trace_sampling: boolValue(2),
});

export const HttpProtocolOptions = message('envoy.config.core.v3.HttpProtocolOptions', {
  idle_timeout: duration(1),
  max_headers_count: uint32Value(2),
  max_connection_duration: duration(3),
  headers_with_underscores_action: enumeration(5, 'ALLOW=0 REJECT_REQUEST=1 DROP_HEADER=2'),
  max_requests_per_connection: uint32Value(6),
  max_stream_duration: duration(4),
});

export const Http1ProtocolOptions = message(
  'envoy.config.core.v3.Http1ProtocolOptions',
  { allow_absolute_url: boolValue(1), accept_http_10: bool(2), enable_trailers: only(bool(5), true) },
  '3:default_host_for_http_10 4:header_key_format 6:allow_chunked_length 7:override_stream_error_on_invalid_http_message 8:send_fully_qualified_url 9:use_balsa_parser 10:allow_custom_methods',
);

export const KeepaliveSettings = message(
  'envoy.config.core.v3.KeepaliveSettings',
  { interval: duration(1), timeout: duration(2), interval_jitter: nested(3, Percent) },
  '4:connection_idle_interval',
);

/** Floods are bounded, see docs/http2.md; their limits cannot be changed. A malformed message always ends its stream alone. */
export const Http2ProtocolOptions = message(
  'envoy.config.core.v3.Http2ProtocolOptions',
  {
    hpack_table_size: uint32Value(1),
    max_concurrent_streams: uint32Value(2),
    initial_stream_window_size: uint32Value(3),
    initial_connection_window_size: uint32Value(4),
    allow_connect: bool(5),
    allow_metadata: only(bool(6), false),
    max_outbound_frames: only(uint32Value(7), 10_000),
    max_outbound_control_frames: only(uint32Value(8), 1000),
    max_consecutive_inbound_frames_with_empty_payload: only(uint32Value(9), 10),
    max_inbound_priority_frames_per_stream: only(uint32Value(10), 100),
    max_inbound_window_update_frames_per_data_frame_sent: only(uint32Value(11), 10),
    override_stream_error_on_invalid_http_message: only(boolValue(14), true),
    connection_keepalive: nested(15, KeepaliveSettings),
  },
  '12:stream_error_on_invalid_http_messaging 13:custom_settings_parameters 16:use_oghttp2_codec',
);

export const Rds = message('envoy.extensions.filters.network.http_connection_manager.v3.Rds', {
  config_source: nested(1, ConfigSource),
  route_config_name: string(2),
});

export const HttpFilter = message(
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter',
  {
    name: string(1),
    typed_config: any(4, [
      Router,
      OnDemand,
      GrpcWeb,
      Cors,
      HttpFault,
      HeaderMutationFilter,
      StatefulSession,
      HealthCheckFilter,
    ]),
    is_optional: only(bool(6), false),
    disabled: bool(7),
  },
  '5:config_discovery',
);

export const HttpConnectionManagerSetCurrentClientCertDetails = message(
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails',
  { subject: boolValue(1), cert: bool(3), dns: bool(4), uri: bool(5), chain: bool(6) },
);

export const HttpConnectionManagerUpgradeConfig = message(
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig',
  { upgrade_type: string(1), enabled: boolValue(3) },
  '2:filters',
);

export const RequestIDExtension = message(
  'envoy.extensions.filters.network.http_connection_manager.v3.RequestIDExtension',
  { typed_config: any(1, [UuidRequestIdConfig]) },
);

export const XffConfig = message('envoy.extensions.http.original_ip_detection.xff.v3.XffConfig', {
  xff_num_trusted_hops: uint32(1),
});

export const OriginalIpDetection = message('envoy.config.core.v3.TypedExtensionConfig', {
  name: string(1),
  typed_config: any(2, [XffConfig]),
});

export const EarlyHeaderMutation = message(
  'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
  { mutations: repeated(nested(1, HeaderMutation)) },
);

export const EarlyHeaderMutationExtension = message('envoy.config.core.v3.TypedExtensionConfig', {
  name: string(1),
  typed_config: any(2, [EarlyHeaderMutation]),
});

export const SchemeHeaderTransformation = message('envoy.config.core.v3.SchemeHeaderTransformation', {
  scheme_to_overwrite: optional(string(1)),
  match_upstream: only(bool(2), false),
});

export const InternalAddressConfig = message(
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig',
  { unix_sockets: bool(1), cidr_ranges: repeated(nested(2, CidrRange)) },
);

export const HttpConnectionManager = message(
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  {
    codec_type: enumeration(1, 'AUTO=0 HTTP1=1 HTTP2=2 HTTP3=3'),
    stat_prefix: string(2),
    rds: nested(3, Rds),
    route_config: nested(4, RouteConfiguration),
    http_filters: repeated(nested(5, HttpFilter)),
    add_user_agent: only(boolValue(6), false),
    http_protocol_options: nested(8, Http1ProtocolOptions),
    http2_protocol_options: nested(9, Http2ProtocolOptions),
    server_name: string(10),
    drain_timeout: duration(12),
    access_log: repeated(nested(13, AccessLog)),
    use_remote_address: boolValue(14),
    generate_request_id: boolValue(15),
    forward_client_cert_details: enumeration(
      16,
      'SANITIZE=0 FORWARD_ONLY=1 APPEND_FORWARD=2 SANITIZE_SET=3 ALWAYS_FORWARD_ONLY=4',
    ),
    set_current_client_cert_details: nested(17, HttpConnectionManagerSetCurrentClientCertDetails),
    xff_num_trusted_hops: uint32(19),
    skip_xff_append: bool(21),
    via: string(22),
    upgrade_configs: repeated(nested(23, HttpConnectionManagerUpgradeConfig)),
    stream_idle_timeout: duration(24),
    internal_address_config: nested(25, InternalAddressConfig),
    delayed_close_timeout: duration(26),
    request_timeout: duration(28),
    max_request_headers_kb: uint32Value(29),
    normalize_path: boolValue(30),
    preserve_external_request_id: bool(32),
    merge_slashes: bool(33),
    server_header_transformation: enumeration(34, 'OVERWRITE=0 APPEND_IF_ABSENT=1 PASS_THROUGH=2'),
    common_http_protocol_options: nested(35, HttpProtocolOptions),
    request_id_extension: nested(36, RequestIDExtension),
    always_set_request_id_in_response: bool(37),
    strip_matching_host_port: bool(39),
    stream_error_on_invalid_http_message: only(boolValue(40), false),
    request_headers_timeout: duration(41),
    strip_any_host_port: optional(bool(42)),
    path_with_escaped_slashes_action: enumeration(
      45,
      'IMPLEMENTATION_SPECIFIC_DEFAULT=0 KEEP_UNCHANGED=1 REJECT_REQUEST=2 UNESCAPE_AND_REDIRECT=3 UNESCAPE_AND_FORWARD=4',
    ),
    original_ip_detection_extensions: repeated(nested(46, OriginalIpDetection)),
    strip_trailing_host_dot: bool(47),
    scheme_header_transformation: nested(48, SchemeHeaderTransformation),
    append_x_forwarded_port: bool(51),
    early_header_mutation_extensions: repeated(nested(52, EarlyHeaderMutationExtension)),
  },
  '7:tracing 18:proxy_100_continue 20:represent_ipv4_remote_address_as_ipv4_mapped_ipv6 31:scoped_routes 38:local_reply_config 43:path_normalization_options 44:http3_protocol_options 49:proxy_status_config 50:typed_header_validation_config 53:add_proxy_protocol_connection_state 54:access_log_flush_interval 55:flush_access_log_on_new_request 56:access_log_options 57:append_local_overload',
  [['rds', 'route_config']],
);
