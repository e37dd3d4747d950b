import type { JsonObject, JsonValue } from './wire/schema.ts';

/** `envoy.config.cluster.v3.Cluster.LbSubsetConfig`: endpoints apart by their `envoy.lb` metadata. */
export interface SubsetBalancing {
  /** At least one. */
  readonly selectors: readonly SubsetSelector[];
  /** Where requests go that name no subset with endpoints. */
  readonly fallback: 'none' | 'any' | 'default';
  /** What endpoints of the default subset have; others may be there beside it. */
  readonly defaultSubset: JsonObject;
  /** All endpoints, where the fallback has none to choose. */
  readonly panicAny: boolean;
  /** An endpoint with a list is in the subset of each of its values. */
  readonly listAsAny: boolean;
  readonly localityWeightAware: boolean;
  /** The weight of a locality goes by the part of its endpoints that is in the subset. */
  readonly scaleLocalityWeight: boolean;
}

/** There is a subset for each combination of values that endpoints have under these keys. */
export interface SubsetSelector {
  readonly keys: readonly string[];
  /** Before that of the cluster, for requests that name these keys; `undefined`: that of the cluster. */
  readonly fallback: 'none' | 'any' | 'default' | 'keys' | undefined;
  /** With `keys`: all that is left of what a request names. */
  readonly fallbackKeys: readonly string[];
  /** The first endpoint of a subset is all of it. */
  readonly singleHost: boolean;
}

/** What the subset is called that has these values; `values` in the order of `keys`, which is any. */
export function subsetName(keys: readonly string[], values: readonly JsonValue[]): string {
  const pairs = keys.map((key, index): [string, JsonValue] => [key, canonical(values[index] ?? null)]);
  return JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the selector is called that has these keys, in any order. */
export function selectorName(keys: readonly string[]): string {
  return JSON.stringify([...new Set(keys)].sort());
}

/** Equal values are written equally. */
function canonical(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map((entry: JsonValue) => canonical(entry));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, entry]) => [key, canonical(entry)]));
  }
  return value;
}

/** The subset that a route asks for (`metadata_match`), with its names made in advance. */
export class SubsetCriteria {
  /** {@link subsetName} */
  readonly subset: string;
  /** {@link selectorName} */
  readonly selector: string;
  readonly #wanted: JsonObject;
  readonly #reduced = new Map<string, SubsetCriteria>();

  constructor(wanted: JsonObject) {
    const keys = Object.keys(wanted);
    this.#wanted = wanted;
    this.subset = subsetName(keys, Object.values(wanted));
    this.selector = selectorName(keys);
  }

  /** Less whatever is not among `keys`. */
  only(keys: readonly string[]): SubsetCriteria {
    const name = selectorName(keys);
    let reduced = this.#reduced.get(name);
    if (reduced === undefined) {
      reduced = new SubsetCriteria(
        Object.fromEntries(Object.entries(this.#wanted).filter(([key]) => keys.includes(key))),
      );
      this.#reduced.set(name, reduced);
    }
    return reduced;
  }
}
