/** Most results that are kept; when it is full everything is forgotten, which costs time and nothing else. */
export const memoEntriesMax = 200_000;

/**
 * Remembers one result for each key, as long as its inputs are the same objects. The build function is given the inputs and
 * nothing else, so that a result can depend on nothing that is not compared.
 */
export class MemoTable {
  readonly #entries = new Map<string, { readonly inputs: readonly unknown[]; readonly result: unknown }>();

  get size(): number {
    return this.#entries.size;
  }

  /** @param key names the function and what a caller distinguishes; equal keys with other inputs replace each other. */
  get<const I extends readonly unknown[], R>(key: string, inputs: I, build: (inputs: I) => R): R {
    const known = this.#entries.get(key);
    if (known !== undefined && sameItems(known.inputs, inputs)) {
      return known.result as R;
    }
    const result = build(inputs);
    if (this.#entries.size >= memoEntriesMax) {
      this.#entries.clear();
    }
    this.#entries.set(key, { inputs, result });
    return result;
  }
}

/** Whether two lists hold the same objects in the same order. */
export function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) {
    return false;
  }
  for (let index = 0; index < a.length; index += 1) {
    if (!Object.is(a[index], b[index])) {
      return false;
    }
  }
  return true;
}
