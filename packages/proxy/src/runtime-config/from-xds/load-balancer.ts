import type { ClusterConfig } from '../config.ts';
import type { Cluster } from '../wire/cluster-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

type LoadBalancer = ClusterConfig['loadBalancer'];

const DEFAULT_CHOICE_COUNT = 2;
const DEFAULT_ACTIVE_REQUEST_BIAS = 1;

/** `lb_policy`, or `load_balancing_policy`, which wins when both are set (as in Envoy). */
export function loadBalancerFromXds(cluster: Decoded<typeof Cluster>, problems: Problems): LoadBalancer {
  if (cluster.load_balancing_policy !== undefined) {
    return problems.within('load_balancing_policy', () => extensionFromXds(cluster, problems));
  }
  switch (cluster.lb_policy) {
    case 'ROUND_ROBIN':
      return { kind: 'round-robin' };
    case 'RANDOM':
      return { kind: 'random' };
    case 'LEAST_REQUEST':
      return problems.within('least_request_lb_config', () => leastRequest(cluster.least_request_lb_config, problems));
    case 'LOAD_BALANCING_POLICY_CONFIG':
      problems.add('load_balancing_policy is required with it', 'lb_policy');
      return { kind: 'round-robin' };
    default:
      problems.add(`${cluster.lb_policy} is not supported by this proxy`, 'lb_policy');
      return { kind: 'round-robin' };
  }
}

function extensionFromXds(cluster: Decoded<typeof Cluster>, problems: Problems): LoadBalancer {
  const [policy] = cluster.load_balancing_policy?.policies ?? [];
  const config = policy?.typed_extension_config?.typed_config;
  if (config === undefined) {
    problems.add('at least one policy is required', 'policies');
    return { kind: 'round-robin' };
  }
  switch (config.type) {
    case 'envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin':
      return { kind: 'round-robin' };
    case 'envoy.extensions.load_balancing_policies.random.v3.Random':
      return { kind: 'random' };
    case 'envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest':
      return problems.within('policies', () => problems.within(0, () => leastRequest(config.value, problems)));
  }
}

interface LeastRequestFields {
  readonly choice_count: number | undefined;
  readonly active_request_bias: { readonly default_value: number } | undefined;
}

function leastRequest(fields: LeastRequestFields | undefined, problems: Problems): LoadBalancer {
  const choiceCount = fields?.choice_count ?? DEFAULT_CHOICE_COUNT;
  const activeRequestBias = fields?.active_request_bias?.default_value ?? DEFAULT_ACTIVE_REQUEST_BIAS;
  if (choiceCount < 2) {
    problems.add('must be at least 2', 'choice_count');
  }
  if (!(activeRequestBias >= 0)) {
    problems.add('must not be negative', 'active_request_bias.default_value');
  }
  return { kind: 'least-request', choiceCount, activeRequestBias };
}
