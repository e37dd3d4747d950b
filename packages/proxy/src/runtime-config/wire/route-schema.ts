/** Route configurations, virtual hosts and routes. */

import { ConfigSource, DataSource, HeaderValueOption, Metadata, RuntimeFractionalPercent } from './core-schema.ts';
import { RouteActionHashPolicy } from './hash-policy-schema.ts';
import { routeFilterTypes } from './http-filter-schema.ts';
import { HeaderMatcher, QueryParameterMatcher, RegexMatchAndSubstitute, RegexMatcher } from './matcher-schema.ts';
import { HedgePolicy, RetryPolicy } from './retry-schema.ts';
import {
  any,
  bool,
  boolValue,
  duration,
  enumeration,
  map,
  message,
  nested,
  only,
  optional,
  rawNested,
  repeated,
  string,
  uint32,
  uint32Value,
} from './schema.ts';

export const WeightedClusterClusterWeight = message('envoy.config.route.v3.WeightedCluster.ClusterWeight', {
  name: string(1),
  weight: uint32Value(2),
  metadata_match: nested(3, Metadata),
  request_headers_to_add: repeated(nested(4, HeaderValueOption)),
  response_headers_to_add: repeated(nested(5, HeaderValueOption)),
  response_headers_to_remove: repeated(string(6)),
  request_headers_to_remove: repeated(string(9)),
  typed_per_filter_config: map(any(10, routeFilterTypes)),
  host_rewrite_literal: optional(string(11)),
  cluster_header: string(12),
});

export const WeightedCluster = message('envoy.config.route.v3.WeightedCluster', {
  clusters: repeated(nested(1, WeightedClusterClusterWeight)),
  /** Of a runtime that is not there: the weights always hold. */
  runtime_key_prefix: string(2),
  total_weight: uint32Value(3),
  header_name: optional(string(4)),
});

export const RouteMatchGrpcRouteMatchOptions = message('envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions', {});

export const RouteMatchTlsContextMatchOptions = message('envoy.config.route.v3.RouteMatch.TlsContextMatchOptions', {
  presented: boolValue(1),
  validated: boolValue(2),
});

export const RouteMatchConnectMatcher = message('envoy.config.route.v3.RouteMatch.ConnectMatcher', {});

export const UriTemplateMatchConfig = message('envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig', {
  path_template: string(1),
});

export const UriTemplateRewriteConfig = message(
  'envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig',
  { path_template_rewrite: string(1) },
);

export const PathMatchPolicy = message('envoy.config.core.v3.TypedExtensionConfig', {
  name: string(1),
  typed_config: any(2, [UriTemplateMatchConfig]),
});

export const PathRewritePolicy = message('envoy.config.core.v3.TypedExtensionConfig', {
  name: string(1),
  typed_config: any(2, [UriTemplateRewriteConfig]),
});

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
    tls_context: nested(11, RouteMatchTlsContextMatchOptions),
    connect_matcher: nested(12, RouteMatchConnectMatcher),
    path_separated_prefix: optional(string(14)),
    path_match_policy: nested(15, PathMatchPolicy),
  },
  '13:dynamic_metadata',
  [['prefix', 'path', 'safe_regex', 'connect_matcher', 'path_separated_prefix', 'path_match_policy']],
);

export const RouteActionMaxStreamDuration = message('envoy.config.route.v3.RouteAction.MaxStreamDuration', {
  max_stream_duration: duration(1),
  grpc_timeout_header_max: duration(2),
  grpc_timeout_header_offset: duration(3),
});

export const RequestMirrorPolicy = message(
  'envoy.config.route.v3.RouteAction.RequestMirrorPolicy',
  {
    cluster: string(1),
    runtime_fraction: nested(3, RuntimeFractionalPercent),
    /** There are no traces whose sampling it could change. */
    trace_sampled: boolValue(4),
    cluster_header: string(5),
    disable_shadow_host_suffix_append: bool(6),
  },
  '',
);

export const VirtualCluster = message('envoy.config.route.v3.VirtualCluster', {
  name: string(2),
  headers: repeated(nested(4, HeaderMatcher)),
});

export const RouteAction = message(
  'envoy.config.route.v3.RouteAction',
  {
    cluster: optional(string(1)),
    cluster_header: optional(string(2)),
    weighted_clusters: nested(3, WeightedCluster),
    metadata_match: nested(4, Metadata),
    prefix_rewrite: string(5),
    host_rewrite_literal: optional(string(6)),
    auto_host_rewrite: boolValue(7),
    timeout: duration(8),
    retry_policy: nested(9, RetryPolicy),
    priority: enumeration(11, 'DEFAULT=0 HIGH=1'),
    hash_policy: repeated(nested(15, RouteActionHashPolicy)),
    cluster_not_found_response_code: enumeration(20, 'SERVICE_UNAVAILABLE=0 NOT_FOUND=1 INTERNAL_SERVER_ERROR=2'),
    max_grpc_timeout: duration(23),
    idle_timeout: duration(24),
    hedge_policy: nested(27, HedgePolicy),
    grpc_timeout_offset: duration(28),
    host_rewrite_header: optional(string(29)),
    request_mirror_policies: repeated(nested(30, RequestMirrorPolicy)),
    regex_rewrite: nested(32, RegexMatchAndSubstitute),
    host_rewrite_path_regex: nested(35, RegexMatchAndSubstitute),
    max_stream_duration: nested(36, RouteActionMaxStreamDuration),
    append_x_forwarded_host: bool(38),
    path_rewrite_policy: nested(41, PathRewritePolicy),
  },
  '13:rate_limits 14:include_vh_rate_limits 17:cors 25:upgrade_configs 26:internal_redirect_action 31:max_internal_redirects 33:retry_policy_typed_config 34:internal_redirect_policy 37:cluster_specifier_plugin 39:inline_cluster_specifier_plugin 40:early_data_policy',
  [
    ['cluster', 'cluster_header', 'weighted_clusters'],
    ['host_rewrite_literal', 'auto_host_rewrite', 'host_rewrite_header', 'host_rewrite_path_regex'],
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
    typed_per_filter_config: map(any(13, routeFilterTypes)),
    name: string(14),
    per_request_buffer_limit_bytes: uint32Value(16),
    stat_prefix: string(19),
  },
  '15:tracing 17:filter_action 18:non_forwarding_action',
  [['route', 'redirect', 'direct_response']],
);

export const VirtualHost = message(
  'envoy.config.route.v3.VirtualHost',
  {
    name: string(1),
    domains: repeated(string(2)),
    routes: repeated(nested(3, Route)),
    require_tls: enumeration(4, 'NONE=0 EXTERNAL_ONLY=1 ALL=2'),
    virtual_clusters: repeated(nested(5, VirtualCluster)),
    request_headers_to_add: repeated(nested(7, HeaderValueOption)),
    response_headers_to_add: repeated(nested(10, HeaderValueOption)),
    response_headers_to_remove: repeated(string(11)),
    request_headers_to_remove: repeated(string(13)),
    include_request_attempt_count: bool(14),
    typed_per_filter_config: map(any(15, routeFilterTypes)),
    retry_policy: nested(16, RetryPolicy),
    hedge_policy: nested(17, HedgePolicy),
    per_request_buffer_limit_bytes: uint32Value(18),
    include_attempt_count_in_response: bool(19),
    request_mirror_policies: repeated(nested(22, RequestMirrorPolicy)),
    include_is_timeout_retry_header: bool(23),
    metadata: nested(24, Metadata),
  },
  '6:rate_limits 8:cors 20:retry_policy_typed_config 21:matcher',
);

export const Vhds = message('envoy.config.route.v3.Vhds', { config_source: nested(1, ConfigSource) });

export const RouteConfiguration = message(
  'envoy.config.route.v3.RouteConfiguration',
  {
    name: string(1),
    virtual_hosts: repeated(rawNested(2, VirtualHost)),
    internal_only_headers: repeated(string(3)),
    response_headers_to_add: repeated(nested(4, HeaderValueOption)),
    response_headers_to_remove: repeated(string(5)),
    request_headers_to_add: repeated(nested(6, HeaderValueOption)),
    validate_clusters: only(boolValue(7), false),
    request_headers_to_remove: repeated(string(8)),
    vhds: nested(9, Vhds),
    most_specific_header_mutations_wins: bool(10),
    max_direct_response_body_size_bytes: uint32Value(11),
    request_mirror_policies: repeated(nested(13, RequestMirrorPolicy)),
    ignore_port_in_host_matching: bool(14),
    typed_per_filter_config: map(any(16, routeFilterTypes)),
    metadata: nested(17, Metadata),
  },
  '12:cluster_specifier_plugins 15:ignore_path_parameters_in_path_matching',
);
