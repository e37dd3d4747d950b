import type { Labels, WorkloadEntry } from '../kinds.ts';
import { selects } from '../match.ts';
import type { Reads } from './reads.ts';
import { labelsOf } from './workload.ts';

/**
 * Finds workloads by selector and selectors by workload without looking at all of them: both are filed under `namespace/key=value`,
 * a workload under each of its labels, a selector under one of its pairs (or under `namespace/` when it is empty and selects all).
 */
export class WorkloadIndex {
  readonly #reads: Reads;
  readonly #workloads = new Map<string, { readonly namespace: string; readonly labels: Labels }>();
  readonly #selectors = new Map<string, { readonly namespace: string; readonly selector: Labels }>();
  readonly #workloadsByPair = new Map<string, Set<string>>();
  readonly #selectorsByPair = new Map<string, Set<string>>();

  constructor(reads: Reads) {
    this.#reads = reads;
  }

  setWorkload(key: string, entry: WorkloadEntry | undefined): void {
    this.#reads.touch(`serving/${key}`);
    const previous = this.#workloads.get(key);
    if (previous !== undefined) {
      for (const pair of pairsOf(previous.namespace, previous.labels)) {
        remove(this.#workloadsByPair, pair, key);
      }
      this.#workloads.delete(key);
    }
    if (entry !== undefined) {
      const facts = { namespace: entry.metadata.namespace ?? '', labels: labelsOf(entry) };
      this.#workloads.set(key, facts);
      for (const pair of pairsOf(facts.namespace, facts.labels)) {
        add(this.#workloadsByPair, pair, key);
      }
    }
  }

  /** @param selector undefined removes it; an empty one selects every workload of the namespace. */
  setSelector(objectKey: string, namespace: string, selector: Labels | undefined): void {
    const previous = this.#selectors.get(objectKey);
    for (const { namespace: place, selector: pairs } of [previous, selector && { namespace, selector }].filter(
      isPresent,
    )) {
      for (const workload of this.workloadsWith(place, pairs)) {
        this.#reads.touch(`serving/${workload}`);
      }
    }
    if (previous !== undefined) {
      remove(this.#selectorsByPair, fileOf(previous.namespace, previous.selector), objectKey);
      this.#selectors.delete(objectKey);
    }
    if (selector !== undefined) {
      this.#selectors.set(objectKey, { namespace, selector });
      add(this.#selectorsByPair, fileOf(namespace, selector), objectKey);
    }
  }

  /** Keys of the workloads of `namespace` with these labels, sorted; not tracked. */
  workloadsWith(namespace: string, selector: Labels): readonly string[] {
    const candidates = this.#workloadsByPair.get(fileOf(namespace, selector)) ?? [];
    return [...candidates].filter((key) => selects(selector, this.#workloads.get(key)?.labels ?? {})).sort();
  }

  /** Object keys of the services that a workload serves, sorted. */
  servicesOf(key: string): readonly string[] {
    this.#reads.note(`serving/${key}`);
    const workload = this.#workloads.get(key);
    return workload === undefined ? [] : this.servicesSelecting(workload.namespace, workload.labels);
  }

  /** Object keys of the services whose selector matches `labels`, sorted; not tracked. */
  servicesSelecting(namespace: string, labels: Labels): readonly string[] {
    const found: string[] = [];
    for (const pair of pairsOf(namespace, labels)) {
      for (const objectKey of this.#selectorsByPair.get(pair) ?? []) {
        if (selects(this.#selectors.get(objectKey)?.selector, labels)) {
          found.push(objectKey);
        }
      }
    }
    return found.sort();
  }
}

/** Where a selector is filed: under its first pair, in the order of keys. */
function fileOf(namespace: string, selector: Labels): string {
  const [first] = Object.keys(selector).sort();
  return first === undefined ? `${namespace}/` : `${namespace}/${first}=${selector[first]}`;
}

function pairsOf(namespace: string, labels: Labels): readonly string[] {
  return [`${namespace}/`, ...Object.entries(labels).map(([key, value]) => `${namespace}/${key}=${value}`)];
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set === undefined) {
    map.set(key, new Set([value]));
  } else {
    set.add(value);
  }
}

function remove(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  set?.delete(value);
  if (set?.size === 0) {
    map.delete(key);
  }
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
