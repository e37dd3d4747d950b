import type { EndpointStatus } from '../runtime-config/load-balancing.ts';

/**
 * Everything that is known about the health of an endpoint, as bits; each is set and cleared by one owner only. Names as
 * Envoy's `health_flags`.
 */
export const HealthFlag = {
  /** EDS (or the static configuration) says so. */
  edsUnhealthy: 1 << 0,
  edsDraining: 1 << 1,
  edsTimeout: 1 << 2,
  edsDegraded: 1 << 3,
  /** Active health checks. */
  failedActiveCheck: 1 << 4,
  activeCheckTimeout: 1 << 5,
  degradedActiveCheck: 1 << 6,
  /** New, and not checked for the first time: it counts neither as healthy nor as unhealthy. */
  pendingActiveCheck: 1 << 7,
  /** Outlier detection has ejected it. */
  ejected: 1 << 8,
  /** An upstream said by `x-envoy-immediate-health-check-fail` that it is not to be counted. */
  excludedByUpstream: 1 << 9,
} as const;

const UNHEALTHY =
  HealthFlag.edsUnhealthy |
  HealthFlag.edsDraining |
  HealthFlag.edsTimeout |
  HealthFlag.failedActiveCheck |
  HealthFlag.ejected;
const DEGRADED = HealthFlag.edsDegraded | HealthFlag.degradedActiveCheck;
const EXCLUDED = HealthFlag.pendingActiveCheck | HealthFlag.excludedByUpstream;
/** The flags that EDS owns. */
const EDS = HealthFlag.edsUnhealthy | HealthFlag.edsDraining | HealthFlag.edsTimeout | HealthFlag.edsDegraded;

const flagsOfStatus: Readonly<Record<EndpointStatus, number>> = {
  unknown: 0,
  healthy: 0,
  unhealthy: HealthFlag.edsUnhealthy,
  draining: HealthFlag.edsDraining,
  timeout: HealthFlag.edsTimeout,
  degraded: HealthFlag.edsDegraded,
};

/** `flags` with those of EDS replaced by what `status` means. */
export function withEdsStatus(flags: number, status: EndpointStatus): number {
  return (flags & ~EDS) | flagsOfStatus[status];
}

/** What balancing makes of the flags. */
export function conditionOf(flags: number): 'healthy' | 'degraded' | 'unhealthy' {
  return (flags & UNHEALTHY) !== 0 ? 'unhealthy' : (flags & DEGRADED) !== 0 ? 'degraded' : 'healthy';
}

/** Whether the endpoint is left out where healthy parts are reckoned. */
export function isExcluded(flags: number): boolean {
  return (flags & EXCLUDED) !== 0;
}

/** The status that stands for all flags: that of EDS unless something worse is known. */
export function statusOf(flags: number, eds: EndpointStatus): EndpointStatus {
  if ((flags & (HealthFlag.failedActiveCheck | HealthFlag.ejected)) !== 0) {
    return 'unhealthy';
  }
  return (flags & (UNHEALTHY | DEGRADED)) === HealthFlag.degradedActiveCheck ? 'degraded' : eds;
}

/** In the order in which Envoy prints them. */
const words: readonly (readonly [flag: number, word: string])[] = [
  [HealthFlag.failedActiveCheck, 'failed_active_hc'],
  [HealthFlag.ejected, 'failed_outlier_check'],
  [HealthFlag.edsUnhealthy, 'failed_eds_health'],
  [HealthFlag.degradedActiveCheck, 'degraded_active_hc'],
  [HealthFlag.edsDegraded, 'degraded_eds_health'],
  [HealthFlag.pendingActiveCheck, 'pending_active_hc'],
  [HealthFlag.excludedByUpstream, 'excluded_via_immediate_hc_fail'],
  [HealthFlag.activeCheckTimeout, 'active_hc_timeout'],
  [HealthFlag.edsDraining, 'eds_status_draining'],
  [HealthFlag.edsTimeout, 'eds_status_timeout'],
];

/** The flags in Envoy's words, for `/clusters`; `healthy` when there are none. */
export function describeHealth(flags: number): string {
  const names = words.filter(([flag]) => (flags & flag) !== 0).map(([, word]) => `/${word}`);
  return names.length === 0 ? 'healthy' : names.join('');
}
