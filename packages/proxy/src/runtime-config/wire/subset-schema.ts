/** Subsets of clusters. */

import { bool, enumeration, message, nested, only, repeated, string, struct } from './schema.ts';

export const ClusterLbSubsetSelector = message('envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector', {
  keys: repeated(string(1)),
  fallback_policy: enumeration(2, 'NOT_DEFINED=0 NO_FALLBACK=1 ANY_ENDPOINT=2 DEFAULT_SUBSET=3 KEYS_SUBSET=4'),
  fallback_keys_subset: repeated(string(3)),
  single_host_per_subset: bool(4),
});

export const ClusterLbSubsetConfig = message('envoy.config.cluster.v3.Cluster.LbSubsetConfig', {
  fallback_policy: enumeration(1, 'NO_FALLBACK=0 ANY_ENDPOINT=1 DEFAULT_SUBSET=2'),
  default_subset: struct(2),
  subset_selectors: repeated(nested(3, ClusterLbSubsetSelector)),
  locality_weight_aware: bool(4),
  scale_locality_weight: bool(5),
  panic_mode_any: bool(6),
  list_as_any: bool(7),
  metadata_fallback_policy: only(enumeration(8, 'METADATA_NO_FALLBACK=0 FALLBACK_LIST=1'), 'METADATA_NO_FALLBACK'),
});
