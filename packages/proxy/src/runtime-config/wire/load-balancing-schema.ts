/** Load balancing: the fields of a cluster and the policies as extensions. */
import { Percent } from './core-schema.ts';
import { RouteActionHashPolicy } from './hash-policy-schema.ts';
import {
  bool,
  boolValue,
  double,
  duration,
  enumeration,
  message,
  nested,
  openAny,
  repeated,
  string,
  uint32Value,
  uint64Value,
} from './schema.ts';

/** There is no runtime in which the key could be, so that the default value always holds. */
export const RuntimeDouble = message('envoy.config.core.v3.RuntimeDouble', {
  default_value: double(1),
  runtime_key: string(2),
});

export const ClusterSlowStartConfig = message('envoy.config.cluster.v3.Cluster.SlowStartConfig', {
  slow_start_window: duration(1),
  aggression: nested(2, RuntimeDouble),
  min_weight_percent: nested(3, Percent),
});

export const ClusterZoneAwareLbConfig = message('envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig', {
  routing_enabled: nested(1, Percent),
  min_cluster_size: uint64Value(2),
  fail_traffic_on_panic: bool(3),
});

export const ClusterLocalityWeightedLbConfig = message(
  'envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig',
  {},
);

export const ClusterConsistentHashingLbConfig = message(
  'envoy.config.cluster.v3.Cluster.CommonLbConfig.ConsistentHashingLbConfig',
  { use_hostname_for_hashing: bool(1), hash_balance_factor: uint32Value(2) },
);

export const HealthStatusSet = message('envoy.config.core.v3.HealthStatusSet', {
  statuses: repeated(enumeration(1, 'UNKNOWN=0 HEALTHY=1 UNHEALTHY=2 DRAINING=3 TIMEOUT=4 DEGRADED=5')),
});

export const ClusterCommonLbConfig = message(
  'envoy.config.cluster.v3.Cluster.CommonLbConfig',
  {
    healthy_panic_threshold: nested(1, Percent),
    zone_aware_lb_config: nested(2, ClusterZoneAwareLbConfig),
    locality_weighted_lb_config: nested(3, ClusterLocalityWeightedLbConfig),
    // Updates are taken at once and their cost is that of one, so that there is nothing to wait for.
    update_merge_window: duration(4),
    ignore_new_hosts_until_first_hc: bool(5),
    close_connections_on_host_set_change: bool(6),
    consistent_hashing_lb_config: nested(7, ClusterConsistentHashingLbConfig),
    override_host_status: nested(8, HealthStatusSet),
  },
  '',
  [['zone_aware_lb_config', 'locality_weighted_lb_config']],
);

export const ClusterLeastRequestLbConfig = message('envoy.config.cluster.v3.Cluster.LeastRequestLbConfig', {
  choice_count: uint32Value(1),
  active_request_bias: nested(2, RuntimeDouble),
  slow_start_config: nested(3, ClusterSlowStartConfig),
});

export const ClusterRoundRobinLbConfig = message('envoy.config.cluster.v3.Cluster.RoundRobinLbConfig', {
  slow_start_config: nested(1, ClusterSlowStartConfig),
});

export const ClusterRingHashLbConfig = message('envoy.config.cluster.v3.Cluster.RingHashLbConfig', {
  minimum_ring_size: uint64Value(1),
  hash_function: enumeration(3, 'XX_HASH=0 MURMUR_HASH_2=1'),
  maximum_ring_size: uint64Value(4),
});

export const ClusterMaglevLbConfig = message('envoy.config.cluster.v3.Cluster.MaglevLbConfig', {
  table_size: uint64Value(1),
});

// ---------------------------------------------------------------------------------------------- extensions

export const SlowStartConfig = message('envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig', {
  slow_start_window: duration(1),
  aggression: nested(2, RuntimeDouble),
  min_weight_percent: nested(3, Percent),
});

export const ForceLocalZone = message(
  'envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig.ForceLocalZone',
  { min_size: uint32Value(1) },
);

export const ZoneAwareLbConfig = message(
  'envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig',
  {
    routing_enabled: nested(1, Percent),
    min_cluster_size: uint64Value(2),
    fail_traffic_on_panic: bool(3),
    force_locality_direct_routing: bool(4),
    force_local_zone: nested(5, ForceLocalZone),
    locality_basis: enumeration(6, 'HEALTHY_HOSTS_NUM=0 HEALTHY_HOSTS_WEIGHT=1'),
  },
);

export const LocalityWeightedLbConfig = message(
  'envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.LocalityWeightedLbConfig',
  {},
);

export const LocalityLbConfig = message(
  'envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig',
  {
    zone_aware_lb_config: nested(1, ZoneAwareLbConfig),
    locality_weighted_lb_config: nested(2, LocalityWeightedLbConfig),
  },
  '',
  [['zone_aware_lb_config', 'locality_weighted_lb_config']],
);

export const ConsistentHashingLbConfig = message(
  'envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig',
  {
    use_hostname_for_hashing: bool(1),
    hash_balance_factor: uint32Value(2),
    hash_policy: repeated(nested(3, RouteActionHashPolicy)),
  },
);

export const RoundRobin = message('envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin', {
  slow_start_config: nested(1, SlowStartConfig),
  locality_lb_config: nested(2, LocalityLbConfig),
});

export const LeastRequest = message('envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest', {
  choice_count: uint32Value(1),
  active_request_bias: nested(2, RuntimeDouble),
  slow_start_config: nested(3, SlowStartConfig),
  locality_lb_config: nested(4, LocalityLbConfig),
  enable_full_scan: boolValue(5),
  selection_method: enumeration(6, 'N_CHOICES=0 FULL_SCAN=1'),
});

export const Random = message('envoy.extensions.load_balancing_policies.random.v3.Random', {
  locality_lb_config: nested(1, LocalityLbConfig),
});

export const RingHash = message('envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash', {
  hash_function: enumeration(1, 'DEFAULT_HASH=0 XX_HASH=1 MURMUR_HASH_2=2'),
  minimum_ring_size: uint64Value(2),
  maximum_ring_size: uint64Value(3),
  use_hostname_for_hashing: bool(4),
  hash_balance_factor: uint32Value(5),
  consistent_hashing_lb_config: nested(6, ConsistentHashingLbConfig),
  locality_weighted_lb_config: nested(7, LocalityWeightedLbConfig),
});

export const Maglev = message('envoy.extensions.load_balancing_policies.maglev.v3.Maglev', {
  table_size: uint64Value(1),
  consistent_hashing_lb_config: nested(2, ConsistentHashingLbConfig),
  locality_weighted_lb_config: nested(3, LocalityWeightedLbConfig),
});

/** Ours: see docs/proxy.md, "Load balancing". */
export const PeakEwma = message('weft.load_balancing_policies.peak_ewma.v1.PeakEwma', {
  decay_time: duration(1),
  default_latency: duration(2),
  locality_lb_config: nested(3, LocalityLbConfig),
  slow_start_config: nested(4, SlowStartConfig),
});

const endpointPicking = [RoundRobin, LeastRequest, Random, PeakEwma] as const;

export const EndpointPickingExtension = message('envoy.config.core.v3.TypedExtensionConfig', {
  name: string(1),
  typed_config: openAny(2, endpointPicking),
});

export const EndpointPickingPolicyPolicy = message('envoy.config.cluster.v3.LoadBalancingPolicy.Policy', {
  typed_extension_config: nested(4, EndpointPickingExtension),
});

/** What stands below `wrr_locality`, which does not hold itself. */
export const EndpointPickingPolicy = message('envoy.config.cluster.v3.LoadBalancingPolicy', {
  policies: repeated(nested(1, EndpointPickingPolicyPolicy)),
});

export const WrrLocality = message('envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality', {
  endpoint_picking_policy: nested(1, EndpointPickingPolicy),
});

export const LoadBalancingExtension = message('envoy.config.core.v3.TypedExtensionConfig', {
  name: string(1),
  typed_config: openAny(2, [...endpointPicking, RingHash, Maglev, WrrLocality]),
});

export const LoadBalancingPolicyPolicy = message('envoy.config.cluster.v3.LoadBalancingPolicy.Policy', {
  typed_extension_config: nested(4, LoadBalancingExtension),
});

export const LoadBalancingPolicy = message('envoy.config.cluster.v3.LoadBalancingPolicy', {
  policies: repeated(nested(1, LoadBalancingPolicyPolicy)),
});
