import type { ClusterConfig } from '../runtime-config/config.ts';
import { type Balanced, createPicker, type Picker } from './picker.ts';

/** What failover looks at. */
export interface Prioritised extends Balanced {
  readonly priority: number;
  readonly health: 'healthy' | 'unhealthy' | 'draining' | 'degraded';
}

interface Level<T extends Balanced> {
  readonly healthyLoad: number;
  readonly degradedLoad: number;
  readonly panic: boolean;
  readonly healthy: Picker<T>;
  readonly degraded: Picker<T>;
  readonly all: Picker<T>;
}

export interface PriorityOptions {
  readonly policy: ClusterConfig['loadBalancer'];
  /** Percent, Envoy's default 140. */
  readonly overprovisioningFactor: number;
  readonly panicThresholdPercent: number;
  readonly random: () => number;
  /** Told when a choice is made among all endpoints because too few are healthy. */
  readonly onPanic: () => void;
}

/**
 * Failover by priority as Envoy does it: a level takes as much of the load as its healthy share, times the
 * over-provisioning factor, allows; the rest goes to the next. When all levels together are not healthy enough, a level
 * below the panic threshold is used as if everything in it were healthy.
 */
export class PrioritySet<T extends Prioritised> {
  readonly #levels: readonly Level<T>[];
  readonly #single: Picker<T> | undefined;
  readonly #options: PriorityOptions;

  constructor(endpoints: readonly T[], options: PriorityOptions) {
    this.#options = options;
    const byPriority: T[][] = [];
    for (const endpoint of endpoints) {
      const list = byPriority[endpoint.priority] ?? [];
      list.push(endpoint);
      byPriority[endpoint.priority] = list;
    }
    const lists = Array.from(byPriority, (list) => list ?? []);
    this.#levels = computeLevels(lists, options);
    const [first] = this.#levels;
    this.#single = first !== undefined && first.healthyLoad === 100 && !first.panic ? first.healthy : undefined;
  }

  /** undefined when no endpoint may be used. */
  pick(): T | undefined {
    if (this.#single !== undefined) {
      return this.#single.pick();
    }
    let point = this.#options.random() * 100;
    for (const level of this.#levels) {
      if (point < level.healthyLoad) {
        return this.#pickFrom(level, level.healthy);
      }
      point -= level.healthyLoad;
    }
    for (const level of this.#levels) {
      if (point < level.degradedLoad) {
        return this.#pickFrom(level, level.degraded);
      }
      point -= level.degradedLoad;
    }
    return undefined;
  }

  #pickFrom(level: Level<T>, picker: Picker<T>): T | undefined {
    if (!level.panic) {
      return picker.pick();
    }
    this.#options.onPanic();
    return level.all.pick();
  }
}

function computeLevels<T extends Prioritised>(lists: readonly T[][], options: PriorityOptions): Level<T>[] {
  const healthy = lists.map((list) => list.filter((endpoint) => endpoint.health === 'healthy'));
  const degraded = lists.map((list) => list.filter((endpoint) => endpoint.health === 'degraded'));
  const share = (part: readonly T[], whole: readonly T[]): number =>
    whole.length === 0 ? 0 : Math.min(100, (options.overprovisioningFactor * part.length) / whole.length);
  const healthyShare = lists.map((list, index) => share(healthy[index] ?? [], list));
  const degradedShare = lists.map((list, index) => share(degraded[index] ?? [], list));
  const total = Math.min(100, sum(healthyShare) + sum(degradedShare));
  const panic = lists.map(
    (list, index) =>
      total < 100 &&
      list.length > 0 &&
      (100 * (healthy[index]?.length ?? 0)) / list.length < options.panicThresholdPercent,
  );
  const allInPanic = lists.every((list, index) => list.length === 0 || panic[index] === true);
  const count = sum(lists.map((list) => list.length));
  let rest = 100;
  const loadOf = (percent: number): number => {
    const load = total === 0 ? 0 : Math.min(rest, (percent * 100) / total);
    rest -= load;
    return load;
  };
  const healthyLoad = healthyShare.map(loadOf);
  const degradedLoad = degradedShare.map(loadOf);
  return lists.map((list, index) => ({
    // With everything in panic each level gets what its size is worth.
    healthyLoad: allInPanic && count > 0 ? (100 * list.length) / count : (healthyLoad[index] ?? 0),
    degradedLoad: allInPanic ? 0 : (degradedLoad[index] ?? 0),
    panic: panic[index] === true,
    healthy: createPicker(options.policy, healthy[index] ?? [], options.random),
    degraded: createPicker(options.policy, degraded[index] ?? [], options.random),
    all: createPicker(options.policy, list, options.random),
  }));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
