import type {
  BalancingOptions,
  ConsistentHashing,
  EndpointStatus,
  LoadBalancerPolicy,
  LocalityBalancing,
  SlowStartConfig,
} from '../load-balancing.ts';
import type { Cluster } from '../wire/cluster-schema.ts';
import type {
  ClusterConsistentHashingLbConfig as ClusterHashingSchema,
  EndpointPickingPolicy,
  ConsistentHashingLbConfig as HashingSchema,
  LoadBalancingPolicy,
  LocalityLbConfig,
  SlowStartConfig as SlowStartSchema,
} from '../wire/load-balancing-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { hashPoliciesFromXds } from './hash-policy.ts';
import { localityFromXds, zoneAwareByDefault } from './locality-balancing.ts';
import { subsetsFromXds } from './subsets.ts';

const DEFAULT_CHOICE_COUNT = 2;
const DEFAULT_ACTIVE_REQUEST_BIAS = 1;
const DEFAULT_MINIMUM_RING_SIZE = 1024;
/** Default of the largest size, and what both sizes are limited to. */
const MAX_RING_SIZE = 8_388_608;
const DEFAULT_TABLE_SIZE = 65_537;
const MAX_TABLE_SIZE = 5_000_011;
/** Of Linkerd, whose balancer the policy is modelled on. */
const DEFAULT_DECAY_MS = 10_000;
const DEFAULT_LATENCY_MS = 30;

const noHashing: ConsistentHashing = { byHostname: false, hashBalanceFactor: undefined, hashPolicies: [] };
const roundRobin: Choice = { policy: { kind: 'round-robin' }, locality: zoneAwareByDefault };

interface Choice {
  readonly policy: LoadBalancerPolicy;
  readonly locality: LocalityBalancing;
}

/** How a cluster balances: `lb_policy` with its configuration, or `load_balancing_policy`, which wins as in Envoy. */
export function loadBalancerFromXds(
  cluster: Decoded<typeof Cluster>,
  problems: Problems,
): { readonly policy: LoadBalancerPolicy; readonly balancing: BalancingOptions } {
  const { common_lb_config: common, load_balancing_policy: extension } = cluster;
  const { policy, locality } =
    extension === undefined
      ? fromFields(cluster, problems)
      : problems.within('load_balancing_policy', () => fromExtensions(extension, problems));
  if (extension !== undefined) {
    refuseBeside(cluster, problems);
  }
  const { lb_subset_config: subsetConfig } = cluster;
  const subsets =
    subsetConfig === undefined
      ? undefined
      : problems.within('lb_subset_config', () => subsetsFromXds(subsetConfig, locality.kind === 'weighted', problems));
  const statuses = common?.override_host_status?.statuses ?? [];
  return {
    policy,
    balancing: {
      locality,
      overrideHostStatuses: new Set<EndpointStatus>(
        statuses.length === 0
          ? ['unknown', 'healthy', 'degraded']
          : statuses.map((status) => status.toLowerCase() as EndpointStatus),
      ),
      ignoreNewHostsUntilFirstHealthCheck: common?.ignore_new_hosts_until_first_hc === true,
      closeConnectionsOnHostSetChange: common?.close_connections_on_host_set_change === true,
      ...(subsets === undefined ? {} : { subsets }),
    },
  };
}

/** What says the same as `load_balancing_policy` in another way may not stand beside it. */
function refuseBeside(cluster: Decoded<typeof Cluster>, problems: Problems): void {
  const common = cluster.common_lb_config;
  const fields = {
    lb_subset_config: cluster.lb_subset_config,
    'common_lb_config.zone_aware_lb_config': common?.zone_aware_lb_config,
    'common_lb_config.locality_weighted_lb_config': common?.locality_weighted_lb_config,
    'common_lb_config.consistent_hashing_lb_config': common?.consistent_hashing_lb_config,
  };
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined) {
      problems.add('cannot be combined with load_balancing_policy', field);
    }
  }
}

function fromFields(cluster: Decoded<typeof Cluster>, problems: Problems): Choice {
  const { common_lb_config: common, lb_policy: kind } = cluster;
  const locality = problems.within('common_lb_config', () => localityFromXds(common, problems));
  const weightedOnly: LocalityBalancing = locality.kind === 'weighted' ? locality : { kind: 'none' };
  refuseOtherPolicies(cluster, problems);
  switch (kind) {
    case 'ROUND_ROBIN':
      return {
        policy: problems.within('round_robin_lb_config', () => ({
          kind: 'round-robin',
          ...slowStartFromXds(cluster.round_robin_lb_config?.slow_start_config, problems),
        })),
        locality,
      };
    case 'RANDOM':
      return { policy: { kind: 'random' }, locality };
    case 'LEAST_REQUEST':
      return {
        policy: problems.within('least_request_lb_config', () =>
          leastRequest(cluster.least_request_lb_config, problems),
        ),
        locality,
      };
    case 'RING_HASH': {
      const hashing = problems.within('common_lb_config', () =>
        hashingFromXds(common?.consistent_hashing_lb_config, problems),
      );
      const policy = problems.within('ring_hash_lb_config', () =>
        ringHash(cluster.ring_hash_lb_config, hashing, problems),
      );
      return { policy, locality: weightedOnly };
    }
    case 'MAGLEV': {
      const hashing = problems.within('common_lb_config', () =>
        hashingFromXds(common?.consistent_hashing_lb_config, problems),
      );
      const policy = problems.within('maglev_lb_config', () => maglev(cluster.maglev_lb_config, hashing, problems));
      return { policy, locality: weightedOnly };
    }
    case 'CLUSTER_PROVIDED':
      if (cluster.type !== 'ORIGINAL_DST') {
        problems.add('goes together with the type ORIGINAL_DST', 'lb_policy');
      }
      // Nobody asks for it: the cluster chooses by itself.
      return roundRobin;
    case 'LOAD_BALANCING_POLICY_CONFIG':
      problems.add('load_balancing_policy is required with it', 'lb_policy');
      return roundRobin;
    default:
      problems.add(`${kind} is not supported by this proxy`, 'lb_policy');
      return roundRobin;
  }
}

const fieldOfPolicy: ReadonlyMap<string, string> = new Map([
  ['ROUND_ROBIN', 'round_robin_lb_config'],
  ['LEAST_REQUEST', 'least_request_lb_config'],
  ['RING_HASH', 'ring_hash_lb_config'],
  ['MAGLEV', 'maglev_lb_config'],
]);

/** The configuration of a policy that is not the cluster's would do nothing. */
function refuseOtherPolicies(cluster: Decoded<typeof Cluster>, problems: Problems): void {
  const { lb_policy: kind } = cluster;
  const own = fieldOfPolicy.get(kind);
  for (const field of fieldOfPolicy.values()) {
    if (field !== own && cluster[field as keyof typeof cluster] !== undefined) {
      problems.add(`set in a cluster with lb_policy ${kind}`, field);
    }
  }
  const hashing = cluster.common_lb_config?.consistent_hashing_lb_config;
  if (hashing !== undefined && kind !== 'RING_HASH' && kind !== 'MAGLEV') {
    problems.add(`set in a cluster with lb_policy ${kind}`, 'common_lb_config.consistent_hashing_lb_config');
  }
}

/** The first policy whose type is known; the others are for other clients. */
function fromExtensions(extension: Decoded<typeof LoadBalancingPolicy>, problems: Problems): Choice {
  const configs = extension.policies.map(({ typed_extension_config: typed }) => typed?.typed_config);
  const index = configs.findIndex((config) => config !== undefined && config.type !== 'unknown');
  const config = configs[index];
  if (config === undefined || config.type === 'unknown') {
    refuseUnknown(extension, problems);
    return roundRobin;
  }
  return problems.within('policies', () =>
    problems.within(index, () => problems.within('typed_extension_config', () => extensionFromXds(config, problems))),
  );
}

function refuseUnknown(
  { policies }: Decoded<typeof LoadBalancingPolicy> | Decoded<typeof EndpointPickingPolicy>,
  problems: Problems,
): void {
  const urls = policies.map(({ typed_extension_config: typed }) =>
    typed?.typed_config?.type === 'unknown' ? typed.typed_config.value.typeUrl : '',
  );
  problems.add(
    policies.length === 0 ? 'at least one policy is required' : `none is supported by this proxy: ${urls.join(', ')}`,
    'policies',
  );
}

type ExtensionConfig = NonNullable<
  NonNullable<Decoded<typeof LoadBalancingPolicy>['policies'][number]['typed_extension_config']>['typed_config']
>;
type Known = Exclude<ExtensionConfig, { readonly type: 'unknown' }>;

function extensionFromXds(config: Known, problems: Problems): Choice {
  return problems.within('typed_config', () => {
    switch (config.type) {
      case 'envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash': {
        const { value } = config;
        const hashing =
          value.consistent_hashing_lb_config === undefined
            ? boundedBy(value.use_hostname_for_hashing, value.hash_balance_factor, problems)
            : hashingFromXds(value.consistent_hashing_lb_config, problems);
        const policy = ringHash(value, hashing, problems);
        return { policy, locality: value.locality_weighted_lb_config === undefined ? none : weighted };
      }
      case 'envoy.extensions.load_balancing_policies.maglev.v3.Maglev': {
        const { value } = config;
        const policy = maglev(value, hashingFromXds(value.consistent_hashing_lb_config, problems), problems);
        return { policy, locality: value.locality_weighted_lb_config === undefined ? none : weighted };
      }
      case 'envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality':
        return { policy: belowLocality(config.value.endpoint_picking_policy, problems), locality: weighted };
      default:
        return endpointPicking(config, problems);
    }
  });
}

const none: LocalityBalancing = { kind: 'none' };
const weighted: LocalityBalancing = { kind: 'weighted' };

/** What `wrr_locality` chooses by within a locality. */
function belowLocality(
  inner: Decoded<typeof EndpointPickingPolicy> | undefined,
  problems: Problems,
): LoadBalancerPolicy {
  return problems.within('endpoint_picking_policy', () => {
    const configs = (inner?.policies ?? []).map(({ typed_extension_config: typed }) => typed?.typed_config);
    const index = configs.findIndex((config) => config !== undefined && config.type !== 'unknown');
    const config = configs[index];
    if (config === undefined || config.type === 'unknown') {
      refuseUnknown(inner ?? { policies: [] }, problems);
      return roundRobin.policy;
    }
    return problems.within('policies', () => problems.within(index, () => endpointPicking(config, problems).policy));
  });
}

type EndpointPicking = Exclude<
  Known,
  {
    readonly type:
      | 'envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash'
      | 'envoy.extensions.load_balancing_policies.maglev.v3.Maglev'
      | 'envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality';
  }
>;

function endpointPicking(config: EndpointPicking, problems: Problems): Choice {
  const locality = (lb: Decoded<typeof LocalityLbConfig> | undefined): LocalityBalancing =>
    problems.within('locality_lb_config', () => localityFromXds(lb, problems));
  switch (config.type) {
    case 'envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin':
      return {
        policy: { kind: 'round-robin', ...slowStartFromXds(config.value.slow_start_config, problems) },
        locality: locality(config.value.locality_lb_config),
      };
    case 'envoy.extensions.load_balancing_policies.random.v3.Random':
      return { policy: { kind: 'random' }, locality: locality(config.value.locality_lb_config) };
    case 'envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest': {
      const { value } = config;
      const fullScan = value.enable_full_scan === true || value.selection_method === 'FULL_SCAN';
      const policy = leastRequest(value, problems);
      return { policy: fullScan ? { ...policy, fullScan } : policy, locality: locality(value.locality_lb_config) };
    }
    case 'weft.load_balancing_policies.peak_ewma.v1.PeakEwma': {
      const { decay_time: decayMs = DEFAULT_DECAY_MS, default_latency: defaultLatencyMs = DEFAULT_LATENCY_MS } =
        config.value;
      if (decayMs <= 0) {
        problems.add('must be above 0', 'decay_time');
      }
      return {
        policy: {
          kind: 'peak-ewma',
          decayMs,
          defaultLatencyMs,
          ...slowStartFromXds(config.value.slow_start_config, problems),
        },
        locality: locality(config.value.locality_lb_config),
      };
    }
  }
}

interface LeastRequestFields {
  readonly choice_count: number | undefined;
  readonly active_request_bias: { readonly default_value: number } | undefined;
  readonly slow_start_config: Decoded<typeof SlowStartSchema> | undefined;
}

function leastRequest(
  fields: LeastRequestFields | undefined,
  problems: Problems,
): Extract<LoadBalancerPolicy, { readonly kind: 'least-request' }> {
  const choiceCount = fields?.choice_count ?? DEFAULT_CHOICE_COUNT;
  const activeRequestBias = fields?.active_request_bias?.default_value ?? DEFAULT_ACTIVE_REQUEST_BIAS;
  if (choiceCount < 2) {
    problems.add('must be at least 2', 'choice_count');
  }
  if (!(activeRequestBias >= 0)) {
    problems.add('must not be negative', 'active_request_bias.default_value');
  }
  return {
    kind: 'least-request',
    choiceCount,
    activeRequestBias,
    ...slowStartFromXds(fields?.slow_start_config, problems),
  };
}

/** Envoy's default of `min_weight_percent`. */
const DEFAULT_MIN_WEIGHT_PERCENT = 10;

function slowStartFromXds(
  config: Decoded<typeof SlowStartSchema> | undefined,
  problems: Problems,
): { readonly slowStart?: SlowStartConfig } {
  const windowMs = config?.slow_start_window ?? 0;
  const minWeightPercent = config?.min_weight_percent?.value ?? DEFAULT_MIN_WEIGHT_PERCENT;
  if (!(minWeightPercent >= 0 && minWeightPercent <= 100)) {
    problems.add('must be from 0 to 100', 'slow_start_config.min_weight_percent');
  }
  // As in Envoy: what is not above 0 counts as 1.
  const aggression = config?.aggression?.default_value ?? 1;
  return windowMs === 0
    ? {}
    : { slowStart: { windowMs, aggression: aggression > 0 ? aggression : 1, minWeightPercent } };
}

interface RingHashFields {
  readonly minimum_ring_size: number | undefined;
  readonly maximum_ring_size: number | undefined;
  readonly hash_function: 'DEFAULT_HASH' | 'XX_HASH' | 'MURMUR_HASH_2';
}

function ringHash(
  fields: RingHashFields | undefined,
  hashing: ConsistentHashing,
  problems: Problems,
): LoadBalancerPolicy {
  const minimumSize = fields?.minimum_ring_size ?? DEFAULT_MINIMUM_RING_SIZE;
  const maximumSize = fields?.maximum_ring_size ?? MAX_RING_SIZE;
  if (minimumSize > MAX_RING_SIZE) {
    problems.add(`must be at most ${MAX_RING_SIZE}`, 'minimum_ring_size');
  }
  if (maximumSize > MAX_RING_SIZE) {
    problems.add(`must be at most ${MAX_RING_SIZE}`, 'maximum_ring_size');
  }
  if (minimumSize > maximumSize) {
    problems.add(`is above maximum_ring_size (${maximumSize})`, 'minimum_ring_size');
  }
  const hashFunction = fields?.hash_function === 'MURMUR_HASH_2' ? 'murmur-hash-2' : 'xx-hash';
  return { kind: 'ring-hash', hashFunction, minimumSize, maximumSize, ...hashing };
}

function maglev(
  fields: { readonly table_size: number | undefined } | undefined,
  hashing: ConsistentHashing,
  problems: Problems,
): LoadBalancerPolicy {
  const tableSize = fields?.table_size ?? DEFAULT_TABLE_SIZE;
  if (tableSize > MAX_TABLE_SIZE) {
    problems.add(`must be at most ${MAX_TABLE_SIZE}`, 'table_size');
  } else if (!isPrime(tableSize)) {
    problems.add('must be a prime number', 'table_size');
  }
  return { kind: 'maglev', tableSize, ...hashing };
}

function isPrime(number: number): boolean {
  if (number < 2) {
    return false;
  }
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) {
    if (number % divisor === 0) {
      return false;
    }
  }
  return true;
}

function hashingFromXds(
  config:
    | Decoded<typeof HashingSchema>
    | (Decoded<typeof ClusterHashingSchema> & { readonly hash_policy?: undefined })
    | undefined,
  problems: Problems,
): ConsistentHashing {
  if (config === undefined) {
    return noHashing;
  }
  return problems.within('consistent_hashing_lb_config', () => ({
    ...boundedBy(config.use_hostname_for_hashing, config.hash_balance_factor, problems),
    hashPolicies: hashPoliciesFromXds(config.hash_policy ?? [], problems),
  }));
}

function boundedBy(byHostname: boolean, hashBalanceFactor: number | undefined, problems: Problems): ConsistentHashing {
  if (hashBalanceFactor !== undefined && hashBalanceFactor < 100) {
    problems.add('must be at least 100', 'hash_balance_factor');
  }
  return { ...noHashing, byHostname, hashBalanceFactor };
}
