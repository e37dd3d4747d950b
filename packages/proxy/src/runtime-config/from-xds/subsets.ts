import { type SubsetBalancing, SubsetCriteria, type SubsetSelector, selectorName } from '../subsets.ts';
import type { Metadata } from '../wire/core-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import type { ClusterLbSubsetConfig } from '../wire/subset-schema.ts';

const fallbacks = { NO_FALLBACK: 'none', ANY_ENDPOINT: 'any', DEFAULT_SUBSET: 'default' } as const;
const selectorFallbacks = { NOT_DEFINED: undefined, KEYS_SUBSET: 'keys', ...fallbacks } as const;

/** `envoy.config.cluster.v3.Cluster.LbSubsetConfig`; undefined without selectors, as it does nothing then. */
export function subsetsFromXds(
  config: Decoded<typeof ClusterLbSubsetConfig>,
  byLocalityWeight: boolean,
  problems: Problems,
): SubsetBalancing | undefined {
  if (config.locality_weight_aware && !byLocalityWeight) {
    problems.add('common_lb_config.locality_weighted_lb_config is required with it', 'locality_weight_aware');
  }
  const selectors = problems.each('subset_selectors', config.subset_selectors, (selector): SubsetSelector => {
    const { keys, fallback_keys_subset: fallbackKeys, single_host_per_subset: singleHost } = selector;
    const fallback = selectorFallbacks[selector.fallback_policy];
    if (keys.length === 0) {
      problems.add('required', 'keys');
    }
    if (singleHost && keys.length > 1) {
      problems.add('a selector with it has one key', 'single_host_per_subset');
    }
    if ((fallback === 'keys') !== fallbackKeys.length > 0) {
      problems.add('goes together with the fallback policy KEYS_SUBSET', 'fallback_keys_subset');
    }
    const isProper =
      fallbackKeys.every((key) => keys.includes(key)) && selectorName(fallbackKeys) !== selectorName(keys);
    if (fallback === 'keys' && !isProper) {
      problems.add('has some of the keys of its selector, but not all', 'fallback_keys_subset');
    }
    return { keys: [...new Set(keys)], fallback, fallbackKeys, singleHost };
  });
  return selectors.length === 0
    ? undefined
    : {
        selectors,
        fallback: fallbacks[config.fallback_policy],
        defaultSubset: config.default_subset ?? {},
        panicAny: config.panic_mode_any,
        listAsAny: config.list_as_any,
        localityWeightAware: config.locality_weight_aware,
        scaleLocalityWeight: config.scale_locality_weight,
      };
}

/** The subset that a route asks for; what its weighted cluster says goes before. Only `envoy.lb` counts, as in Envoy. */
export function subsetCriteriaFromXds(
  ofRoute: Decoded<typeof Metadata> | undefined,
  ofCluster?: Decoded<typeof Metadata>,
): SubsetCriteria | undefined {
  const wanted = { ...ofRoute?.filter_metadata.get('envoy.lb'), ...ofCluster?.filter_metadata.get('envoy.lb') };
  return Object.keys(wanted).length === 0 ? undefined : new SubsetCriteria(wanted);
}
