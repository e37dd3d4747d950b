import type { CircuitBreaker } from '../../cluster/circuit-breaker.ts';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import type { RetryPolicy } from '../../runtime-config/config.ts';

/** What one request may still try, and has tried. A stream has one and uses the object again. */
export class RetryState {
  policy: RetryPolicy | undefined = undefined;
  /** Retries that the policy still allows. */
  left = 0;
  /** Times that the request was sent again without asking the policy. */
  free = 0;
  /** Where it was sent, if the policy wants to go elsewhere. */
  readonly triedEndpoints: Endpoint[] = [];
  #breaker: CircuitBreaker | undefined = undefined;

  begin(policy: RetryPolicy | undefined): void {
    this.policy = policy;
    this.left = policy?.numRetries ?? 0;
  }

  /** A retry is under way, and counts against the breaker. */
  get held(): boolean {
    return this.#breaker !== undefined;
  }

  hold(breaker: CircuitBreaker): void {
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

  /** Back to the state of a new object. */
  reset(): void {
    this.release();
    this.policy = undefined;
    this.left = 0;
    this.free = 0;
    if (this.triedEndpoints.length > 0) {
      this.triedEndpoints.length = 0;
    }
  }
}
