/** Series that nobody touched for the longest time go first; this many at once, so that eviction is rare. */
const EVICTED_SHARE = 0.1;

/**
 * Label sets and their values, at most `limit` of them. Peers choose parts of the labels (their identity, a status code), so
 * without a bound a peer could fill the memory.
 */
export class SeriesStore<T extends object> {
  readonly #series = new Map<string, { readonly value: T; lastUse: number }>();
  readonly #limit: number;
  #uses = 0;
  #evicted = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#series.size;
  }

  /** How many series were dropped so far. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The values of `key`; `create` makes them when they are new. */
  get(key: string, create: () => T): T {
    this.#uses += 1;
    const known = this.#series.get(key);
    if (known !== undefined) {
      known.lastUse = this.#uses;
      return known.value;
    }
    if (this.#series.size >= this.#limit) {
      this.#evict();
    }
    const value = create();
    this.#series.set(key, { value, lastUse: this.#uses });
    return value;
  }

  *entries(): Generator<readonly [key: string, value: T]> {
    for (const [key, { value }] of this.#series) {
      yield [key, value];
    }
  }

  deleteWhere(condition: (key: string) => boolean): void {
    for (const key of [...this.#series.keys()].filter(condition)) {
      this.#series.delete(key);
    }
  }

  #evict(): void {
    const count = Math.max(1, Math.floor(this.#limit * EVICTED_SHARE));
    const oldest = [...this.#series].sort(([, a], [, b]) => a.lastUse - b.lastUse).slice(0, count);
    for (const [key] of oldest) {
      this.#series.delete(key);
    }
    this.#evicted += oldest.length;
  }
}
