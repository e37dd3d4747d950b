import type { UpstreamContext, UpstreamTarget } from '../pool/upstream-context.ts';
import type { HealthCheckCounters } from './health-check-counters.ts';

/** How an endpoint failed a check. */
export type CheckFailure =
  /** It said so, and that counts at once. */
  | 'refused'
  /** It said something that counts when it says so often enough. */
  | 'retriable'
  /** No connection, or a broken one. */
  | 'network'
  /** No answer in time. */
  | 'timeout';

/** Who asked; one of the two is called once for each `start`, unless it was abandoned. */
export interface ProbeOwner {
  readonly target: CheckTarget;
  onPassed(degraded: boolean): void;
  onFailed(failure: CheckFailure, isExcluded: boolean): void;
}

/** Where checks go, and what they share. */
export interface CheckTarget {
  readonly context: UpstreamContext;
  readonly counters: HealthCheckCounters;
  readonly upstream: UpstreamTarget;
  readonly clusterName: string;
  /** For the endpoint; empty: what the check says. */
  readonly hostname: string;
  readonly reuseConnection: boolean;
}

/** Asks one endpoint again and again, over a connection that it may keep. */
export interface Probe {
  start(): void;
  /** Gives up what is under way, and the connection. */
  abandon(): void;
}
