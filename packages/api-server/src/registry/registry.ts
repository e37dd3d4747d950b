import type { KindDeclaration, KubeObject } from '@weft/resources';
import { isObject, type JsonObject } from '../patch/json.ts';
import { keyOf } from '../store/collection.ts';
import type { ObjectStore, Transaction } from '../store/object-store.ts';
import { admit } from './admit.ts';
import { applyPatch, type PatchType } from './apply-patch.ts';
import { type ListPage, type ListQuery, listObjects } from './list.ts';
import { ObjectWriter, type ObjectWriterOptions } from './object-writer.ts';
import { readBody } from './prepare.ts';
import { type PropagationPolicy, removeObject } from './removal.ts';
import { ServedResource } from './served-resource.ts';
import { badRequest, conflict, deleted, forbidden, notFound, type Status } from './status-error.ts';
import { type WatchedEvent, type WatchQuery, watchObjects } from './watch.ts';
import type { WriteContext } from './write-context.ts';

/** Where an object is; `namespace` undefined for cluster-scoped kinds. */
export interface Place {
  readonly namespace: string | undefined;
  readonly name: string;
}

/** `meta.v1.DeleteOptions`, as far as it means something here. */
export interface DeleteOptions {
  readonly propagationPolicy?: PropagationPolicy;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface RegistryOptions extends ObjectWriterOptions {
  readonly kinds: readonly KindDeclaration[];
  readonly store: ObjectStore;
  readonly maxListLimit: number;
  readonly bookmarkIntervalMs: number;
  readonly systemNamespaces: readonly string[];
}

/** Leaves a transaction without storing anything, with a result: how `dryRun` ends. */
class DryRunDone extends Error {
  readonly result: KubeObject;

  constructor(result: KubeObject) {
    super('dry run');
    this.result = result;
  }
}

/** The verbs of the API on the kinds, without HTTP. Results are frozen and in the stored version. */
export class Registry {
  readonly resources: readonly ServedResource[];
  readonly #options: RegistryOptions;
  readonly #byKey: ReadonlyMap<string, ServedResource>;
  readonly #writer: ObjectWriter;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.resources = options.kinds.map((kind) => new ServedResource(kind));
    this.#byKey = new Map(this.resources.map((resource) => [resource.key, resource]));
    this.#writer = new ObjectWriter(options);
  }

  /** Undefined when the group has no such resource in that version. */
  resource(group: string, version: string, plural: string): ServedResource | undefined {
    const found = this.#byKey.get(group === '' ? plural : `${plural}.${group}`);
    return found?.declaration.versions.includes(version) === true ? found : undefined;
  }

  resourceOfKind(group: string, kind: string): ServedResource | undefined {
    return this.resources.find((resource) => resource.group === group && resource.kind === kind);
  }

  get store(): ObjectStore {
    return this.#options.store;
  }

  // ------------------------------------------------------------------------------------------------ reads

  get(resource: ServedResource, place: Place): KubeObject {
    const object = this.store.collection(resource.key).get(keyOf(place.namespace, place.name));
    if (object === undefined) {
      throw notFound(resource, place.name);
    }
    return object;
  }

  list(resource: ServedResource, query: ListQuery): ListPage {
    const { store, maxListLimit } = this.#options;
    return listObjects(resource, store.collection(resource.key), store.revision, query, maxListLimit);
  }

  watch(resource: ServedResource, query: WatchQuery, onEvent: (event: WatchedEvent) => void): () => void {
    const { store, clock, bookmarkIntervalMs } = this.#options;
    const source = {
      collection: store.collection(resource.key),
      revision: () => store.revision,
      clock,
      bookmarkIntervalMs,
    };
    return watchObjects(resource, source, query, onEvent);
  }

  // ------------------------------------------------------------------------------------------------ writes

  create(
    resource: ServedResource,
    namespace: string | undefined,
    body: unknown,
    context: WriteContext,
  ): Promise<KubeObject> {
    const raw = readBody(resource, body, { namespace, name: undefined }, context);
    return this.#write(context, (transaction) => this.#writer.create(transaction, resource, raw, context));
  }

  /** Replaces. @throws StatusError 404, 409, 422. */
  update(resource: ServedResource, place: Place, body: unknown, context: WriteContext): Promise<KubeObject> {
    const raw = readBody(resource, body, place, context);
    return this.#write(context, (transaction) => {
      const previous = this.#existing(transaction, resource, place);
      return this.#writer.change(transaction, resource, previous, raw, context);
    });
  }

  patch(
    resource: ServedResource,
    place: Place,
    type: Exclude<PatchType, 'apply'>,
    patch: unknown,
    context: WriteContext,
  ): Promise<KubeObject> {
    return this.#write(context, (transaction) => {
      const previous = this.#existing(transaction, resource, place);
      const document = resource.inVersion(previous, context.version);
      const result = applyPatch(type, document as unknown as JsonObject, patch, resource);
      return this.#writer.change(transaction, resource, previous, readBody(resource, result, place, context), context);
    });
  }

  /** Server-side apply: creates, or lays `body` over what is there. @returns whether it was created, too. */
  async apply(
    resource: ServedResource,
    place: Place,
    body: unknown,
    context: WriteContext,
  ): Promise<{ readonly object: KubeObject; readonly created: boolean }> {
    const raw = readBody(resource, body, place, context);
    const metadata = isObject(raw['metadata']) ? raw['metadata'] : {};
    if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null) {
      throw badRequest('metadata.managedFields must be left out of an applied configuration');
    }
    let created = false;
    const object = await this.#write(context, (transaction) => {
      const previous = transaction.get(resource.key, place.namespace, place.name);
      created = previous === undefined;
      if (previous === undefined && context.subresource !== undefined) {
        throw notFound(resource, place.name);
      }
      if (previous === undefined) {
        this.#demandCreate(resource, place, context);
      }
      return this.#writer.apply(transaction, resource, previous, raw, context);
    });
    return { object, created };
  }

  /** Who may patch what is there may not yet make what is not. @throws StatusError 403. */
  #demandCreate(resource: ServedResource, place: Place, { user }: WriteContext): void {
    const scope = resource.key === 'namespaces' ? place.name : place.namespace;
    const access = {
      verb: 'create',
      group: resource.group,
      resource: resource.plural,
      name: place.name,
      ...(scope === undefined ? {} : { namespace: scope }),
    };
    if (!this.#options.authorizer.decide(user, access).allowed) {
      const why = `User "${user.username}" cannot create resource "${resource.plural}" in API group "${resource.group}"`;
      throw forbidden(resource, place.name, why);
    }
  }

  /** @returns the object when it still has finalizers, otherwise the Status of success. */
  async delete(
    resource: ServedResource,
    place: Place,
    options: DeleteOptions,
    context: WriteContext,
  ): Promise<KubeObject | Status> {
    let gone = false;
    const object = await this.#write(context, (transaction) => {
      const previous = this.#existing(transaction, resource, place);
      const { uid, resourceVersion } = options;
      if (uid !== undefined && uid !== previous.metadata.uid) {
        throw conflict(
          resource,
          place.name,
          `the UID in the precondition (${uid}) is not that of the object (${previous.metadata.uid})`,
        );
      }
      if (resourceVersion !== undefined && resourceVersion !== previous.metadata.resourceVersion) {
        throw conflict(
          resource,
          place.name,
          `the resource version in the precondition (${resourceVersion}) is not that of the object (${previous.metadata.resourceVersion})`,
        );
      }
      this.#guardSystemNamespace(resource, place);
      admit(this.#options.admission, 'DELETE', transaction, previous, previous, context);
      const result = removeObject(transaction, resource, previous, {
        policy: options.propagationPolicy ?? 'Background',
        nowMs: this.#options.clock.now(),
        dryRun: context.dryRun,
      });
      gone = result === undefined;
      return result ?? previous;
    });
    return gone ? deleted(resource, place.name, object.metadata.uid) : object;
  }

  /** Deletes everything that the query chooses; returns what it was. */
  async deleteCollection(
    resource: ServedResource,
    query: ListQuery,
    options: DeleteOptions,
    context: WriteContext,
  ): Promise<ListPage> {
    const page = this.list(resource, query);
    for (const { metadata } of page.items) {
      await this.delete(resource, { namespace: metadata.namespace, name: metadata.name }, options, context).catch(
        (error: unknown) => {
          if ((error as { code?: unknown }).code !== 404) {
            throw error;
          }
        },
      );
    }
    return page;
  }

  // ------------------------------------------------------------------------------------------------ steps

  async #write(context: WriteContext, step: (transaction: Transaction) => KubeObject): Promise<KubeObject> {
    try {
      return await this.store.write((transaction) => {
        const result = step(transaction);
        if (context.dryRun) {
          throw new DryRunDone(result);
        }
        return result;
      });
    } catch (error) {
      if (error instanceof DryRunDone) {
        return error.result;
      }
      throw error;
    }
  }

  #existing(transaction: Transaction, resource: ServedResource, place: Place): KubeObject {
    const object = transaction.get(resource.key, place.namespace, place.name);
    if (object === undefined) {
      throw notFound(resource, place.name);
    }
    return object;
  }

  #guardSystemNamespace(resource: ServedResource, place: Place): void {
    if (resource.key === 'namespaces' && this.#options.systemNamespaces.includes(place.name)) {
      throw forbidden(resource, place.name, 'this namespace may not be deleted');
    }
  }
}
