import { type CircuitLimits, type ForwardAction, type LoadBalancer, type RetryPolicy, unlimited } from '@weft/ir';

/** Whose effective defaults a mesh has: those of Istio's generated configuration, or Envoy's own. */
export type DefaultsName = 'istio' | 'envoy';

/** @returns undefined when `value` is no such name. */
export function defaultsNameFrom(value: unknown): DefaultsName | undefined {
  return value === 'istio' || value === 'envoy' ? value : undefined;
}

/** What is in force for calls where no resource says anything. */
export interface MeshDefaults {
  /** Whole request; 0 = none. */
  readonly requestTimeoutMs: number;
  /** Silence of a request in both directions; undefined = that of the listeners, 1 h. */
  readonly streamIdleTimeoutMs: ForwardAction['idleTimeoutMs'];
  readonly retry: RetryPolicy | undefined;
  readonly connectTimeoutMs: number;
  readonly loadBalancer: LoadBalancer;
  readonly limits: CircuitLimits;
  /** Where endpoints are ejected: share of healthy ones below which the ejected are used, too; undefined = Envoy's 50 %. */
  readonly panicPercent: number | undefined;
  /** Where endpoints are ejected: whether those with far less success than the others are. */
  readonly ejectsBySuccessRate: boolean;
}

/**
 * What Istio (since 1.24) retries where nothing is said: what no application can have seen, and what gRPC servers ask to have repeated. A 503 of the
 * application is none of it, as the application may have done what it was asked (`EXCLUDE_UNSAFE_503_FROM_DEFAULT_RETRY`).
 */
export const istioRetry: RetryPolicy = {
  attempts: 2,
  perTryTimeoutMs: 0,
  on: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled'],
  statusCodes: [],
};

/** The table of both. */
export const meshDefaults: Readonly<Record<DefaultsName, MeshDefaults>> = {
  istio: {
    requestTimeoutMs: 0,
    streamIdleTimeoutMs: undefined,
    retry: istioRetry,
    connectTimeoutMs: 10_000,
    loadBalancer: { kind: 'least-request' },
    limits: {
      maxConnections: unlimited,
      maxPendingRequests: unlimited,
      maxRequests: unlimited,
      maxRetries: unlimited,
    },
    panicPercent: 0,
    ejectsBySuccessRate: false,
  },
  envoy: {
    requestTimeoutMs: 15_000,
    streamIdleTimeoutMs: 300_000,
    retry: undefined,
    connectTimeoutMs: 5_000,
    loadBalancer: { kind: 'round-robin' },
    limits: { maxConnections: 1_024, maxPendingRequests: 1_024, maxRequests: 1_024, maxRetries: 3 },
    panicPercent: undefined,
    ejectsBySuccessRate: true,
  },
};

/** Envoy's, which Istio leaves as they are. */
export const commonDefaults = {
  outlier: { consecutive: 5, intervalMs: 10_000, baseEjectionMs: 30_000, maxEjectionPercent: 10 },
  retryBudget: { percent: 20, minConcurrency: 3 },
  ringSize: 1_024,
  tableSize: 65_537,
} as const;
