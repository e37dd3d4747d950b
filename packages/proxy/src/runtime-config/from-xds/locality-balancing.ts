import type { LocalityBalancing } from '../load-balancing.ts';
import type { ClusterZoneAwareLbConfig, ZoneAwareLbConfig } from '../wire/load-balancing-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

const DEFAULT_MIN_CLUSTER_SIZE = 6;
const DEFAULT_FORCE_LOCAL_MIN_SIZE = 1;

/** What holds when nothing is said: it takes effect only where the cluster of the proxy itself is known, as in Envoy. */
export const zoneAwareByDefault: LocalityBalancing = {
  kind: 'zone-aware',
  routingEnabledPercent: 100,
  minClusterSize: DEFAULT_MIN_CLUSTER_SIZE,
  failTrafficOnPanic: false,
  byWeight: false,
  forceLocalZoneMinSize: undefined,
};

/** What only extensions can say. */
type Extension = 'force_local_zone' | 'force_locality_direct_routing' | 'locality_basis';

interface LocalityFields {
  readonly zone_aware_lb_config:
    | Decoded<typeof ZoneAwareLbConfig>
    | (Decoded<typeof ClusterZoneAwareLbConfig> & { readonly [extended in Extension]?: undefined })
    | undefined;
  readonly locality_weighted_lb_config: object | undefined;
}

/** `CommonLbConfig.locality_config_specifier`, or `LocalityLbConfig` of a policy. */
export function localityFromXds(fields: LocalityFields | undefined, problems: Problems): LocalityBalancing {
  if (fields?.locality_weighted_lb_config !== undefined) {
    return { kind: 'weighted' };
  }
  const zones = fields?.zone_aware_lb_config;
  if (zones === undefined) {
    return zoneAwareByDefault;
  }
  const percent = zones.routing_enabled?.value ?? 100;
  if (!(percent >= 0 && percent <= 100)) {
    problems.add('must be from 0 to 100', 'zone_aware_lb_config.routing_enabled');
  }
  // Whole percent, as Envoy rounds it.
  const routingEnabledPercent = Math.round(percent);
  if (routingEnabledPercent === 0 && !zones.fail_traffic_on_panic) {
    return { kind: 'none' };
  }
  const forced =
    zones.force_local_zone === undefined
      ? undefined
      : (zones.force_local_zone.min_size ?? DEFAULT_FORCE_LOCAL_MIN_SIZE);
  return {
    kind: 'zone-aware',
    routingEnabledPercent,
    minClusterSize: zones.min_cluster_size ?? DEFAULT_MIN_CLUSTER_SIZE,
    failTrafficOnPanic: zones.fail_traffic_on_panic,
    byWeight: zones.locality_basis === 'HEALTHY_HOSTS_WEIGHT',
    forceLocalZoneMinSize:
      forced ?? (zones.force_locality_direct_routing === true ? DEFAULT_FORCE_LOCAL_MIN_SIZE : undefined),
  };
}
