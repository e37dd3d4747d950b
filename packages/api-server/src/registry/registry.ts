import { randomUUID } from 'node:crypto';
import type { Clock } from '@weft/base';
import type { KindDeclaration, KubeObject, OwnerReference } from '@weft/resources';
import { type Authorizer, completeRule } from '../authz/authorizer.ts';
import type { AdmissionCheck, AdmissionView } from '../options.ts';
import { formatPlace } from '../patch/field-set.ts';
import { isObject, type JsonObject } from '../patch/json.ts';
import { applyConfig, entriesOf, ownable, ownersOf, recordUpdate, type Writer } from '../patch/managed-fields.ts';
import { keyOf } from '../store/collection.ts';
import type { ObjectStore, Transaction } from '../store/object-store.ts';
import { applyPatch, type PatchType } from './apply-patch.ts';
import { type ListPage, type ListQuery, listObjects } from './list.ts';
import { changed, readBody, timeText, validated } from './prepare.ts';
import { ServedResource } from './served-resource.ts';
import {
  alreadyExists,
  applyConflict,
  badRequest,
  conflict,
  deleted,
  forbidden,
  invalid,
  modifiedMeanwhile,
  notFound,
  type Status,
} from './status-error.ts';
import { type WatchedEvent, type WatchQuery, watchObjects } from './watch.ts';
import type { WriteContext } from './write-context.ts';

/** Where an object is; `namespace` undefined for cluster-scoped kinds. */
export interface Place {
  readonly namespace: string | undefined;
  readonly name: string;
}

/** `meta.v1.DeleteOptions`, as far as it means something here. */
export interface DeleteOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface RegistryOptions {
  readonly kinds: readonly KindDeclaration[];
  readonly store: ObjectStore;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly maxListLimit: number;
  readonly bookmarkIntervalMs: number;
  readonly systemNamespaces: readonly string[];
  readonly admission: AdmissionCheck[];
}

/** Finalizers that the server itself takes care of (`meta.v1`). */
export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

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

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.resources = options.kinds.map((kind) => new ServedResource(kind));
    this.#byKey = new Map(this.resources.map((resource) => [resource.key, resource]));
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
    return this.#write(context, (transaction) => this.#create(transaction, resource, raw, context));
  }

  /** Replaces. @throws StatusError 404, 409, 422. */
  update(resource: ServedResource, place: Place, body: unknown, context: WriteContext): Promise<KubeObject> {
    const raw = readBody(resource, body, place, context);
    return this.#write(context, (transaction) => {
      const previous = this.#existing(transaction, resource, place);
      return this.#change(transaction, resource, previous, raw, context);
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
      return this.#change(transaction, resource, previous, readBody(resource, result, place, context), context);
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
      return this.#apply(transaction, resource, previous, raw, context);
    });
    return { object, created };
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
      this.#admit('DELETE', transaction, previous, previous, context);
      const result = this.remove(
        transaction,
        resource,
        previous,
        options.propagationPolicy ?? 'Background',
        context.dryRun,
      );
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

  /**
   * One step of deletion inside a transaction: an object without finalizers goes, one with them is marked.
   * @returns what is left of it; undefined when it is gone.
   */
  remove(
    transaction: Transaction,
    resource: ServedResource,
    object: KubeObject,
    policy: NonNullable<DeleteOptions['propagationPolicy']>,
    dryRun = false,
  ): KubeObject | undefined {
    const finalizers = new Set(object.metadata.finalizers ?? []);
    if (policy === 'Foreground') {
      finalizers.add(foregroundFinalizer);
    } else if (policy === 'Orphan') {
      finalizers.add(orphanFinalizer);
    }
    const isNamespace = resource.key === 'namespaces';
    if (finalizers.size === 0 && !isNamespace) {
      if (!dryRun) {
        transaction.delete(resource.key, object);
      }
      return undefined;
    }
    if (object.metadata.deletionTimestamp !== undefined) {
      return object;
    }
    const marked: KubeObject = {
      ...object,
      ...(isNamespace ? { status: { phase: 'Terminating' } } : {}),
      metadata: {
        ...object.metadata,
        deletionTimestamp: timeText(this.#options.clock.now()),
        deletionGracePeriodSeconds: 0,
        generation: (object.metadata.generation ?? 1) + 1,
        ...(finalizers.size === 0 ? {} : { finalizers: [...finalizers] }),
      },
    };
    return dryRun ? marked : transaction.put(resource.key, marked);
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

  #writer(resource: ServedResource, context: WriteContext): Writer {
    return {
      manager: context.fieldManager,
      apiVersion: resource.apiVersion(context.version),
      subresource: context.subresource ?? '',
      time: timeText(this.#options.clock.now()),
    };
  }

  #create(
    transaction: Transaction,
    resource: ServedResource,
    raw: JsonObject,
    context: WriteContext,
    owners?: Parameters<typeof entriesOf>[0],
  ): KubeObject {
    const metadata = isObject(raw['metadata']) ? raw['metadata'] : {};
    if (metadata['resourceVersion'] !== undefined && metadata['resourceVersion'] !== '') {
      throw badRequest('resourceVersion should not be set on objects to be created');
    }
    const {
      uid: _u,
      resourceVersion: _r,
      generation: _g,
      creationTimestamp: _c,
      deletionTimestamp: _d,
      selfLink: _s,
      managedFields: _m,
      ...kept
    } = metadata;
    const { status, ...rest } = raw;
    const { clock } = this.#options;
    let name = kept['name'];
    if (
      (name === undefined || name === '') &&
      typeof kept['generateName'] === 'string' &&
      kept['generateName'] !== ''
    ) {
      name = `${kept['generateName'].slice(0, 58)}${this.#suffix()}`;
    }
    const object = validated(
      resource,
      {
        ...rest,
        ...(resource.declaration.hasStatus || status === undefined ? {} : { status }),
        apiVersion: resource.storedApiVersion,
        metadata: { ...kept, ...(name === undefined ? {} : { name }) },
      },
      context,
    );
    const { namespace, name: finalName } = object.metadata;
    this.#checkNamespace(transaction, resource, namespace, finalName);
    if (transaction.get(resource.key, namespace, finalName) !== undefined) {
      throw alreadyExists(resource, finalName);
    }
    this.#checkEscalation(resource, object, context);
    const ownerList =
      owners ??
      recordUpdate(
        {},
        ownable(object, '', resource.declaration.hasStatus),
        resource.structure,
        [],
        this.#writer(resource, context),
      );
    const managedFields = entriesOf(ownerList);
    const complete: KubeObject = {
      ...object,
      ...(resource.key === 'namespaces' ? { status: { phase: 'Active' } } : {}),
      metadata: {
        ...object.metadata,
        uid: randomUUID(),
        creationTimestamp: timeText(clock.now()),
        generation: 1,
        ...(managedFields.length === 0 ? {} : { managedFields }),
      },
    };
    this.#admit('CREATE', transaction, complete, undefined, context);
    return context.dryRun ? complete : transaction.put(resource.key, complete);
  }

  #change(
    transaction: Transaction,
    resource: ServedResource,
    previous: KubeObject,
    wanted: JsonObject,
    context: WriteContext,
    owners?: Parameters<typeof entriesOf>[0],
  ): KubeObject {
    const metadata = isObject(wanted['metadata']) ? wanted['metadata'] : {};
    const { resourceVersion, uid } = metadata;
    if (
      typeof resourceVersion === 'string' &&
      resourceVersion !== '' &&
      resourceVersion !== previous.metadata.resourceVersion
    ) {
      throw conflict(resource, previous.metadata.name, modifiedMeanwhile);
    }
    if (typeof uid === 'string' && uid !== '' && uid !== previous.metadata.uid) {
      throw conflict(
        resource,
        previous.metadata.name,
        `the UID (${uid}) is not that of the object (${previous.metadata.uid})`,
      );
    }
    const object = changed(
      resource,
      { previous, wanted, writer: this.#writer(resource, context), ...(owners === undefined ? {} : { owners }) },
      context,
    );
    if (object === previous) {
      return previous;
    }
    this.#checkEscalation(resource, object, context);
    this.#admit('UPDATE', transaction, object, previous, context);
    const finished =
      object.metadata.deletionTimestamp !== undefined &&
      (object.metadata.finalizers ?? []).length === 0 &&
      resource.key !== 'namespaces';
    if (context.dryRun) {
      return object;
    }
    return finished ? transaction.delete(resource.key, object) : transaction.put(resource.key, object);
  }

  #apply(
    transaction: Transaction,
    resource: ServedResource,
    previous: KubeObject | undefined,
    raw: JsonObject,
    context: WriteContext,
  ): KubeObject {
    const { hasStatus } = resource.declaration;
    const subresource = context.subresource ?? '';
    const live = previous === undefined ? {} : ownable(previous, subresource, hasStatus);
    const config = withoutNulls(ownable(raw, subresource, hasStatus)) as JsonObject;
    const owners = ownersOf(previous?.metadata.managedFields) ?? [];
    const outcome = applyConfig(
      live,
      config,
      resource.structure,
      owners,
      this.#writer(resource, context),
      context.force,
    );
    if (outcome.conflicts.length > 0) {
      throw conflictOf(outcome.conflicts);
    }
    const { metadata: applied, ...content } = outcome.content;
    const metadata = isObject(raw['metadata']) ? raw['metadata'] : {};
    const { name, namespace, resourceVersion } = metadata;
    const wanted: JsonObject = {
      apiVersion: raw['apiVersion'],
      kind: raw['kind'],
      metadata: {
        ...(isObject(applied) ? applied : {}),
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      ...content,
    };
    return previous === undefined
      ? this.#create(transaction, resource, wanted, context, outcome.owners)
      : this.#change(transaction, resource, previous, wanted, context, outcome.owners);
  }

  #checkNamespace(
    transaction: Transaction,
    resource: ServedResource,
    namespace: string | undefined,
    name: string,
  ): void {
    if (!resource.namespaced) {
      return;
    }
    const found = transaction.get('namespaces', undefined, namespace ?? '');
    if (found === undefined) {
      throw notFound({ group: '', plural: 'namespaces' }, namespace ?? '');
    }
    if (found.metadata.deletionTimestamp !== undefined) {
      throw forbidden(
        resource,
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
    }
  }

  #guardSystemNamespace(resource: ServedResource, place: Place): void {
    if (resource.key === 'namespaces' && this.#options.systemNamespaces.includes(place.name)) {
      throw forbidden(resource, place.name, 'this namespace may not be deleted');
    }
  }

  /** Nobody may give away rights that he does not have. */
  #checkEscalation(resource: ServedResource, object: KubeObject, context: WriteContext): void {
    if (resource.group !== 'rbac.authorization.k8s.io') {
      return;
    }
    const { authorizer } = this.#options;
    const fields = object as unknown as JsonObject;
    const { namespace } = object.metadata;
    const isRole = resource.plural.endsWith('roles');
    const verb = isRole ? 'escalate' : 'bind';
    const reference = isObject(fields['roleRef']) ? fields['roleRef'] : {};
    const target = isRole ? resource.plural : reference['kind'] === 'ClusterRole' ? 'clusterroles' : 'roles';
    const name = isRole ? object.metadata.name : String(reference['name']);
    const place = { group: resource.group, resource: target, name, ...(namespace === undefined ? {} : { namespace }) };
    if (authorizer.decide(context.user, { verb, ...place }).allowed) {
      return;
    }
    const rules = isRole
      ? ((fields['rules'] ?? []) as readonly Parameters<typeof completeRule>[0][]).map(completeRule)
      : authorizer.rulesOfRole(String(reference['kind']), name, namespace);
    const missing = authorizer.notCovered(context.user, rules, namespace);
    if (missing !== undefined) {
      throw forbidden(
        resource,
        object.metadata.name,
        `user "${context.user.username}" is attempting to grant rights that it does not have: ${JSON.stringify(missing)}`,
      );
    }
  }

  #admit(
    operation: 'CREATE' | 'UPDATE' | 'DELETE',
    transaction: Transaction,
    object: KubeObject,
    previous: KubeObject | undefined,
    context: WriteContext,
  ): void {
    if (this.#options.admission.length === 0) {
      return;
    }
    const view: AdmissionView = {
      get: (group, plural, name, namespace) =>
        transaction.get(group === '' ? plural : `${plural}.${group}`, namespace, name),
      list: (group, plural, namespace) => transaction.list(group === '' ? plural : `${plural}.${group}`, namespace),
    };
    const request = {
      operation,
      object,
      previous,
      user: context.user,
      dryRun: context.dryRun,
      ...(context.subresource === undefined ? {} : { subresource: context.subresource }),
    };
    for (const check of this.#options.admission) {
      const verdict = check(request, view);
      context.warnings.push(...(verdict?.warnings ?? []));
      if (verdict?.violations !== undefined && verdict.violations.length > 0) {
        const { group } = splitKind(object);
        throw invalid({ group, plural: object.kind, kind: object.kind }, object.metadata.name, verdict.violations);
      }
    }
  }

  /** Five characters that make no words and are not mistaken for each other. */
  #suffix(): string {
    const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
    return Array.from({ length: 5 }, () => alphabet[Math.floor(this.#options.random() * alphabet.length)]).join('');
  }
}

function splitKind(object: KubeObject): { readonly group: string } {
  const slash = object.apiVersion.indexOf('/');
  return { group: slash < 0 ? '' : object.apiVersion.slice(0, slash) };
}

/** The kind's group and name of an owner reference. */
export function ownerGroup(owner: OwnerReference): string {
  const slash = owner.apiVersion.indexOf('/');
  return slash < 0 ? '' : owner.apiVersion.slice(0, slash);
}

/** A null in an applied configuration means that the applier has no opinion. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutNulls);
  }
  if (!isObject(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([name, child]) => [name, withoutNulls(child)]),
  );
}

function conflictOf(conflicts: ReturnType<typeof applyConfig>['conflicts']): Error {
  const causes = conflicts.flatMap(({ owner, fields }) => {
    const kind = owner.operation === 'Update' && owner.time !== '' ? ` using ${owner.apiVersion} at ${owner.time}` : '';
    const message = `conflict with "${owner.manager}"${kind}`;
    return [...fields.places()].map((place) => ({
      reason: 'FieldManagerConflict',
      message,
      field: formatPlace(place),
    }));
  });
  const list = [...new Set(causes.map(({ message }) => message))]
    .map(
      (message) =>
        `${message}: ${causes
          .filter((cause) => cause.message === message)
          .map(({ field }) => field)
          .join(', ')}`,
    )
    .join('; ');
  return applyConflict(`Apply failed with ${causes.length} conflict${causes.length === 1 ? '' : 's'}: ${list}`, causes);
}
