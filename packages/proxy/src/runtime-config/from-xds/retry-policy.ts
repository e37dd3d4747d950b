import { type RateLimitedBackOff, type RetryPolicy, retryOnFrom } from '../retry-policy.ts';
import type { Problems } from '../wire/problems.ts';
import type { RetryPolicyRateLimitedRetryBackOff, RetryPolicy as RetryPolicySchema } from '../wire/retry-schema.ts';
import type { Decoded } from '../wire/schema.ts';
import { present } from './present.ts';
import { headerMatchFromXds } from './string-match.ts';

const DEFAULT_BACK_OFF_BASE_MS = 25;

/** `RateLimitedRetryBackOff.max_interval`, "Defaults to 300 seconds". */
const DEFAULT_RATE_LIMITED_MAX_MS = 300_000;

/** `envoy.config.route.v3.RetryPolicy` with Envoy's defaults. */
export function retryPolicyFromXds(policy: Decoded<typeof RetryPolicySchema>, problems: Problems): RetryPolicy {
  const retryOn = retryOnFrom(policy.retry_on, (name) => {
    problems.add(`the condition ${JSON.stringify(name)} is not supported`, 'retry_on');
  });
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
  const matches = (list: 'retriable_headers' | 'retriable_request_headers'): RetryPolicy['retriableHeaders'] =>
    present(problems.each(list, policy[list], (matcher) => headerMatchFromXds(matcher, problems)));
  const { rate_limited_retry_back_off: rateLimited } = policy;
  return {
    retryOn,
    numRetries: policy.num_retries ?? 1,
    perTryTimeoutMs: policy.per_try_timeout ?? 0,
    perTryIdleTimeoutMs: policy.per_try_idle_timeout ?? 0,
    backOffBaseMs: baseMs,
    backOffMaxMs: maxMs,
    rateLimitedBackOff:
      rateLimited === undefined
        ? undefined
        : problems.within('rate_limited_retry_back_off', () => rateLimitedFromXds(rateLimited, problems)),
    retriableStatusCodes: new Set(policy.retriable_status_codes),
    retriableHeaders: matches('retriable_headers'),
    retriableRequestHeaders: matches('retriable_request_headers'),
    ...previousPrioritiesFromXds(policy, problems),
    avoidPreviousHosts: policy.retry_host_predicate.length > 0,
    hostSelectionRetryMaxAttempts: attempts === 0 ? 1 : attempts,
  };
}

function previousPrioritiesFromXds(
  { retry_priority: priority }: Decoded<typeof RetryPolicySchema>,
  problems: Problems,
): Pick<RetryPolicy, 'previousPriorities'> {
  if (priority === undefined) {
    return {};
  }
  if (priority.typed_config === undefined) {
    problems.add('required', 'retry_priority.typed_config');
    return {};
  }
  const previousPriorities = Number(priority.typed_config.value.update_frequency);
  if (previousPriorities < 1) {
    problems.add('must be at least 1', 'retry_priority.typed_config.update_frequency');
  }
  return { previousPriorities };
}

function rateLimitedFromXds(
  backOff: Decoded<typeof RetryPolicyRateLimitedRetryBackOff>,
  problems: Problems,
): RateLimitedBackOff {
  if (backOff.reset_headers.length === 0) {
    problems.add('required', 'reset_headers');
  }
  if (backOff.max_interval !== undefined && backOff.max_interval <= 0) {
    problems.add('must be above 0', 'max_interval');
  }
  return {
    resetHeaders: problems.each('reset_headers', backOff.reset_headers, ({ name, format }) => {
      if (name === '') {
        problems.add('required', 'name');
      }
      return { name: name.toLowerCase(), format: format === 'SECONDS' ? 'seconds' : 'unix-timestamp' };
    }),
    maxMs: backOff.max_interval ?? DEFAULT_RATE_LIMITED_MAX_MS,
  };
}
