import type { Clock, Logger } from '@weft/base';
import type { KubeObject } from '@weft/resources';
import { keyOf, type StoreEvent } from '../store/collection.ts';
import type { Transaction } from '../store/object-store.ts';
import type { Registry } from './registry.ts';
import { foregroundFinalizer, orphanFinalizer, removeObject } from './removal.ts';
import type { ServedResource } from './served-resource.ts';

/** An object by where it is stored. */
interface Location {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

/**
 * Deletes what lost its owners, sees to the finalizers `foregroundDeletion` and `orphan`, and empties namespaces that are being
 * deleted. Works from an index of owners that every committed change keeps right.
 */
export class GarbageCollector {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #resources: ReadonlyMap<string, ServedResource>;
  /** Objects that live, by uid. */
  readonly #living = new Map<string, Location>();
  /** Dependents by the uid of their owner, each under its place. */
  readonly #dependents = new Map<string, Map<string, Location>>();
  readonly #queue: (() => Promise<void>)[] = [];
  #working: Promise<void> | undefined;
  #stopped = false;
  readonly #unsubscribe: () => void;

  constructor(registry: Registry, clock: Clock, logger: Logger) {
    this.#registry = registry;
    this.#clock = clock;
    this.#logger = logger;
    this.#resources = new Map(registry.resources.map((resource) => [resource.key, resource]));
    for (const resource of registry.resources) {
      for (const object of registry.store.collection(resource.key).list()) {
        this.#index(resource.key, object, undefined);
      }
    }
    this.#unsubscribe = registry.store.observe((event, resource) => this.#onChange(event, resource));
    for (const resource of registry.resources) {
      for (const object of registry.store.collection(resource.key).list()) {
        this.#judge(resource.key, object);
      }
    }
  }

  /** Resolves when nothing is left to do now. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) {
      await this.#working;
    }
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    return this.idle();
  }

  #onChange(event: StoreEvent, resource: string): void {
    const { object, previous } = event;
    if (event.type !== 'DELETED') {
      this.#index(resource, object, previous);
      this.#judge(resource, object);
      return;
    }
    const { uid, namespace, name } = object.metadata;
    this.#unindex(resource, previous ?? object);
    if (uid !== undefined) {
      this.#living.delete(uid);
      for (const dependent of this.#dependents.get(uid)?.values() ?? []) {
        this.#later(() => this.#settleDependent(dependent));
      }
    }
    for (const owner of object.metadata.ownerReferences ?? []) {
      const location = this.#living.get(owner.uid);
      if (location !== undefined) {
        this.#later(() => this.#settleOwner(location));
      }
    }
    if (namespace !== undefined) {
      this.#maybeFinishNamespace(namespace);
    }
    if (resource === 'namespaces') {
      this.#logger.debug('namespace deleted', { namespace: name });
    }
  }

  #index(resource: string, object: KubeObject, previous: KubeObject | undefined): void {
    const { uid, namespace, name } = object.metadata;
    const location: Location = { resource, namespace, name };
    if (uid !== undefined) {
      this.#living.set(uid, location);
    }
    if (previous !== undefined && previous.metadata.ownerReferences !== object.metadata.ownerReferences) {
      this.#unindex(resource, previous);
    }
    for (const owner of object.metadata.ownerReferences ?? []) {
      let dependents = this.#dependents.get(owner.uid);
      if (dependents === undefined) {
        dependents = new Map();
        this.#dependents.set(owner.uid, dependents);
      }
      dependents.set(placeOf(location), location);
    }
  }

  #unindex(resource: string, object: KubeObject): void {
    const { namespace, name } = object.metadata;
    for (const owner of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(placeOf({ resource, namespace, name }));
      if (dependents?.size === 0) {
        this.#dependents.delete(owner.uid);
      }
    }
  }

  /** What a change of an object asks for. */
  #judge(resource: string, object: KubeObject): void {
    const { metadata } = object;
    const location: Location = { resource, namespace: metadata.namespace, name: metadata.name };
    const owners = metadata.ownerReferences ?? [];
    if (owners.length > 0 && owners.every((owner) => !this.#living.has(owner.uid))) {
      this.#later(() => this.#settleDependent(location));
    }
    if (metadata.deletionTimestamp === undefined) {
      return;
    }
    if (resource === 'namespaces') {
      this.#later(() => this.#emptyNamespace(metadata.name));
    }
    if (
      (metadata.finalizers ?? []).some(
        (finalizer) => finalizer === foregroundFinalizer || finalizer === orphanFinalizer,
      )
    ) {
      this.#later(() => this.#settleOwner(location));
    }
  }

  #later(job: () => Promise<void>): void {
    if (this.#stopped) {
      return;
    }
    this.#queue.push(job);
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      try {
        await job();
      } catch (error) {
        // The next change of the object, or the next start, tries again.
        this.#logger.warn('garbage collection of an object failed', { error });
      }
    }
    this.#working = undefined;
  }

  #change(
    location: Location,
    step: (transaction: Transaction, resource: ServedResource, object: KubeObject) => void,
  ): Promise<void> {
    return this.#registry.store.write((transaction) => {
      const resource = this.#resources.get(location.resource);
      const object = transaction.get(location.resource, location.namespace, location.name);
      if (resource !== undefined && object !== undefined) {
        step(transaction, resource, object);
      }
    });
  }

  #remove(transaction: Transaction, resource: ServedResource, object: KubeObject): void {
    removeObject(transaction, resource, object, { policy: 'Background', nowMs: this.#clock.now() });
  }

  /** Deletes an object whose owners are all gone; takes out references to those that are, when some are left. */
  #settleDependent(location: Location): Promise<void> {
    return this.#change(location, (transaction, resource, object) => {
      const owners = object.metadata.ownerReferences ?? [];
      const left = owners.filter((owner) => this.#living.has(owner.uid));
      if (owners.length === 0 || left.length === owners.length) {
        return;
      }
      if (left.length === 0) {
        this.#remove(transaction, resource, object);
      } else {
        transaction.put(resource.key, { ...object, metadata: { ...object.metadata, ownerReferences: left } });
      }
    });
  }

  /** Goes on with the deletion of an owner that waits for its dependents, or lets them go. */
  async #settleOwner(location: Location): Promise<void> {
    const resource = this.#resources.get(location.resource);
    const object =
      resource && this.#registry.store.collection(resource.key).get(keyOf(location.namespace, location.name));
    if (object?.metadata.deletionTimestamp === undefined || object.metadata.uid === undefined) {
      return;
    }
    const { uid } = object.metadata;
    const finalizers = object.metadata.finalizers ?? [];
    const dependents = [...(this.#dependents.get(uid)?.values() ?? [])];
    if (finalizers.includes(orphanFinalizer)) {
      for (const dependent of dependents) {
        await this.#change(dependent, (transaction, dependentResource, found) => {
          const { ownerReferences, ...metadata } = found.metadata;
          const left = (ownerReferences ?? []).filter((owner) => owner.uid !== uid);
          transaction.put(dependentResource.key, {
            ...found,
            metadata: left.length === 0 ? metadata : { ...metadata, ownerReferences: left },
          });
        });
      }
      await this.#dropFinalizer(location, orphanFinalizer);
    } else if (finalizers.includes(foregroundFinalizer)) {
      for (const dependent of dependents) {
        await this.#change(dependent, (transaction, dependentResource, found) => {
          this.#remove(transaction, dependentResource, found);
        });
      }
      const blocking = [...(this.#dependents.get(uid)?.values() ?? [])].some((dependent) =>
        this.#blocks(dependent, uid),
      );
      if (!blocking) {
        await this.#dropFinalizer(location, foregroundFinalizer);
      }
    }
  }

  #blocks(location: Location, ownerUid: string): boolean {
    const object = this.#registry.store.collection(location.resource).get(keyOf(location.namespace, location.name));
    return (object?.metadata.ownerReferences ?? []).some(
      (owner) => owner.uid === ownerUid && owner.blockOwnerDeletion === true,
    );
  }

  #dropFinalizer(location: Location, finalizer: string): Promise<void> {
    return this.#change(location, (transaction, resource, object) => {
      const { finalizers, ...metadata } = object.metadata;
      const left = (finalizers ?? []).filter((each) => each !== finalizer);
      const next: KubeObject = {
        ...object,
        metadata: left.length === 0 ? metadata : { ...metadata, finalizers: left },
      };
      if (left.length === 0 && resource.key !== 'namespaces') {
        transaction.delete(resource.key, next);
      } else {
        transaction.put(resource.key, next);
      }
    });
  }

  async #emptyNamespace(name: string): Promise<void> {
    for (const resource of this.#registry.resources) {
      if (!resource.namespaced) {
        continue;
      }
      for (const object of this.#registry.store.collection(resource.key).list(name)) {
        if (object.metadata.deletionTimestamp === undefined) {
          await this.#change(
            { resource: resource.key, namespace: name, name: object.metadata.name },
            (transaction, _, found) => {
              this.#remove(transaction, resource, found);
            },
          );
        }
      }
    }
    await this.#finishNamespace(name);
  }

  #maybeFinishNamespace(name: string): void {
    const namespace = this.#registry.store.collection('namespaces').get(keyOf(undefined, name));
    if (namespace?.metadata.deletionTimestamp !== undefined) {
      this.#later(() => this.#finishNamespace(name));
    }
  }

  /** A namespace goes when nothing is left in it and nobody else holds it. */
  #finishNamespace(name: string): Promise<void> {
    return this.#registry.store.write((transaction) => {
      const namespace = transaction.get('namespaces', undefined, name);
      if (namespace?.metadata.deletionTimestamp === undefined || (namespace.metadata.finalizers ?? []).length > 0) {
        return;
      }
      const empty = this.#registry.resources.every(
        (resource) => !resource.namespaced || transaction.list(resource.key, name).length === 0,
      );
      if (empty) {
        transaction.delete('namespaces', namespace);
      }
    });
  }
}

function placeOf(location: Location): string {
  return `${location.resource}/${location.namespace ?? ''}/${location.name}`;
}
