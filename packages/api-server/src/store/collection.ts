import type { KubeObject } from '@weft/resources';
import { expired } from '../registry/status-error.ts';

/** A committed change of one object. */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  readonly key: string;
  /** The new state; of a deleted object the last state, with the revision of its deletion. */
  readonly object: KubeObject;
  /** The state before; undefined for ADDED. */
  readonly previous: KubeObject | undefined;
}

/** Where an object stands in its collection; sorts by namespace, then name. */
export function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

/** The committed objects of one resource in memory, and the latest changes of them. */
export class Collection {
  readonly resource: string;
  readonly #maxEvents: number;
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #sortedKeys: string[] | undefined;
  #events: StoreEvent[] = [];
  /** Events at and below this revision are not known any more. */
  #compacted: number;

  constructor(resource: string, compacted: number, maxEvents: number) {
    this.resource = resource;
    this.#compacted = compacted;
    this.#maxEvents = maxEvents;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  /** Objects in order of their keys; only those of `namespace` when it is given. */
  list(namespace?: string): KubeObject[] {
    this.#sortedKeys ??= [...this.#objects.keys()].sort();
    return pick(this.#sortedKeys, (key) => this.#objects.get(key), namespace);
  }

  /**
   * The list as it was at `revision`, by undoing later events.
   * @throws StatusError 410 when an event after `revision` is not known any more.
   */
  listAt(revision: number, namespace?: string): KubeObject[] {
    this.assertKnown(revision);
    const undone = new Map<string, KubeObject | undefined>();
    for (let index = this.#events.length - 1; index >= 0; index -= 1) {
      const event = this.#events[index];
      if (event === undefined || event.revision <= revision) {
        break;
      }
      undone.set(event.key, event.previous);
    }
    if (undone.size === 0) {
      return this.list(namespace);
    }
    const keys = [...new Set([...this.#objects.keys(), ...undone.keys()])].sort();
    return pick(keys, (key) => (undone.has(key) ? undone.get(key) : this.#objects.get(key)), namespace);
  }

  /** @throws StatusError 410 when a change after `revision` is not known any more. */
  assertKnown(revision: number): void {
    if (revision < this.#compacted) {
      throw expired(`too old resource version: ${revision} (${this.#compacted})`);
    }
  }

  /** Events after `revision`, oldest first. @throws StatusError 410 as {@link assertKnown}. */
  eventsSince(revision: number): StoreEvent[] {
    this.assertKnown(revision);
    let start = this.#events.length;
    while (start > 0 && (this.#events[start - 1]?.revision ?? 0) > revision) {
      start -= 1;
    }
    return this.#events.slice(start);
  }

  /** Called for each committed change, in order. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Puts what was stored before the start; no event. */
  load(key: string, object: KubeObject): void {
    this.#objects.set(key, object);
    this.#sortedKeys = undefined;
  }

  apply(event: StoreEvent): void {
    if (event.type === 'DELETED') {
      this.#objects.delete(event.key);
      this.#sortedKeys = undefined;
    } else {
      this.#objects.set(event.key, event.object);
      if (event.type === 'ADDED') {
        this.#sortedKeys = undefined;
      }
    }
    this.#events.push(event);
    // Trimmed in steps, so that a full history does not copy itself on each event.
    if (this.#events.length > this.#maxEvents * 1.25) {
      const dropped = this.#events.length - this.#maxEvents;
      this.#compacted = this.#events[dropped - 1]?.revision ?? this.#compacted;
      this.#events = this.#events.slice(dropped);
    }
  }

  publish(event: StoreEvent): void {
    for (const listener of [...this.#listeners]) {
      listener(event);
    }
  }
}

function pick(
  keys: readonly string[],
  objectOf: (key: string) => KubeObject | undefined,
  namespace: string | undefined,
): KubeObject[] {
  const prefix = namespace === undefined ? undefined : `${namespace}/`;
  const found: KubeObject[] = [];
  for (const key of keys) {
    if (prefix !== undefined && !key.startsWith(prefix)) {
      continue;
    }
    const object = objectOf(key);
    if (object !== undefined) {
      found.push(object);
    }
  }
  return found;
}
