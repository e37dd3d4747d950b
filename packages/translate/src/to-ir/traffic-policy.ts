import type { InboundPool, OutboundCluster, TcpKeepalive } from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import { commonDefaults, type MeshDefaults, meshDefaults } from '../defaults.ts';
import type { PolicySpec, TrafficPolicySpec } from '../kinds.ts';
import type { MergedRule } from '../state/merged-rule.ts';
import type { ServiceModel } from '../state/service-model.ts';
import { balancing } from './load-balancer.ts';
import { outlierDetection } from './outlier-detection.ts';

/** The retry budget, the PROXY protocol and the tunnel are those of all ports. */
export type EffectivePolicy = PolicySpec & Pick<TrafficPolicySpec, 'retryBudget' | 'proxyProtocol' | 'tunnel'>;

/** What DestinationRules say about one port of a service, or of one subset. */
export function trafficPolicy(rule: MergedRule | undefined, subset: string, port: number): EffectivePolicy {
  const whole = policyForPort({}, rule?.trafficPolicy?.value, port);
  const own = rule?.subsets.get(subset)?.value.trafficPolicy;
  return subset === '' ? whole : policyForPort(whole, own, port);
}

/** A port's own settings replace all of the policy, as Istio documents: what they leave out is the default again. */
function policyForPort(base: EffectivePolicy, policy: TrafficPolicySpec | undefined, port: number): EffectivePolicy {
  if (policy === undefined) {
    return base;
  }
  const ownPort = policy.portLevelSettings?.find((settings) => settings.port?.number === port);
  if (ownPort !== undefined) {
    return {
      ...ownPort,
      retryBudget: policy.retryBudget ?? base.retryBudget,
      proxyProtocol: policy.proxyProtocol ?? base.proxyProtocol,
      tunnel: policy.tunnel ?? base.tunnel,
    };
  }
  return {
    loadBalancer: policy.loadBalancer ?? base.loadBalancer,
    connectionPool: policy.connectionPool ?? base.connectionPool,
    outlierDetection: policy.outlierDetection ?? base.outlierDetection,
    tls: policy.tls ?? base.tls,
    proxyProtocol: policy.proxyProtocol ?? base.proxyProtocol,
    retryBudget: policy.retryBudget ?? base.retryBudget,
    tunnel: policy.tunnel ?? base.tunnel,
  };
}

type PoolSettings = Pick<
  OutboundCluster,
  | 'loadBalancer'
  | 'hash'
  | 'slowStart'
  | 'zoneAware'
  | 'outlierDetection'
  | 'panicPercent'
  | 'limits'
  | 'connectTimeoutMs'
  | 'maxRequestsPerConnection'
  | 'maxConcurrentStreams'
  | 'httpIdleTimeoutMs'
  | 'http2Keepalive'
  | 'tcp'
  | 'proxyProtocol'
  | 'tcpKeepalive'
>;

/**
 * The policy in the terms of a cluster.
 * @param prefers what the service asks of balancing where the policy asks nothing.
 */
export function poolSettings(
  policy: EffectivePolicy,
  prefers: ServiceModel['prefers'],
  defaults: MeshDefaults,
): PoolSettings {
  const tcp = policy.connectionPool?.tcp;
  const http = policy.connectionPool?.http;
  const connect = parseDurationMs(tcp?.connectTimeout ?? '') ?? 0;
  return {
    ...balancing(policy.loadBalancer, prefers, defaults),
    outlierDetection: outlierDetection(policy.outlierDetection, defaults),
    panicPercent:
      policy.outlierDetection === undefined
        ? undefined
        : (policy.outlierDetection.minHealthPercent ?? defaults.panicPercent),
    limits: {
      maxConnections: positive(tcp?.maxConnections) ?? defaults.limits.maxConnections,
      maxPendingRequests: positive(http?.http1MaxPendingRequests) ?? defaults.limits.maxPendingRequests,
      maxRequests: positive(http?.http2MaxRequests) ?? defaults.limits.maxRequests,
      maxRetries: positive(http?.maxRetries) ?? defaults.limits.maxRetries,
      ...retryBudget(policy.retryBudget),
    },
    connectTimeoutMs: connect > 0 ? connect : defaults.connectTimeoutMs,
    maxRequestsPerConnection: positive(http?.maxRequestsPerConnection) ?? 0,
    maxConcurrentStreams: positive(http?.maxConcurrentStreams),
    httpIdleTimeoutMs: positive(parseDurationMs(http?.idleTimeout ?? '')),
    http2Keepalive: http2Keepalive(http?.http2KeepAlive),
    tcp: {
      idleTimeoutMs: tcp?.idleTimeout === undefined ? undefined : parseDurationMs(tcp.idleTimeout),
      maxDurationMs: positive(parseDurationMs(tcp?.maxConnectionDuration ?? '')),
      ...tunnelOf(policy.tunnel),
    },
    proxyProtocol: policy.proxyProtocol === undefined ? undefined : policy.proxyProtocol.version === 'V2' ? 2 : 1,
    tcpKeepalive: tcp?.tcpKeepalive && keepaliveOf(tcp.tcpKeepalive),
  };
}

/** The same for connections to the application beside the proxy, of which there is but one. */
export function inboundPool(connectionPool: EffectivePolicy['connectionPool']): InboundPool {
  // What is not said there is unlimited whatever the mesh's defaults are, as it is without a pool.
  const settings = poolSettings({ connectionPool }, undefined, meshDefaults.istio);
  const { connectTimeoutMs, limits, maxRequestsPerConnection, maxConcurrentStreams } = settings;
  const { httpIdleTimeoutMs, http2Keepalive, tcp, tcpKeepalive } = settings;
  return {
    ...{ connectTimeoutMs, limits, maxRequestsPerConnection, maxConcurrentStreams },
    ...{ httpIdleTimeoutMs, http2Keepalive, tcp, tcpKeepalive },
  };
}

function tunnelOf(tunnel: EffectivePolicy['tunnel']): Pick<OutboundCluster['tcp'], 'tunnel'> {
  if (tunnel === undefined) {
    return {};
  }
  const { protocol, targetHost, targetPort } = tunnel;
  const to = `${targetHost.includes(':') ? `[${targetHost}]` : targetHost}:${targetPort}`;
  return { tunnel: { method: protocol === 'POST' ? 'POST' : 'CONNECT', to } };
}

function keepaliveOf({
  time,
  interval,
  probes,
}: NonNullable<NonNullable<NonNullable<PolicySpec['connectionPool']>['tcp']>['tcpKeepalive']>): TcpKeepalive {
  return { timeSec: wholeSeconds(time), intervalSec: wholeSeconds(interval), probes: positive(probes) };
}

function wholeSeconds(text: string | undefined): number | undefined {
  const ms = parseDurationMs(text ?? '') ?? 0;
  return ms > 0 ? Math.max(1, Math.round(ms / 1000)) : undefined;
}

/** Envoy wants both; where one is missing it is as long as the other. */
function http2Keepalive(
  spec: { readonly interval?: string | undefined; readonly timeout?: string | undefined } | undefined,
): OutboundCluster['http2Keepalive'] {
  const intervalMs = positive(parseDurationMs(spec?.interval ?? ''));
  const timeoutMs = positive(parseDurationMs(spec?.timeout ?? ''));
  return intervalMs === undefined && timeoutMs === undefined
    ? undefined
    : { intervalMs: intervalMs ?? timeoutMs ?? 0, timeoutMs: timeoutMs ?? intervalMs ?? 0 };
}

/** Envoy looks at its window ten times in an interval: shorter ones would keep a core of it busy. */
const retryBudgetIntervalMinMs = 10;

function retryBudget(budget: EffectivePolicy['retryBudget']): Pick<OutboundCluster['limits'], 'retryBudget'> {
  if (budget === undefined) {
    return {};
  }
  const intervalMs = positive(parseDurationMs(budget.budgetInterval ?? ''));
  return {
    retryBudget: {
      percent: budget.percent ?? commonDefaults.retryBudget.percent,
      minConcurrency: budget.minRetryConcurrency ?? commonDefaults.retryBudget.minConcurrency,
      ...(intervalMs === undefined ? {} : { intervalMs: Math.max(intervalMs, retryBudgetIntervalMinMs) }),
    },
  };
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}
