/** Ends a subscription; idempotent. */
export type Unsubscribe = () => void;

/** A value that changes, with its current state always at hand. Listeners run synchronously, in order of subscription. */
export class Watch<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(initial: T) {
    this.#value = initial;
  }

  get value(): T {
    return this.#value;
  }

  /** Replaces the value; listeners are told only when it is another one (`Object.is`). */
  set(value: T): void {
    if (Object.is(value, this.#value)) {
      return;
    }
    this.#value = value;
    for (const listener of [...this.#listeners]) {
      listener(value);
    }
  }

  /** Calls `listener` on each change; with `now`, also at once with the current value. */
  subscribe(listener: (value: T) => void, options: { readonly now?: boolean } = {}): Unsubscribe {
    this.#listeners.add(listener);
    if (options.now === true) {
      listener(this.#value);
    }
    return () => void this.#listeners.delete(listener);
  }
}

/** One change of a {@link WatchMap}: `value` is undefined when the key went away. */
export interface MapChange<K, V> {
  readonly key: K;
  readonly value: V | undefined;
  readonly previous: V | undefined;
}

/** A map whose changes arrive in batches: one listener call for each `update`, however many keys it touched. */
export class WatchMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #listeners = new Set<(changes: readonly MapChange<K, V>[]) => void>();

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): MapIterator<[K, V]> {
    return this.#entries.entries();
  }

  values(): MapIterator<V> {
    return this.#entries.values();
  }

  /** Applies all `changes` at once; `undefined` removes a key. Listeners are called once, and not if nothing changed. */
  update(changes: Iterable<readonly [K, V | undefined]>): void {
    const applied: MapChange<K, V>[] = [];
    for (const [key, value] of changes) {
      const previous = this.#entries.get(key);
      if (Object.is(previous, value)) {
        continue;
      }
      if (value === undefined) {
        this.#entries.delete(key);
      } else {
        this.#entries.set(key, value);
      }
      applied.push({ key, value, previous });
    }
    if (applied.length > 0) {
      for (const listener of [...this.#listeners]) {
        listener(applied);
      }
    }
  }

  /** Makes the content equal to `wanted`: what is not in it is removed. */
  replaceAll(wanted: ReadonlyMap<K, V>): void {
    const gone = [...this.#entries.keys()].filter((key) => !wanted.has(key));
    this.update([...gone.map((key) => [key, undefined] as const), ...wanted]);
  }

  subscribe(listener: (changes: readonly MapChange<K, V>[]) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
