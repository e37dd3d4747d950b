import type { SubsetBalancing } from '../runtime-config/subsets.ts';
import { subsetName } from '../runtime-config/subsets.ts';
import type { JsonObject, JsonValue } from '../runtime-config/wire/schema.ts';
import type { Prioritised } from './host-set.ts';
import type { PriorityLevel } from './priority-set.ts';

/** Endpoints of one subset as they are collected, in the levels and localities of the whole. */
export class SubsetMembers<T extends Prioritised> {
  readonly #whole: readonly PriorityLevel<T>[];
  readonly #endpoints: T[][];
  readonly #groups: T[][][];

  constructor(whole: readonly PriorityLevel<T>[]) {
    this.#whole = whole;
    this.#endpoints = whole.map(() => []);
    this.#groups = whole.map(({ localities }) => localities.map(() => []));
  }

  /** In the order of the level. */
  add(level: number, endpoint: T): void {
    this.#endpoints[level]?.push(endpoint);
  }

  /** In the order of the locality. */
  addToLocality(level: number, locality: number, endpoint: T): void {
    this.#groups[level]?.[locality]?.push(endpoint);
  }

  get first(): T | undefined {
    return this.#endpoints.find((endpoints) => endpoints.length > 0)?.[0];
  }

  /** @param scaled weights of localities go by the part of their endpoints that is here. */
  levels(scaled: boolean): readonly PriorityLevel<T>[] {
    return this.#whole.map((level, index) => ({
      endpoints: this.#endpoints[index] ?? [],
      localities: level.localities.map((group, at) => {
        const endpoints = this.#groups[index]?.[at] ?? [];
        const part = group.endpoints.length === 0 ? 0 : endpoints.length / group.endpoints.length;
        return { ...group, endpoints, weight: scaled ? Math.round(group.weight * part) : group.weight };
      }),
      ownLocalityFirst: level.ownLocalityFirst,
    }));
  }
}

/** The names of the subsets that `keys` put an endpoint with this metadata into; none where it lacks a key. */
export function subsetsOf(metadata: JsonObject, keys: readonly string[], listAsAny: boolean): string[] {
  const values: JsonValue[] = [];
  let hasLists = false;
  for (const key of keys) {
    const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    if (value === undefined) {
      return [];
    }
    values.push(value);
    hasLists ||= listAsAny && Array.isArray(value);
  }
  return hasLists ? subsetsOfLists(keys, values) : [subsetName(keys, values)];
}

/** One for each combination of the entries. */
function subsetsOfLists(keys: readonly string[], values: readonly JsonValue[]): string[] {
  let combinations: JsonValue[][] = [[]];
  for (const value of values) {
    const entries: readonly JsonValue[] = Array.isArray(value) ? value : [value];
    combinations = combinations.flatMap((before) => entries.map((entry) => [...before, entry]));
  }
  return [...new Set(combinations.map((combination) => subsetName(keys, combination)))];
}

/** Whether an endpoint with this metadata is in the default subset. */
export function isDefault(metadata: JsonObject, { defaultSubset, listAsAny }: SubsetBalancing): boolean {
  const keys = Object.keys(defaultSubset);
  const wanted = subsetName(keys, Object.values(defaultSubset));
  return subsetsOf(metadata, keys, listAsAny).includes(wanted);
}
