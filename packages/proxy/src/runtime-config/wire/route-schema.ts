/** Route configurations, virtual hosts and routes. */

import { ConfigSource, DataSource, HeaderValueOption, Metadata, RuntimeFractionalPercent } from './core-schema.ts';
import { HeaderMatcher, QueryParameterMatcher, RegexMatchAndSubstitute, RegexMatcher } from './matcher-schema.ts';
import {
  any,
  bool,
  boolValue,
  duration,
  enumeration,
  int64,
  message,
  nested,
  only,
  optional,
  repeated,
  string,
  uint32,
  uint32Value,
} from './schema.ts';

export const PreviousHostsPredicate = message(
  'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
  {},
);

export const RetryPolicyRetryBackOff = message('envoy.config.route.v3.RetryPolicy.RetryBackOff', {
  base_interval: duration(1),
  max_interval: duration(2),
});

export const RetryPolicyRetryHostPredicate = message('envoy.config.route.v3.RetryPolicy.RetryHostPredicate', {
  name: string(1),
  typed_config: any(3, [PreviousHostsPredicate]),
});

export const RetryPolicy = message(
  'envoy.config.route.v3.RetryPolicy',
  {
    retry_on: string(1),
    num_retries: uint32Value(2),
    per_try_timeout: duration(3),
    retry_host_predicate: repeated(nested(5, RetryPolicyRetryHostPredicate)),
    host_selection_retry_max_attempts: int64(6),
    retriable_status_codes: repeated(uint32(7)),
    retry_back_off: nested(8, RetryPolicyRetryBackOff),
    retriable_headers: repeated(nested(9, HeaderMatcher)),
    per_try_idle_timeout: duration(13),
  },
  '4:retry_priority 10:retriable_request_headers 11:rate_limited_retry_back_off 12:retry_options_predicates',
);

export const WeightedClusterClusterWeight = message(
  'envoy.config.route.v3.WeightedCluster.ClusterWeight',
  {
    name: string(1),
    weight: uint32Value(2),
    request_headers_to_add: repeated(nested(4, HeaderValueOption)),
    response_headers_to_add: repeated(nested(5, HeaderValueOption)),
    response_headers_to_remove: repeated(string(6)),
    request_headers_to_remove: repeated(string(9)),
  },
  '3:metadata_match 10:typed_per_filter_config 11:host_rewrite_literal 12:cluster_header',
);

export const WeightedCluster = message(
  'envoy.config.route.v3.WeightedCluster',
  { clusters: repeated(nested(1, WeightedClusterClusterWeight)), total_weight: uint32Value(3) },
  '2:runtime_key_prefix 4:header_name',
);

export const RouteMatchGrpcRouteMatchOptions = message('envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions', {});

export const RouteMatch = message(
  'envoy.config.route.v3.RouteMatch',
  {
    prefix: optional(string(1)),
    path: optional(string(2)),
    case_sensitive: boolValue(4),
    headers: repeated(nested(6, HeaderMatcher)),
    query_parameters: repeated(nested(7, QueryParameterMatcher)),
    grpc: nested(8, RouteMatchGrpcRouteMatchOptions),
    runtime_fraction: nested(9, RuntimeFractionalPercent),
    safe_regex: nested(10, RegexMatcher),
    path_separated_prefix: optional(string(14)),
  },
  '11:tls_context 12:connect_matcher 13:dynamic_metadata 15:path_match_policy',
  [['prefix', 'path', 'safe_regex', 'path_separated_prefix']],
);

export const RouteActionMaxStreamDuration = message('envoy.config.route.v3.RouteAction.MaxStreamDuration', {
  max_stream_duration: duration(1),
  grpc_timeout_header_max: duration(2),
  grpc_timeout_header_offset: duration(3),
});

export const RouteAction = message(
  'envoy.config.route.v3.RouteAction',
  {
    cluster: optional(string(1)),
    weighted_clusters: nested(3, WeightedCluster),
    prefix_rewrite: string(5),
    host_rewrite_literal: optional(string(6)),
    auto_host_rewrite: boolValue(7),
    timeout: duration(8),
    retry_policy: nested(9, RetryPolicy),
    priority: enumeration(11, 'DEFAULT=0 HIGH=1'),
    cluster_not_found_response_code: enumeration(20, 'SERVICE_UNAVAILABLE=0 NOT_FOUND=1 INTERNAL_SERVER_ERROR=2'),
    idle_timeout: duration(24),
    host_rewrite_header: optional(string(29)),
    regex_rewrite: nested(32, RegexMatchAndSubstitute),
    max_stream_duration: nested(36, RouteActionMaxStreamDuration),
    append_x_forwarded_host: bool(38),
  },
  '2:cluster_header 4:metadata_match 13:rate_limits 14:include_vh_rate_limits 15:hash_policy 17:cors 23:max_grpc_timeout 25:upgrade_configs 26:internal_redirect_action 27:hedge_policy 28:grpc_timeout_offset 30:request_mirror_policies 31:max_internal_redirects 33:retry_policy_typed_config 34:internal_redirect_policy 35:host_rewrite_path_regex 37:cluster_specifier_plugin 39:inline_cluster_specifier_plugin 40:early_data_policy 41:path_rewrite_policy',
  [
    ['cluster', 'weighted_clusters'],
    ['host_rewrite_literal', 'auto_host_rewrite', 'host_rewrite_header'],
  ],
);

export const RedirectAction = message(
  'envoy.config.route.v3.RedirectAction',
  {
    host_redirect: string(1),
    path_redirect: optional(string(2)),
    response_code: enumeration(3, 'MOVED_PERMANENTLY=0 FOUND=1 SEE_OTHER=2 TEMPORARY_REDIRECT=3 PERMANENT_REDIRECT=4'),
    https_redirect: optional(bool(4)),
    prefix_rewrite: optional(string(5)),
    strip_query: bool(6),
    scheme_redirect: optional(string(7)),
    port_redirect: uint32(8),
    regex_rewrite: nested(9, RegexMatchAndSubstitute),
  },
  '',
  [
    ['path_redirect', 'prefix_rewrite', 'regex_rewrite'],
    ['https_redirect', 'scheme_redirect'],
  ],
);

export const DirectResponseAction = message('envoy.config.route.v3.DirectResponseAction', {
  status: uint32(1),
  body: nested(2, DataSource),
});

export const Decorator = message('envoy.config.route.v3.Decorator', { operation: string(1), propagate: boolValue(2) });

export const Route = message(
  'envoy.config.route.v3.Route',
  {
    match: nested(1, RouteMatch),
    route: nested(2, RouteAction),
    redirect: nested(3, RedirectAction),
    metadata: nested(4, Metadata),
    decorator: nested(5, Decorator),
    direct_response: nested(7, DirectResponseAction),
    request_headers_to_add: repeated(nested(9, HeaderValueOption)),
    response_headers_to_add: repeated(nested(10, HeaderValueOption)),
    response_headers_to_remove: repeated(string(11)),
    request_headers_to_remove: repeated(string(12)),
    name: string(14),
  },
  '13:typed_per_filter_config 15:tracing 16:per_request_buffer_limit_bytes 17:filter_action 18:non_forwarding_action 19:stat_prefix',
  [['route', 'redirect', 'direct_response']],
);

export const VirtualHost = message(
  'envoy.config.route.v3.VirtualHost',
  {
    name: string(1),
    domains: repeated(string(2)),
    routes: repeated(nested(3, Route)),
    require_tls: enumeration(4, 'NONE=0 EXTERNAL_ONLY=1 ALL=2'),
    request_headers_to_add: repeated(nested(7, HeaderValueOption)),
    response_headers_to_add: repeated(nested(10, HeaderValueOption)),
    response_headers_to_remove: repeated(string(11)),
    request_headers_to_remove: repeated(string(13)),
    include_request_attempt_count: bool(14),
    retry_policy: nested(16, RetryPolicy),
    include_attempt_count_in_response: bool(19),
    metadata: nested(24, Metadata),
  },
  '5:virtual_clusters 6:rate_limits 8:cors 15:typed_per_filter_config 17:hedge_policy 18:per_request_buffer_limit_bytes 20:retry_policy_typed_config 21:matcher 22:request_mirror_policies 23:include_is_timeout_retry_header',
);

export const Vhds = message('envoy.config.route.v3.Vhds', { config_source: nested(1, ConfigSource) });

export const RouteConfiguration = message(
  'envoy.config.route.v3.RouteConfiguration',
  {
    name: string(1),
    virtual_hosts: repeated(nested(2, VirtualHost)),
    response_headers_to_add: repeated(nested(4, HeaderValueOption)),
    response_headers_to_remove: repeated(string(5)),
    request_headers_to_add: repeated(nested(6, HeaderValueOption)),
    validate_clusters: only(boolValue(7), false),
    request_headers_to_remove: repeated(string(8)),
    vhds: nested(9, Vhds),
    most_specific_header_mutations_wins: only(bool(10), false),
    max_direct_response_body_size_bytes: uint32Value(11),
    ignore_port_in_host_matching: bool(14),
    metadata: nested(17, Metadata),
  },
  '3:internal_only_headers 12:cluster_specifier_plugins 13:request_mirror_policies 15:ignore_path_parameters_in_path_matching 16:typed_per_filter_config',
);
