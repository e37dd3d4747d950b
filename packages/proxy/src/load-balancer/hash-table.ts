import type { Hash64 } from './hash64.ts';

/** Maps hashes to endpoints; fixed once it is built. */
export interface HashTable<T> {
  readonly hosts: readonly T[];
  /** What part of the traffic each host should get. */
  readonly shares: Float64Array;
  /**
   * The place in `hosts` of the endpoint for a hash, -1 when there is none.
   * @param attempt 0, or how often what was chosen before was refused: others come then.
   */
  choose(hash: Hash64, attempt: number): number;
}
