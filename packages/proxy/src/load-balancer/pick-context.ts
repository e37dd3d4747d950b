import type { Hash64 } from './hash64.ts';

/** What one request asks of the balancer. The balancer keeps nothing of it. */
export interface PickContext<T> {
  /** Of the request, by the hash policies of its route; undefined: none was computed, and hashing policies choose at random. */
  readonly hash: Hash64 | undefined;
  /** Address of the endpoint that the request is to go to (session persistence), empty when there is none. */
  readonly overrideAddress: string;
  /** With it the request goes nowhere else. */
  readonly isOverrideStrict: boolean;
  /** How often more a choice is made when {@link shouldSkip} refuses one; the last one stands then. */
  readonly hostSelectionRetries: number;
  /** Refuses an endpoint, because the request was there before (retry host predicates). */
  shouldSkip(endpoint: T): boolean;
}
