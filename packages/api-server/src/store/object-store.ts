import { type Logger, MeshError } from '@weft/base';
import type { KubeObject } from '@weft/resources';
import { tooManyRequests } from '../registry/status-error.ts';
import type { Storage, StorageChange } from '../storage/storage.ts';
import { Collection, keyOf, type StoreEvent } from './collection.ts';
import { deepFreeze } from './freeze.ts';

/**
 * The state that one write sees and changes. Valid only inside the function it was given to, which must not await: all
 * writes run one after the other, so that reading, deciding and writing is one step.
 */
export interface Transaction {
  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined;
  list(resource: string, namespace?: string): readonly KubeObject[];
  /** Stores `object` with a new `metadata.resourceVersion`; returns what is stored, frozen. */
  put(resource: string, object: KubeObject): KubeObject;
  /** Removes; returns the last state with the version of the deletion. */
  delete(resource: string, object: KubeObject): KubeObject;
}

interface PendingWrite {
  readonly run: (transaction: Transaction) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Change {
  readonly collection: Collection;
  readonly event: StoreEvent;
}

export interface ObjectStoreOptions {
  readonly storage: Storage;
  /** Every resource that can be stored, as `<plural>.<group>` or `<plural>`. */
  readonly resources: readonly string[];
  readonly maxHistoryEvents: number;
  readonly maxPendingWrites: number;
  readonly logger: Logger;
}

/** Most writes that share one commit; bounds how long a batch keeps the event loop. */
const maxBatch = 256;

/**
 * All objects in memory, in front of a {@link Storage}. Reads see what is committed and never touch the disk. Writes
 * that arrive together are run in order against the state the earlier ones of the batch leave behind and share one
 * commit; only when it is durable are they acknowledged and seen by readers and watches.
 */
export class ObjectStore {
  readonly #storage: Storage;
  readonly #collections = new Map<string, Collection>();
  readonly #maxPendingWrites: number;
  readonly #logger: Logger;
  readonly #observers = new Set<(event: StoreEvent, resource: string) => void>();
  #queue: PendingWrite[] = [];
  #pump: Promise<void> | undefined;
  #revision: number;
  #closed = false;

  private constructor(options: ObjectStoreOptions, revision: number) {
    this.#storage = options.storage;
    this.#logger = options.logger;
    this.#maxPendingWrites = options.maxPendingWrites;
    this.#revision = revision;
    for (const resource of options.resources) {
      this.#collections.set(resource, new Collection(resource, revision, options.maxHistoryEvents));
    }
  }

  /**
   * Reads everything that is stored.
   * @throws MeshError STORAGE_CORRUPT when a record is not JSON or is of a kind this version does not serve.
   */
  static async open(options: ObjectStoreOptions): Promise<ObjectStore> {
    const content = await options.storage.load();
    // Version 0 means "any" in list and watch calls, so the first state is version 1.
    const store = new ObjectStore(options, Math.max(1, content.revision));
    for (const record of content.records) {
      const collection = store.#collections.get(record.resource);
      if (collection === undefined) {
        throw new MeshError(
          'STORAGE_CORRUPT',
          `the storage holds ${record.resource}, which this version does not serve`,
          {
            hint: 'Use the version of Weft that wrote the file, or delete these objects with it first.',
          },
        );
      }
      collection.load(keyOf(record.namespace, record.name), parseRecord(record.resource, record.name, record.value));
    }
    return store;
  }

  /** The latest committed version; grows with every change of any object. */
  get revision(): number {
    return this.#revision;
  }

  /** @throws MeshError NOT_FOUND for a resource that is not stored: a defect of the caller. */
  collection(resource: string): Collection {
    const collection = this.#collections.get(resource);
    if (collection === undefined) {
      throw new MeshError('INTERNAL', `no collection ${resource}`);
    }
    return collection;
  }

  /** Called for each committed change of any resource, after the watches of the resource. */
  observe(observer: (event: StoreEvent, resource: string) => void): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /**
   * Runs `run` in turn and resolves with its result once its changes are durable. When `run` throws, nothing of it is
   * stored and the promise rejects with what it threw.
   * @throws MeshError DISK_FULL, STORAGE_FAILED …: nothing is stored. StatusError 429 when too many writes wait.
   */
  write<T>(run: (transaction: Transaction) => T): Promise<T> {
    if (this.#closed) {
      return Promise.reject(new MeshError('UNAVAILABLE', 'the API server is stopping'));
    }
    if (this.#queue.length >= this.#maxPendingWrites) {
      return Promise.reject(tooManyRequests('too many writes wait for the disk; try again later', 1));
    }
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run, resolve: resolve as (value: unknown) => void, reject });
      this.#pump ??= this.#work();
    });
  }

  async #work(): Promise<void> {
    // One turn of the event loop gathers what arrives together into one batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, maxBatch);
      this.#queue = this.#queue.slice(maxBatch);
      await this.#commit(batch);
      if (this.#queue.length > 0) {
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    }
    this.#pump = undefined;
  }

  async #commit(batch: readonly PendingWrite[]): Promise<void> {
    const overlay = new Overlay(this.#collections, this.#revision);
    const settle: (() => void)[] = [];
    const done: PendingWrite[] = [];
    for (const write of batch) {
      const mark = overlay.mark();
      try {
        const value = write.run(overlay);
        settle.push(() => write.resolve(value));
        done.push(write);
      } catch (error) {
        overlay.rollBackTo(mark);
        settle.push(() => write.reject(error));
      }
    }
    const changes = overlay.changes;
    if (changes.length > 0) {
      try {
        await this.#storage.commit(changes.map(storageChange), overlay.revision);
      } catch (error) {
        this.#logger.error('a batch of writes could not be stored', { writes: done.length, error });
        const failed = new Set(done);
        for (const write of batch) {
          if (failed.has(write)) {
            write.reject(error);
          }
        }
        // Those that had failed before keep their own reason; for the others the promise is settled already.
        for (const settleOne of settle) {
          settleOne();
        }
        return;
      }
      this.#revision = overlay.revision;
      for (const { collection, event } of changes) {
        collection.apply(event);
      }
    }
    for (const settleOne of settle) {
      settleOne();
    }
    for (const { collection, event } of changes) {
      collection.publish(event);
      for (const observer of [...this.#observers]) {
        observer(event, collection.resource);
      }
    }
  }

  /** Waits for the writes that were accepted, then closes the storage. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pump;
    await this.#storage.close();
  }
}

/** The state as the batch would leave it. */
class Overlay implements Transaction {
  readonly #collections: ReadonlyMap<string, Collection>;
  readonly #base: number;
  readonly changes: Change[] = [];
  /** Latest uncommitted state by resource and key; null for a deleted object. */
  #latest = new Map<string, Map<string, KubeObject | null>>();

  constructor(collections: ReadonlyMap<string, Collection>, base: number) {
    this.#collections = collections;
    this.#base = base;
  }

  get revision(): number {
    return this.#base + this.changes.length;
  }

  mark(): number {
    return this.changes.length;
  }

  rollBackTo(mark: number): void {
    if (mark === this.changes.length) {
      return;
    }
    this.changes.length = mark;
    this.#latest = new Map();
    for (const { collection, event } of this.changes) {
      this.#remember(collection.resource, event);
    }
  }

  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#read(this.#collection(resource), keyOf(namespace, name));
  }

  list(resource: string, namespace?: string): readonly KubeObject[] {
    const committed = this.#collection(resource).list(namespace);
    const latest = this.#latest.get(resource);
    if (latest === undefined) {
      return committed;
    }
    const rest = committed.filter((object) => !latest.has(keyOf(object.metadata.namespace, object.metadata.name)));
    const changed = [...latest.values()].filter(
      (object): object is KubeObject =>
        object !== null && (namespace === undefined || object.metadata.namespace === namespace),
    );
    return [...rest, ...changed];
  }

  put(resource: string, object: KubeObject): KubeObject {
    const collection = this.#collection(resource);
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    const previous = this.#read(collection, key);
    return this.#add(collection, previous === undefined ? 'ADDED' : 'MODIFIED', key, object, previous);
  }

  delete(resource: string, object: KubeObject): KubeObject {
    const collection = this.#collection(resource);
    const key = keyOf(object.metadata.namespace, object.metadata.name);
    return this.#add(collection, 'DELETED', key, object, this.#read(collection, key) ?? object);
  }

  #add(
    collection: Collection,
    type: StoreEvent['type'],
    key: string,
    object: KubeObject,
    previous: KubeObject | undefined,
  ): KubeObject {
    const revision = this.revision + 1;
    const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
    const event: StoreEvent = { type, revision, key, object: stored, previous };
    this.changes.push({ collection, event });
    this.#remember(collection.resource, event);
    return stored;
  }

  #remember(resource: string, event: StoreEvent): void {
    let latest = this.#latest.get(resource);
    if (latest === undefined) {
      latest = new Map();
      this.#latest.set(resource, latest);
    }
    latest.set(event.key, event.type === 'DELETED' ? null : event.object);
  }

  #read(collection: Collection, key: string): KubeObject | undefined {
    const uncommitted = this.#latest.get(collection.resource)?.get(key);
    return uncommitted === null ? undefined : (uncommitted ?? collection.get(key));
  }

  #collection(resource: string): Collection {
    const collection = this.#collections.get(resource);
    if (collection === undefined) {
      throw new MeshError('INTERNAL', `no collection ${resource}`);
    }
    return collection;
  }
}

function storageChange({ collection, event }: Change): StorageChange {
  const { metadata } = event.object;
  return {
    resource: collection.resource,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    revision: event.revision,
    value: event.type === 'DELETED' ? undefined : JSON.stringify(event.object),
  };
}

function parseRecord(resource: string, name: string, value: string): KubeObject {
  try {
    return deepFreeze(JSON.parse(value) as KubeObject);
  } catch (error) {
    throw new MeshError('STORAGE_CORRUPT', `the record of ${resource} "${name}" is not JSON`, { cause: error });
  }
}
