import type { CircuitBreaker } from '../../cluster/circuit-breaker.ts';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import { RetryPriority } from '../../load-balancer/retry-priority.ts';
import { matchesAnyHeader, type RouteSubject } from '../../route/route-match.ts';
import type { RetryPolicy } from '../../runtime-config/retry-policy.ts';
import type { UpstreamAttempt } from './upstream-attempt.ts';

/** What one request may still try, and has tried. A stream has one and uses the object again. */
export class RetryState {
  policy: RetryPolicy | undefined = undefined;
  /** Retries that the policy still allows. */
  left = 0;
  /** The request is none of those that the policy repeats. */
  forbidden = false;
  /** Times that the request was sent again without asking the policy. */
  free = 0;
  /** The next try is made for want of an answer in time. */
  afterTimeout = false;
  /** A retry waits for its time. */
  pending = false;
  /** Where it was sent, if the policy wants to go elsewhere. */
  readonly triedEndpoints: Endpoint[] = [];
  /** Where the policy leads away from priorities. */
  priority: RetryPriority<Endpoint> | undefined = undefined;
  /** Tries beside the stream's own whose time is up, but which may still be answered first. */
  readonly hedged: UpstreamAttempt[] = [];
  #breaker: CircuitBreaker | undefined = undefined;

  begin(policy: RetryPolicy | undefined, subject: RouteSubject): void {
    this.policy = policy;
    if (policy === undefined) {
      return;
    }
    const { retriableRequestHeaders, previousPriorities } = policy;
    if (previousPriorities !== undefined) {
      this.priority = new RetryPriority(previousPriorities);
    }
    this.forbidden = retriableRequestHeaders.length > 0 && !matchesAnyHeader(retriableRequestHeaders, subject);
    this.left = this.forbidden ? 0 : policy.numRetries;
  }

  /** A retry is under way, and counts against the breaker. */
  get held(): boolean {
    return this.#breaker !== undefined;
  }

  hold(breaker: CircuitBreaker): void {
    this.release();
    breaker.retries += 1;
    this.#breaker = breaker;
  }

  release(): void {
    const breaker = this.#breaker;
    if (breaker !== undefined) {
      breaker.retries -= 1;
      this.#breaker = undefined;
    }
  }

  /** Gives up every hedged try but `winner`. */
  dropHedged(winner?: UpstreamAttempt): void {
    const { hedged } = this;
    while (hedged.length > 0) {
      const attempt = hedged.pop();
      if (attempt !== winner) {
        attempt?.detach(false);
      }
    }
  }

  /** Back to the state of a new object. */
  reset(): void {
    this.release();
    this.policy = undefined;
    this.left = 0;
    this.forbidden = false;
    this.free = 0;
    this.afterTimeout = false;
    this.pending = false;
    this.priority = undefined;
    if (this.triedEndpoints.length > 0) {
      this.triedEndpoints.length = 0;
    }
  }
}
