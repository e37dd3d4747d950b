interface Entry<T> {
  readonly item: T;
  deadline: number;
  /** Breaks ties in order of insertion. */
  order: number;
}

/** Earliest-deadline-first schedule: items come up in proportion to their weights, evenly spread. */
export class EdfSchedule<T> {
  readonly #heap: Entry<T>[] = [];
  #now = 0;
  #order = 0;

  add(item: T, weight: number): void {
    this.#push({ item, deadline: this.#now + 1 / weight, order: this.#order++ });
  }

  /** The next item, which is put back with the weight that `weightOf` gives it now. */
  next(weightOf: (item: T) => number): T | undefined {
    const entry = this.#heap[0];
    if (entry === undefined) {
      return undefined;
    }
    this.#now = entry.deadline;
    entry.deadline = this.#now + 1 / weightOf(entry.item);
    entry.order = this.#order++;
    this.#sink(0);
    return entry.item;
  }

  #push(entry: Entry<T>): void {
    const heap = this.#heap;
    heap.push(entry);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent] as Entry<T>)) {
        break;
      }
      heap[index] = heap[parent] as Entry<T>;
      index = parent;
    }
    heap[index] = entry;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const entry = heap[from] as Entry<T>;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) {
        break;
      }
      if (child + 1 < heap.length && before(heap[child + 1] as Entry<T>, heap[child] as Entry<T>)) {
        child += 1;
      }
      if (!before(heap[child] as Entry<T>, entry)) {
        break;
      }
      heap[index] = heap[child] as Entry<T>;
      index = child;
    }
    heap[index] = entry;
  }
}

function before<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
}
