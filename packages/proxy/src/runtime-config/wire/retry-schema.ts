/** How requests are repeated. */

import { HeaderMatcher } from './matcher-schema.ts';
import {
  any,
  bool,
  duration,
  enumeration,
  int64,
  message,
  nested,
  only,
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

export const RetryPolicyResetHeader = message('envoy.config.route.v3.RetryPolicy.ResetHeader', {
  name: string(1),
  format: enumeration(2, 'SECONDS=0 UNIX_TIMESTAMP=1'),
});

export const RetryPolicyRateLimitedRetryBackOff = message('envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff', {
  reset_headers: repeated(nested(1, RetryPolicyResetHeader)),
  max_interval: duration(2),
});

export const RetryPolicyRetryHostPredicate = message('envoy.config.route.v3.RetryPolicy.RetryHostPredicate', {
  name: string(1),
  typed_config: any(3, [PreviousHostsPredicate]),
});

export const PreviousPrioritiesConfig = message(
  'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
  { update_frequency: int64(1) },
);

export const RetryPolicyRetryPriority = message('envoy.config.route.v3.RetryPolicy.RetryPriority', {
  name: string(1),
  typed_config: any(3, [PreviousPrioritiesConfig]),
});

export const RetryPolicy = message(
  'envoy.config.route.v3.RetryPolicy',
  {
    retry_on: string(1),
    num_retries: uint32Value(2),
    per_try_timeout: duration(3),
    retry_priority: nested(4, RetryPolicyRetryPriority),
    retry_host_predicate: repeated(nested(5, RetryPolicyRetryHostPredicate)),
    host_selection_retry_max_attempts: int64(6),
    retriable_status_codes: repeated(uint32(7)),
    retry_back_off: nested(8, RetryPolicyRetryBackOff),
    retriable_headers: repeated(nested(9, HeaderMatcher)),
    retriable_request_headers: repeated(nested(10, HeaderMatcher)),
    rate_limited_retry_back_off: nested(11, RetryPolicyRateLimitedRetryBackOff),
    per_try_idle_timeout: duration(13),
  },
  '12:retry_options_predicates',
);

export const HedgePolicy = message(
  'envoy.config.route.v3.HedgePolicy',
  { initial_requests: only(uint32Value(1), 1), hedge_on_per_try_timeout: bool(3) },
  '2:additional_request_chance',
);
