import type { SubsetConfig } from '../load-balancing.ts';
import type { LbSubsetConfig } from '../wire/load-balancing-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

/** `lb_subset_config`. Without selectors it says nothing. */
export function subsetsFromXds(
  config: Decoded<typeof LbSubsetConfig> | undefined,
  problems: Problems,
): SubsetConfig | undefined {
  if (config !== undefined && (config.subset_selectors.length > 0 || config.fallback_policy !== 'NO_FALLBACK')) {
    problems.add('not supported by this proxy', 'lb_subset_config');
  }
  return undefined;
}
