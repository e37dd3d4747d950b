import type { Clock } from '@weft/base';
import type { CircuitBreakerThresholds } from '../runtime-config/config.ts';
import { RequestWindow } from './request-window.ts';

/** What one priority of a cluster has in use, against its thresholds. */
export class CircuitBreaker {
  readonly thresholds: CircuitBreakerThresholds;
  connections = 0;
  pending = 0;
  requests = 0;
  retries = 0;
  readonly #window: RequestWindow | undefined;

  constructor(thresholds: CircuitBreakerThresholds, clock: Pick<Clock, 'monotonicMs'>) {
    this.thresholds = thresholds;
    const intervalMs = thresholds.retryBudget?.intervalMs;
    this.#window = intervalMs === undefined ? undefined : new RequestWindow(intervalMs, clock);
  }

  /** A request has got a connection. */
  noteSent(): void {
    this.#window?.add();
  }

  get allowsConnection(): boolean {
    return this.connections < this.thresholds.maxConnections;
  }

  get allowsPending(): boolean {
    return this.pending < this.thresholds.maxPendingRequests;
  }

  get allowsRequest(): boolean {
    return this.requests < this.thresholds.maxRequests;
  }

  get allowsRetry(): boolean {
    return this.retries < this.maxRetries;
  }

  /** Retries that may be under way now. */
  get maxRetries(): number {
    const { retryBudget, maxRetries } = this.thresholds;
    if (retryBudget === undefined) {
      return maxRetries;
    }
    // `requests` counts those that wait for a connection as well.
    const share = Math.floor((retryBudget.percent / 100) * (this.#window?.count ?? this.requests));
    return Math.max(share, retryBudget.minConcurrency);
  }
}
