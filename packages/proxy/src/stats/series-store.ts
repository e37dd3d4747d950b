/** Series that nobody touched for the longest time go first; this many at once, so that eviction is rare. */
const EVICTED_SHARE = 0.1;

/** One label set with its values, for a caller that keeps it to find it again at once. */
export interface Series<T> {
  readonly value: T;
  /** @internal */
  lastUse: number;
  /** @internal the store has not dropped it. */
  present: boolean;
}

/**
 * Label sets and their values, at most `limit` of them. Peers choose parts of the labels (their identity, a status code), so
 * without a bound a peer could fill the memory.
 */
export class SeriesStore<T extends object> {
  readonly #series = new Map<string, Series<T>>();
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
    return this.find(key, create).value;
  }

  /** As `get`, with what `use` takes. */
  find(key: string, create: () => T): Series<T> {
    this.#uses += 1;
    const known = this.#series.get(key);
    if (known !== undefined) {
      known.lastUse = this.#uses;
      return known;
    }
    if (this.#series.size >= this.#limit) {
      this.#evict();
    }
    const series = { value: create(), lastUse: this.#uses, present: true };
    this.#series.set(key, series);
    return series;
  }

  /** Counts a use of a series that `find` gave. @returns false: it was dropped since, and must be looked up again. */
  use(series: Series<T>): boolean {
    if (series.present) {
      this.#uses += 1;
      series.lastUse = this.#uses;
    }
    return series.present;
  }

  *entries(): Generator<readonly [key: string, value: T]> {
    for (const [key, { value }] of this.#series) {
      yield [key, value];
    }
  }

  deleteWhere(condition: (key: string) => boolean): void {
    for (const [key, series] of [...this.#series].filter(([name]) => condition(name))) {
      this.#drop(key, series);
    }
  }

  #evict(): void {
    const count = Math.max(1, Math.floor(this.#limit * EVICTED_SHARE));
    const oldest = [...this.#series].sort(([, a], [, b]) => a.lastUse - b.lastUse).slice(0, count);
    for (const [key, series] of oldest) {
      this.#drop(key, series);
    }
    this.#evicted += oldest.length;
  }

  #drop(key: string, series: Series<T>): void {
    series.present = false;
    this.#series.delete(key);
  }
}
