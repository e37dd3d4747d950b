import type { HealthCheckFilterConfig } from '../config.ts';
import type { HealthCheckFilter } from '../wire/http-filter-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { present } from './present.ts';
import { headerMatchFromXds } from './string-match.ts';

/** `envoy.extensions.filters.http.health_check.v3.HealthCheck`, with the rules of Envoy on what goes together. */
export function healthCheckFilterFromXds(
  filter: Decoded<typeof HealthCheckFilter>,
  problems: Problems,
): HealthCheckFilterConfig {
  const {
    pass_through_mode: passThrough,
    cache_time: cacheTimeMs,
    cluster_min_healthy_percentages: percentages,
  } = filter;
  if (passThrough === undefined) {
    problems.add('required', 'pass_through_mode');
  }
  if (passThrough !== true && cacheTimeMs !== undefined) {
    problems.add('only where pass_through_mode is on', 'cache_time');
  }
  if (passThrough === true && percentages.size > 0) {
    problems.add('only where pass_through_mode is off', 'cluster_min_healthy_percentages');
  }
  for (const [name, { value }] of percentages) {
    if (!(value >= 0 && value <= 100)) {
      problems.add('must be from 0 to 100', `cluster_min_healthy_percentages.${name}`);
    }
  }
  return {
    passThrough: passThrough === true,
    cacheTimeMs: cacheTimeMs ?? 0,
    clusterMinHealthyPercentages: new Map([...percentages].map(([name, { value }]) => [name, value])),
    headers: present(problems.each('headers', filter.headers, (matcher) => headerMatchFromXds(matcher, problems))),
  };
}
