import type { LoadBalancerPolicy } from '../runtime-config/load-balancing.ts';
import { EdfSchedule } from './edf-schedule.ts';
import type { LatencyEstimate } from './peak-ewma.ts';
import { isAnyStarting, type SlowStarting, type SlowStartOptions, slowStartFactor } from './slow-start.ts';

/** What the balancers look at. */
export interface Balanced extends SlowStarting {
  readonly weight: number;
  /** Requests in flight. */
  readonly active: number;
  /** Present where the policy goes by latency. */
  readonly latency: LatencyEstimate | undefined;
}

/** Chooses among a fixed list; a change of membership makes a new picker. */
export interface Picker<T extends Balanced> {
  /** undefined only when the list is empty. */
  pick(): T | undefined;
}

/** What pickers need of their surroundings. */
export interface PickerContext {
  readonly random: () => number;
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
}

/** Policies that choose without a hash. */
export type PickingPolicy = Exclude<LoadBalancerPolicy, { readonly kind: 'ring-hash' | 'maglev' }>;

/** Makes the picker of a cluster's policy for one list of endpoints. */
export function createPicker<T extends Balanced>(
  policy: PickingPolicy,
  list: readonly T[],
  context: PickerContext,
): Picker<T> {
  if (list.length <= 1) {
    const [only] = list;
    return { pick: () => only };
  }
  switch (policy.kind) {
    case 'random':
      return { pick: () => list[Math.floor(context.random() * list.length)] };
    case 'peak-ewma':
      return new PeakEwmaPicker(list, policy.slowStart, context);
    case 'round-robin':
      return isEven(list, policy.slowStart, context)
        ? new RotatingPicker(list, context.random)
        : new WeightedPicker(list, roundRobinWeight(policy.slowStart, context), context.random);
    default:
      if (!isEven(list, policy.slowStart, context)) {
        return new WeightedPicker(list, leastRequestWeight(policy, context), context.random);
      }
      return policy.fullScan
        ? new FullScanPicker(list, context.random)
        : new LeastRequestPicker(list, policy.choiceCount, context.random);
  }
}

/** All weigh the same, now and later. */
function isEven(list: readonly Balanced[], slowStart: SlowStartOptions | undefined, { nowMs }: PickerContext): boolean {
  const weight = list[0]?.weight;
  return (
    list.every((item) => item.weight === weight) &&
    (slowStart === undefined || !isAnyStarting(list, slowStart, nowMs()))
  );
}

function roundRobinWeight(
  slowStart: SlowStartOptions | undefined,
  { nowMs }: PickerContext,
): (item: Balanced) => number {
  return slowStart === undefined
    ? (item) => item.weight
    : (item) => item.weight * slowStartFactor(item, slowStart, nowMs());
}

function leastRequestWeight(
  policy: Extract<PickingPolicy, { readonly kind: 'least-request' }>,
  { nowMs }: PickerContext,
): (item: Balanced) => number {
  const { slowStart, activeRequestBias } = policy;
  return (item) => {
    const busy = activeRequestBias === 1 ? item.active + 1 : (item.active + 1) ** activeRequestBias;
    const weight = item.weight / busy;
    return slowStart === undefined ? weight : weight * slowStartFactor(item, slowStart, nowMs());
  };
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
  readonly #schedule: EdfSchedule<T>;

  constructor(list: readonly T[], weightOf: (item: T) => number, random: () => number) {
    this.#schedule = new EdfSchedule(list, weightOf, random());
  }

  pick(): T {
    return this.#schedule.next();
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

/** The least loaded of all; among equals each has the same chance. */
class FullScanPicker<T extends Balanced> implements Picker<T> {
  readonly #list: readonly T[];
  readonly #random: () => number;

  constructor(list: readonly T[], random: () => number) {
    this.#list = list;
    this.#random = random;
  }

  pick(): T | undefined {
    const list = this.#list;
    let best = list[0];
    let least = best?.active ?? 0;
    let equals = 1;
    for (let index = 1; index < list.length; index += 1) {
      const item = list[index] as T;
      if (item.active < least) {
        best = item;
        least = item.active;
        equals = 1;
      } else if (item.active === least) {
        equals += 1;
        if (this.#random() * equals < 1) {
          best = item;
        }
      }
    }
    return best;
  }
}

/** Of two different ones at random, that with the lower cost: latency × (requests in flight + 1), by weight. */
class PeakEwmaPicker<T extends Balanced> implements Picker<T> {
  readonly #list: readonly T[];
  readonly #slowStart: SlowStartOptions | undefined;
  readonly #context: PickerContext;

  constructor(list: readonly T[], slowStart: SlowStartOptions | undefined, context: PickerContext) {
    this.#list = list;
    this.#slowStart = slowStart;
    this.#context = context;
  }

  pick(): T {
    const list = this.#list;
    const { random, nowMs } = this.#context;
    const first = Math.floor(random() * list.length);
    const draw = Math.floor(random() * (list.length - 1));
    const one = list[first] as T;
    const other = list[draw >= first ? draw + 1 : draw] as T;
    const now = nowMs();
    return this.#cost(other, now) < this.#cost(one, now) ? other : one;
  }

  #cost(item: Balanced, nowMs: number): number {
    const slowStart = this.#slowStart;
    const cost = ((item.latency?.at(nowMs) ?? 1) * (item.active + 1)) / item.weight;
    return slowStart === undefined ? cost : cost / slowStartFactor(item, slowStart, nowMs);
  }
}
