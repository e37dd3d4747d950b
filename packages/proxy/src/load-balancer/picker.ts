import type { ClusterConfig } from '../runtime-config/config.ts';
import { EdfSchedule } from './edf-schedule.ts';

/** What the balancers look at. */
export interface Balanced {
  readonly weight: number;
  /** Requests in flight. */
  readonly active: number;
}

/** Chooses among a fixed list; a change of membership makes a new picker. */
export interface Picker<T extends Balanced> {
  /** undefined only when the list is empty. */
  pick(): T | undefined;
}

/** Makes the picker of a cluster's policy for one list of endpoints. */
export function createPicker<T extends Balanced>(
  policy: ClusterConfig['loadBalancer'],
  list: readonly T[],
  random: () => number,
): Picker<T> {
  if (list.length <= 1) {
    const [only] = list;
    return { pick: () => only };
  }
  const equal = list.every((item) => item.weight === list[0]?.weight);
  switch (policy.kind) {
    case 'random':
      return { pick: () => list[Math.floor(random() * list.length)] };
    case 'round-robin':
      return equal ? new RotatingPicker(list, random) : new WeightedPicker(list, (item) => item.weight, random);
    default:
      return equal
        ? new LeastRequestPicker(list, policy.choiceCount, random)
        : new WeightedPicker(list, (item) => item.weight / (item.active + 1) ** policy.activeRequestBias, random);
  }
}

class RotatingPicker<T extends Balanced> implements Picker<T> {
  readonly #list: readonly T[];
  #next: number;

  constructor(list: readonly T[], random: () => number) {
    this.#list = list;
    // A random start keeps many proxies from beginning with the same endpoint.
    this.#next = Math.floor(random() * list.length);
  }

  pick(): T | undefined {
    const item = this.#list[this.#next];
    this.#next = this.#next + 1 === this.#list.length ? 0 : this.#next + 1;
    return item;
  }
}

class WeightedPicker<T extends Balanced> implements Picker<T> {
  readonly #schedule = new EdfSchedule<T>();
  readonly #weightOf: (item: T) => number;

  constructor(list: readonly T[], weightOf: (item: T) => number, random: () => number) {
    this.#weightOf = weightOf;
    for (const item of list) {
      this.#schedule.add(item, item.weight);
    }
    for (let skip = Math.floor(random() * list.length); skip > 0; skip -= 1) {
      this.#schedule.next(weightOf);
    }
  }

  pick(): T | undefined {
    return this.#schedule.next(this.#weightOf);
  }
}

/** Power of `choiceCount` choices: the one with the fewest requests in flight. */
class LeastRequestPicker<T extends Balanced> implements Picker<T> {
  readonly #list: readonly T[];
  readonly #choiceCount: number;
  readonly #random: () => number;

  constructor(list: readonly T[], choiceCount: number, random: () => number) {
    this.#list = list;
    this.#choiceCount = choiceCount;
    this.#random = random;
  }

  pick(): T | undefined {
    const list = this.#list;
    let best = list[Math.floor(this.#random() * list.length)];
    for (let choice = 1; choice < this.#choiceCount; choice += 1) {
      const other = list[Math.floor(this.#random() * list.length)];
      if (other !== undefined && best !== undefined && other.active < best.active) {
        best = other;
      }
    }
    return best;
  }
}
