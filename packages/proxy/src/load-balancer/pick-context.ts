import type { SubsetCriteria } from '../runtime-config/subsets.ts';
import type { Hash64 } from './hash64.ts';
import type { Prioritised } from './host-set.ts';
import type { RetryPriority } from './retry-priority.ts';

/** What one request asks of the balancer. The balancer keeps nothing of it. */
export interface PickContext<T extends Prioritised> {
  /** Of the request, by the hash policies of its route; undefined: none was computed, and hashing policies choose at random. */
  readonly hash: Hash64 | undefined;
  /** Address of the endpoint that the request is to go to (session persistence), empty when there is none. */
  readonly overrideAddress: string;
  /** With it the request goes nowhere else. */
  readonly isOverrideStrict: boolean;
  /** How often more a choice is made when {@link shouldSkip} refuses one; the last one stands then. */
  readonly hostSelectionRetries: number;
  /** Leads away from priorities where the request was; undefined: none is avoided. Hashing policies do not hear it. */
  readonly retryPriority?: RetryPriority<T> | undefined;
  /** The subset that the request goes to, in clusters that have subsets; absent: it names none. */
  readonly subset?: SubsetCriteria | undefined;
  /** Where the request says that it goes, in clusters that hear it; absent or empty: it does not say. */
  readonly destination?: string;
  /** Refuses an endpoint, because the request was there before (retry host predicates). */
  shouldSkip(endpoint: T): boolean;
}
