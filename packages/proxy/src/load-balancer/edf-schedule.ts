/**
 * Earliest-deadline-first schedule: items come up in proportion to their weights, evenly spread. It stands at a random
 * moment of its own time at the beginning, so that many proxies do not begin with the same endpoint.
 */
export class EdfSchedule<T> {
  readonly #items: T[];
  /** A heap: the entry at 0 is due first. */
  readonly #deadlines: Float64Array;
  readonly #weightOf: (item: T) => number;
  /** Breaks ties in order of insertion. */
  readonly #orders: Float64Array;
  #order: number;

  /**
   * @param items at least one.
   * @param weightOf above 0; asked again each time that an item comes up.
   * @param phase in [0, 1): how far the schedule has come.
   */
  constructor(items: readonly T[], weightOf: (item: T) => number, phase: number) {
    this.#weightOf = weightOf;
    this.#items = [...items];
    this.#deadlines = new Float64Array(items.length);
    this.#orders = new Float64Array(items.length);
    this.#order = items.length;
    const first = Math.floor(((phase * 7919) % 1) * items.length);
    let least = Number.POSITIVE_INFINITY;
    for (let index = 0; index < items.length; index += 1) {
      const weight = weightOf(items[index] as T);
      least = Math.min(least, weight);
      this.#deadlines[index] = weight;
      // Where several are due at once, none is always the first.
      this.#orders[index] = (index + first) % items.length;
    }
    const now = phase / least;
    for (let index = 0; index < items.length; index += 1) {
      const weight = this.#deadlines[index] as number;
      this.#deadlines[index] = (Math.floor(now * weight) + 1) / weight;
    }
    for (let index = (items.length >> 1) - 1; index >= 0; index -= 1) {
      this.#sink(index);
    }
  }

  /** The next item, which is put back with the weight that it has now. */
  next(): T {
    const item = this.#items[0] as T;
    this.#deadlines[0] = (this.#deadlines[0] as number) + 1 / this.#weightOf(item);
    this.#orders[0] = this.#order++;
    this.#sink(0);
    return item;
  }

  #sink(from: number): void {
    const items = this.#items;
    const deadlines = this.#deadlines;
    const orders = this.#orders;
    const item = items[from] as T;
    const deadline = deadlines[from] as number;
    const order = orders[from] as number;
    const { length } = items;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) {
        break;
      }
      let earliest = deadlines[child] as number;
      if (child + 1 < length) {
        const other = deadlines[child + 1] as number;
        if (other < earliest || (other === earliest && (orders[child + 1] as number) < (orders[child] as number))) {
          child += 1;
          earliest = other;
        }
      }
      if (earliest > deadline || (earliest === deadline && (orders[child] as number) > order)) {
        break;
      }
      items[index] = items[child] as T;
      deadlines[index] = earliest;
      orders[index] = orders[child] as number;
      index = child;
    }
    items[index] = item;
    deadlines[index] = deadline;
    orders[index] = order;
  }
}
