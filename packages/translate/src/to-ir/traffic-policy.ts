import { type LoadBalancer, type OutboundCluster, unlimited } from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import type { DestinationRule, PolicySpec, TrafficPolicySpec } from '../kinds.ts';

/** The retry budget is one for all ports. */
export type EffectivePolicy = PolicySpec & Pick<TrafficPolicySpec, 'retryBudget'>;

/** What a DestinationRule says about one port of a service, or of one subset. */
export function trafficPolicy(rule: DestinationRule | undefined, subset: string, port: number): EffectivePolicy {
  const whole = policyForPort({}, rule?.spec?.trafficPolicy, port);
  const own = rule?.spec?.subsets?.find(({ name }) => name === subset)?.trafficPolicy;
  return subset === '' ? whole : policyForPort(whole, own, port);
}

/** A port's own settings replace all of the policy, as Istio documents: what they leave out is the default again. */
function policyForPort(base: EffectivePolicy, policy: TrafficPolicySpec | undefined, port: number): EffectivePolicy {
  if (policy === undefined) {
    return base;
  }
  const ownPort = policy.portLevelSettings?.find((settings) => settings.port?.number === port);
  if (ownPort !== undefined) {
    const budget = policy.retryBudget ?? base.retryBudget;
    return budget === undefined ? ownPort : { ...ownPort, retryBudget: budget };
  }
  return {
    loadBalancer: policy.loadBalancer ?? base.loadBalancer,
    connectionPool: policy.connectionPool ?? base.connectionPool,
    tls: policy.tls ?? base.tls,
    retryBudget: policy.retryBudget ?? base.retryBudget,
  };
}

const loadBalancers: Readonly<Record<string, LoadBalancer>> = {
  ROUND_ROBIN: { kind: 'round-robin' },
  LEAST_REQUEST: { kind: 'least-request' },
  LEAST_CONN: { kind: 'least-request' },
  RANDOM: { kind: 'random' },
};

/** Istio's default. */
const leastRequest: LoadBalancer = { kind: 'least-request' };

const connectTimeoutMs = 10_000;

type PoolSettings = Pick<
  OutboundCluster,
  | 'loadBalancer'
  | 'slowStartMs'
  | 'outlierDetection'
  | 'panicPercent'
  | 'limits'
  | 'connectTimeoutMs'
  | 'maxRequestsPerConnection'
  | 'maxConcurrentStreams'
  | 'httpIdleTimeoutMs'
  | 'tcpKeepaliveSec'
>;

/** The policy in the terms of a cluster, with Istio's effective defaults. */
export function poolSettings(policy: EffectivePolicy): PoolSettings {
  const tcp = policy.connectionPool?.tcp;
  const http = policy.connectionPool?.http;
  const connect = parseDurationMs(tcp?.connectTimeout ?? '') ?? 0;
  const keepalive = parseDurationMs(tcp?.tcpKeepalive?.time ?? '') ?? 0;
  return {
    loadBalancer: loadBalancers[policy.loadBalancer?.simple ?? ''] ?? leastRequest,
    slowStartMs: undefined,
    outlierDetection: undefined,
    panicPercent: undefined,
    limits: {
      maxConnections: positive(tcp?.maxConnections) ?? unlimited,
      maxPendingRequests: positive(http?.http1MaxPendingRequests) ?? unlimited,
      maxRequests: positive(http?.http2MaxRequests) ?? unlimited,
      maxRetries: positive(http?.maxRetries) ?? unlimited,
      ...retryBudget(policy.retryBudget),
    },
    connectTimeoutMs: connect > 0 ? connect : connectTimeoutMs,
    maxRequestsPerConnection: positive(http?.maxRequestsPerConnection) ?? 0,
    maxConcurrentStreams: positive(http?.maxConcurrentStreams),
    httpIdleTimeoutMs: positive(parseDurationMs(http?.idleTimeout ?? '')),
    tcpKeepaliveSec: keepalive > 0 ? Math.max(1, Math.round(keepalive / 1000)) : undefined,
  };
}

const defaultBudgetPercent = 20;
const defaultMinRetryConcurrency = 3;

function retryBudget(budget: EffectivePolicy['retryBudget']): Pick<OutboundCluster['limits'], 'retryBudget'> {
  return budget === undefined
    ? {}
    : {
        retryBudget: {
          percent: budget.percent ?? defaultBudgetPercent,
          minConcurrency: budget.minRetryConcurrency ?? defaultMinRetryConcurrency,
        },
      };
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}
