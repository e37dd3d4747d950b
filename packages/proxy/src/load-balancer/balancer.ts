import type { Prioritised } from './host-set.ts';
import type { PickContext } from './pick-context.ts';
import type { PriorityLevel, PriorityPolicy } from './priority-set.ts';
import type { LocalCluster } from './zone-routing.ts';

/** Chooses among the endpoints of a cluster. */
export interface Balancer<T extends Prioritised> {
  /** A first choice can be made. */
  readonly ready: boolean;
  /** Takes new endpoints, by priority. */
  update(levels: readonly PriorityLevel<T>[], policy: PriorityPolicy): void;
  /** Many changes in a row cost as much as one. */
  healthChanged(endpoint: T): void;
  /** undefined when no endpoint may be used. */
  pick(context?: PickContext<T>): T | undefined;
  /** The state of the first priority, for those that balance by zone. */
  localCluster(): LocalCluster;
  /** Gives up what is being built. */
  stop(): void;
}
