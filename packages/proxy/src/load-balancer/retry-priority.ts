import type { Prioritised } from './host-set.ts';
import type { PriorityLoad } from './priority-load.ts';

/**
 * Leads the tries of one request away from priorities where it was before (`envoy.retry_priorities.previous_priorities`). When there is none left all of
 * them count again. Semantics, roundings included, are Envoy's.
 */
export class RetryPriority<T extends Prioritised> {
  readonly #updateFrequency: number;
  readonly #tried: T[] = [];
  readonly #left = new Set<number>();
  #load: PriorityLoad | undefined = undefined;

  /** @param updateFrequency tries after which the priorities are looked at anew, at least 1. */
  constructor(updateFrequency: number) {
    this.#updateFrequency = updateFrequency;
  }

  onTry(endpoint: T): void {
    this.#tried.push(endpoint);
  }

  /** What each priority gets of the next try. @param usual of requests that were nowhere yet. */
  loadOf(usual: PriorityLoad): PriorityLoad {
    const count = this.#tried.length;
    if (count < this.#updateFrequency) {
      return usual;
    }
    if (count % this.#updateFrequency !== 0) {
      return this.#load ?? usual;
    }
    for (const { priority } of this.#tried) {
      this.#left.add(priority);
    }
    let available = this.#available(usual);
    if (available === 0) {
      this.#left.clear();
      this.#tried.length = 0;
      available = this.#available(usual);
    }
    this.#load = available === 0 ? undefined : this.#distribute(usual, available);
    return this.#load ?? usual;
  }

  #available({ healthyShare, degradedShare }: PriorityLoad): number {
    let sum = 0;
    for (let index = 0; index < healthyShare.length; index += 1) {
      sum += this.#left.has(index) ? 0 : (healthyShare[index] as number) + (degradedShare[index] as number);
    }
    return Math.min(100, sum);
  }

  #distribute(usual: PriorityLoad, available: number): PriorityLoad {
    const { healthyShare, degradedShare } = usual;
    const healthy = new Uint32Array(healthyShare.length);
    const degraded = new Uint32Array(healthyShare.length);
    let rest = 100;
    const give = (loads: Uint32Array, shares: readonly number[]): void => {
      for (let index = 0; index < shares.length; index += 1) {
        const share = this.#left.has(index) ? 0 : (shares[index] as number);
        const part = Math.min(rest, Math.floor((share * 100) / available));
        loads[index] = (loads[index] as number) + part;
        rest -= part;
      }
    };
    // Once more for what is left by roundings.
    while (rest > 0) {
      give(healthy, healthyShare);
      give(degraded, degradedShare);
    }
    return { ...usual, healthy, degraded };
  }
}
