/** HTTP filters that routes may configure too, and how routes do that. */

import { FractionalPercent, HeaderValueOption, Percent, RuntimeFractionalPercent } from './core-schema.ts';
import { HeaderMatcher, StringMatcher } from './matcher-schema.ts';
import {
  any,
  bool,
  boolValue,
  duration,
  map,
  message,
  nested,
  optional,
  repeated,
  string,
  uint32,
  uint32Value,
  uint64,
} from './schema.ts';
import { StatefulSessionPerRoute } from './stateful-session-schema.ts';

export const FaultDelayHeaderDelay = message('envoy.extensions.filters.common.fault.v3.FaultDelay.HeaderDelay', {});

export const FaultDelay = message(
  'envoy.extensions.filters.common.fault.v3.FaultDelay',
  {
    fixed_delay: duration(3),
    percentage: nested(4, FractionalPercent),
    header_delay: nested(5, FaultDelayHeaderDelay),
  },
  '',
  [['fixed_delay', 'header_delay']],
);

export const FaultRateLimitFixedLimit = message('envoy.extensions.filters.common.fault.v3.FaultRateLimit.FixedLimit', {
  limit_kbps: uint64(1),
});

export const FaultRateLimitHeaderLimit = message(
  'envoy.extensions.filters.common.fault.v3.FaultRateLimit.HeaderLimit',
  {},
);

export const FaultRateLimit = message(
  'envoy.extensions.filters.common.fault.v3.FaultRateLimit',
  {
    fixed_limit: nested(1, FaultRateLimitFixedLimit),
    percentage: nested(2, FractionalPercent),
    header_limit: nested(3, FaultRateLimitHeaderLimit),
  },
  '',
  [['fixed_limit', 'header_limit']],
);

export const FaultAbortHeaderAbort = message('envoy.extensions.filters.http.fault.v3.FaultAbort.HeaderAbort', {});

export const FaultAbort = message(
  'envoy.extensions.filters.http.fault.v3.FaultAbort',
  {
    http_status: optional(uint32(2)),
    percentage: nested(3, FractionalPercent),
    header_abort: nested(4, FaultAbortHeaderAbort),
    grpc_status: optional(uint32(5)),
  },
  '',
  [['http_status', 'header_abort', 'grpc_status']],
);

/** There is no runtime that could override anything: its keys name what is never there. */
export const HttpFault = message(
  'envoy.extensions.filters.http.fault.v3.HTTPFault',
  {
    delay: nested(1, FaultDelay),
    abort: nested(2, FaultAbort),
    upstream_cluster: string(3),
    headers: repeated(nested(4, HeaderMatcher)),
    downstream_nodes: repeated(string(5)),
    max_active_faults: uint32Value(6),
    response_rate_limit: nested(7, FaultRateLimit),
    delay_percent_runtime: string(8),
    abort_percent_runtime: string(9),
    delay_duration_runtime: string(10),
    abort_http_status_runtime: string(11),
    max_active_faults_runtime: string(12),
    response_rate_limit_percent_runtime: string(13),
    abort_grpc_status_runtime: string(14),
    disable_downstream_cluster_stats: bool(15),
  },
  '16:filter_metadata',
);

export const HealthCheckFilter = message('envoy.extensions.filters.http.health_check.v3.HealthCheck', {
  pass_through_mode: boolValue(1),
  cache_time: duration(3),
  cluster_min_healthy_percentages: map(nested(4, Percent)),
  headers: repeated(nested(5, HeaderMatcher)),
});

export const Cors = message('envoy.extensions.filters.http.cors.v3.Cors', {});

export const CorsPolicy = message('envoy.extensions.filters.http.cors.v3.CorsPolicy', {
  allow_origin_string_match: repeated(nested(1, StringMatcher)),
  allow_methods: string(2),
  allow_headers: string(3),
  expose_headers: string(4),
  max_age: string(5),
  allow_credentials: boolValue(6),
  filter_enabled: nested(7, RuntimeFractionalPercent),
  shadow_enabled: nested(8, RuntimeFractionalPercent),
  allow_private_network_access: boolValue(9),
  forward_not_matching_preflights: boolValue(10),
});

export const HeaderMutation = message(
  'envoy.config.common.mutation_rules.v3.HeaderMutation',
  { remove: optional(string(1)), append: nested(2, HeaderValueOption) },
  '',
  [['remove', 'append']],
);

export const HeaderMutations = message('envoy.extensions.filters.http.header_mutation.v3.Mutations', {
  request_mutations: repeated(nested(1, HeaderMutation)),
  response_mutations: repeated(nested(2, HeaderMutation)),
});

export const HeaderMutationPerRoute = message(
  'envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute',
  { mutations: nested(1, HeaderMutations) },
);

export const HeaderMutationFilter = message('envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
  mutations: nested(1, HeaderMutations),
  most_specific_header_mutations_wins: bool(2),
});

/** Turns a filter on or off for a route, with a configuration or without. */
export const RouteFilterConfig = message('envoy.config.route.v3.FilterConfig', {
  config: any(1, [HttpFault, CorsPolicy, HeaderMutationPerRoute, StatefulSessionPerRoute]),
  is_optional: bool(2),
  disabled: bool(3),
});

/** What may stand in `typed_per_filter_config`. */
export const routeFilterTypes = [
  HttpFault,
  CorsPolicy,
  HeaderMutationPerRoute,
  StatefulSessionPerRoute,
  RouteFilterConfig,
] as const;
