import type { ConnectionRateLimit } from '../config.ts';
import type { LocalRateLimit } from '../wire/listener-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

/** Envoy's, of all its local rate limits. */
const MIN_FILL_INTERVAL_MS = 50;

/** The listener filter `envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit`; undefined where it is switched off. */
export function connectionRateFromXds(
  filter: Decoded<typeof LocalRateLimit>,
  problems: Problems,
): ConnectionRateLimit | undefined {
  const { token_bucket: bucket, runtime_enabled: enabled } = filter;
  if (filter.stat_prefix === '') {
    problems.add('required', 'stat_prefix');
  }
  if (enabled !== undefined && enabled.default_value === undefined) {
    problems.add('required', 'runtime_enabled.default_value');
  }
  if (bucket === undefined) {
    problems.add('required', 'token_bucket');
    return undefined;
  }
  return problems.within('token_bucket', () => {
    const { max_tokens: maxTokens, tokens_per_fill: tokensPerFill = 1, fill_interval: fillIntervalMs = 0 } = bucket;
    if (maxTokens === 0) {
      problems.add('must be above 0', 'max_tokens');
    }
    if (tokensPerFill === 0) {
      problems.add('must be above 0', 'tokens_per_fill');
    }
    if (fillIntervalMs < MIN_FILL_INTERVAL_MS) {
      problems.add(`must be at least ${MIN_FILL_INTERVAL_MS} ms`, 'fill_interval');
    }
    return enabled?.default_value === false ? undefined : { maxTokens, tokensPerFill, fillIntervalMs };
  });
}
