import { randomUUID } from 'node:crypto';
import type { Clock } from '@weft/base';
import type { KubeObject } from '@weft/resources';
import type { Authorizer } from '../authz/authorizer.ts';
import type { AdmissionCheck } from '../options.ts';
import { isObject, type JsonObject } from '../patch/json.ts';
import {
  applyConfig,
  entriesOf,
  type Owner,
  ownable,
  ownerBeforeFirstApply,
  ownersOf,
  recordUpdate,
  type Writer,
} from '../patch/managed-fields.ts';
import type { Transaction } from '../store/object-store.ts';
import { admit } from './admit.ts';
import { conflictOf } from './apply-conflict.ts';
import { checkEscalation } from './escalation.ts';
import { generatedName } from './generated-name.ts';
import { changed, timeText, validated } from './prepare.ts';
import type { ServedResource } from './served-resource.ts';
import { alreadyExists, badRequest, conflict, forbidden, modifiedMeanwhile, notFound } from './status-error.ts';
import type { WriteContext } from './write-context.ts';

export interface ObjectWriterOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly authorizer: Authorizer;
  readonly admission: readonly AdmissionCheck[];
}

/** What a write does inside its transaction, once its body has been read: checks, server-set fields, ownership, storing. */
export class ObjectWriter {
  readonly #options: ObjectWriterOptions;

  constructor(options: ObjectWriterOptions) {
    this.#options = options;
  }

  /** @param owners after an apply; otherwise the writer owns everything. @throws StatusError. */
  create(
    transaction: Transaction,
    resource: ServedResource,
    raw: JsonObject,
    context: WriteContext,
    owners?: readonly Owner[],
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
    const { clock, random, authorizer, admission } = this.#options;
    let name = kept['name'];
    if (
      (name === undefined || name === '') &&
      typeof kept['generateName'] === 'string' &&
      kept['generateName'] !== ''
    ) {
      name = generatedName(kept['generateName'], random);
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
    checkNamespace(transaction, resource, namespace, finalName);
    if (transaction.get(resource.key, namespace, finalName) !== undefined) {
      throw alreadyExists(resource, finalName);
    }
    checkEscalation(resource, object, context.user, authorizer);
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
    admit(admission, 'CREATE', transaction, complete, undefined, context);
    return context.dryRun ? complete : transaction.put(resource.key, complete);
  }

  /** Puts `wanted` in the place of `previous`; what is equal is not written. @throws StatusError. */
  change(
    transaction: Transaction,
    resource: ServedResource,
    previous: KubeObject,
    wanted: JsonObject,
    context: WriteContext,
    owners?: readonly Owner[],
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
    checkEscalation(resource, object, context.user, this.#options.authorizer);
    admit(this.#options.admission, 'UPDATE', transaction, object, previous, context);
    const finished =
      object.metadata.deletionTimestamp !== undefined &&
      (object.metadata.finalizers ?? []).length === 0 &&
      resource.key !== 'namespaces';
    if (context.dryRun) {
      return object;
    }
    return finished ? transaction.delete(resource.key, object) : transaction.put(resource.key, object);
  }

  /** Server-side apply of `raw`. @throws StatusError 409 with every conflict. */
  apply(
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
    const writer = this.#writer(resource, context);
    const known = ownersOf(previous?.metadata.managedFields) ?? [];
    const owners =
      known.length === 0 && previous !== undefined && subresource === ''
        ? [ownerBeforeFirstApply(live, resource.structure, writer)]
        : known;
    const outcome = applyConfig(live, config, resource.structure, owners, writer, context.force);
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
      ? this.create(transaction, resource, wanted, context, outcome.owners)
      : this.change(transaction, resource, previous, wanted, context, outcome.owners);
  }

  #writer(resource: ServedResource, context: WriteContext): Writer {
    return {
      manager: context.fieldManager,
      apiVersion: resource.apiVersion(context.version),
      subresource: context.subresource ?? '',
      time: timeText(this.#options.clock.now()),
    };
  }
}

function checkNamespace(
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
