import type { RetryPolicy } from '../config.ts';
import type { Problems } from '../wire/problems.ts';
import type { RetryPolicy as RetryPolicySchema } from '../wire/route-schema.ts';
import type { Decoded } from '../wire/schema.ts';
import { present } from './present.ts';
import { headerMatchFromXds } from './string-match.ts';

/** Conditions of `retry_on` that the router knows; `x-envoy-retry-on`'s own names. */
const conditions = new Set([
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);

const DEFAULT_BACK_OFF_BASE_MS = 25;

/** `envoy.config.route.v3.RetryPolicy` with Envoy's defaults. */
export function retryPolicyFromXds(policy: Decoded<typeof RetryPolicySchema>, problems: Problems): RetryPolicy {
  const retryOn = new Set(
    policy.retry_on
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== ''),
  );
  for (const name of retryOn) {
    if (!conditions.has(name)) {
      problems.add(`the condition ${JSON.stringify(name)} is not supported`, 'retry_on');
    }
  }
  const baseMs = policy.retry_back_off?.base_interval ?? DEFAULT_BACK_OFF_BASE_MS;
  const maxMs = policy.retry_back_off?.max_interval ?? baseMs * 10;
  if (policy.retry_back_off !== undefined && baseMs < 1) {
    problems.add('must be at least 1 ms', 'retry_back_off.base_interval');
  }
  if (maxMs < baseMs) {
    problems.add('must not be below base_interval', 'retry_back_off.max_interval');
  }
  problems.each('retry_host_predicate', policy.retry_host_predicate, (predicate) => {
    if (predicate.typed_config === undefined) {
      problems.add('required', 'typed_config');
    }
  });
  const attempts = Number(policy.host_selection_retry_max_attempts);
  if (attempts < 0) {
    problems.add('must not be negative', 'host_selection_retry_max_attempts');
  }
  return {
    retryOn,
    numRetries: policy.num_retries ?? 1,
    perTryTimeoutMs: policy.per_try_timeout ?? 0,
    perTryIdleTimeoutMs: policy.per_try_idle_timeout ?? 0,
    backOffBaseMs: baseMs,
    backOffMaxMs: maxMs,
    retriableStatusCodes: new Set(policy.retriable_status_codes),
    retriableHeaders: present(
      problems.each('retriable_headers', policy.retriable_headers, (matcher) => headerMatchFromXds(matcher, problems)),
    ),
    avoidPreviousHosts: policy.retry_host_predicate.length > 0,
    hostSelectionRetryMaxAttempts: attempts === 0 ? 1 : attempts,
  };
}
