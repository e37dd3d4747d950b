import {
  type KubeObject,
  type ObjectMeta,
  type Violation,
  validateChange,
  validateObject,
  warningsFor,
} from '@weft/resources';
import { equalJson, isObject, type JsonObject } from '../patch/json.ts';
import { entriesOf, ownable, ownersOf, recordUpdate, type Writer } from '../patch/managed-fields.ts';
import { unknownFields, withoutFields } from '../schema/unknown-fields.ts';
import type { ServedResource } from './served-resource.ts';
import { badRequest, invalid } from './status-error.ts';
import type { WriteContext } from './write-context.ts';

/** Whole seconds, as Kubernetes writes times. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Checks that the body is an object of the resource, in the version and place of the path; fills in what the path says. */
export function readBody(
  resource: ServedResource,
  body: unknown,
  place: { readonly namespace: string | undefined; readonly name: string | undefined },
  context: WriteContext,
): JsonObject {
  if (!isObject(body)) {
    throw badRequest(`the body must be a ${resource.kind} object`);
  }
  const apiVersion = resource.apiVersion(context.version);
  // Typed clients leave both out where the path says them already.
  const { apiVersion: givenVersion = apiVersion, kind: givenKind = resource.kind } = body;
  if (givenVersion !== apiVersion || givenKind !== resource.kind) {
    const got = `${String(givenVersion)}, ${String(givenKind)}`;
    throw badRequest(
      `the body is of ${got}; the path is that of ${apiVersion}, ${resource.kind}; fix: write apiVersion and kind of the path`,
    );
  }
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  const { namespace, name } = metadata;
  if (namespace !== undefined && namespace !== '' && place.namespace !== undefined && namespace !== place.namespace) {
    throw badRequest(
      `the namespace of the object (${String(namespace)}) does not match the namespace on the request (${place.namespace})`,
    );
  }
  if (place.name !== undefined && name !== undefined && name !== '' && name !== place.name) {
    throw badRequest(`the name of the object (${String(name)}) does not match the name on the URL (${place.name})`);
  }
  return {
    ...body,
    apiVersion,
    kind: resource.kind,
    metadata: {
      ...metadata,
      ...(place.namespace === undefined ? {} : { namespace: place.namespace }),
      ...(place.name === undefined ? {} : { name: place.name }),
    },
  };
}

/** Validation with defaults; unknown fields are refused, warned about or dropped. @throws StatusError 422. */
export function validated(resource: ServedResource, raw: JsonObject, context: WriteContext): KubeObject {
  let object: JsonObject = raw;
  if (context.fieldValidation !== 'Strict') {
    const unknown = unknownFields(raw, resource.structure);
    if (context.fieldValidation === 'Warn') {
      context.warnings.push(...unknown.map(({ path }) => `unknown field "${path}"`));
    }
    object = withoutFields(raw, unknown);
  }
  const result = validateObject(object);
  if (result.violations !== undefined) {
    const metadata = isObject(raw['metadata']) ? raw['metadata'] : {};
    const name = metadata['name'] ?? metadata['generateName'];
    throw invalid(resource, typeof name === 'string' ? name : '', result.violations);
  }
  context.warnings.push(...warningsFor(result.object).map(({ path, message }) => `${path}: ${message}`));
  return result.object;
}

export interface ChangeParts {
  readonly previous: KubeObject;
  /** The wanted object as it was written, complete. */
  readonly wanted: JsonObject;
  readonly writer: Writer;
  /** Owners after an apply; undefined for other writes, whose ownership is worked out here. */
  readonly owners?: Parameters<typeof entriesOf>[0];
}

/**
 * The object that an update leaves: server-set metadata kept, the other half (status or the rest) kept, validated, generation
 * raised when what is asked for changed, ownership recorded. Equal content comes back as `previous` itself.
 */
export function changed(resource: ServedResource, parts: ChangeParts, context: WriteContext): KubeObject {
  const { previous, wanted, writer } = parts;
  const { hasStatus } = resource.declaration;
  const before = previous as unknown as JsonObject;
  let composed: Record<string, unknown>;
  if (context.subresource === 'status') {
    composed = { ...before };
    setOrDrop(composed, 'status', wanted['status']);
  } else {
    composed = { ...wanted };
    if (hasStatus) {
      setOrDrop(composed, 'status', before['status']);
    }
  }
  composed['apiVersion'] = resource.storedApiVersion;
  const metadata =
    isObject(wanted['metadata']) && context.subresource === undefined ? wanted['metadata'] : previous.metadata;
  composed['metadata'] = keepServerFields(metadata as JsonObject, previous.metadata);
  const object = validated(resource, composed, context);
  const violations = [...validateChange(object, previous), ...lateFinalizers(object.metadata, previous.metadata)];
  const given = ownersOf(object.metadata.managedFields);
  if (given === undefined) {
    violations.push(unreadableOwners);
  }
  if (violations.length > 0) {
    throw invalid(resource, previous.metadata.name, violations);
  }
  const generation = (previous.metadata.generation ?? 1) + (equalJson(content(object), content(previous)) ? 0 : 1);
  const owners =
    parts.owners ??
    recordUpdate(
      ownable(previous, context.subresource ?? '', hasStatus),
      ownable(object, context.subresource ?? '', hasStatus),
      resource.structure,
      given ?? [],
      writer,
    );
  const managedFields = entriesOf(owners);
  const { managedFields: _, ...rest } = object.metadata;
  const result: KubeObject = {
    ...object,
    metadata: { ...rest, generation, ...(managedFields.length === 0 ? {} : { managedFields }) },
  };
  return equalJson(result, previous) ? previous : result;
}

/** Everything but identity, metadata and status: what `generation` counts. */
function content(object: KubeObject): JsonObject {
  const {
    apiVersion: _version,
    kind: _kind,
    metadata: _metadata,
    status: _status,
    ...rest
  } = object as unknown as JsonObject;
  return rest;
}

function setOrDrop(target: Record<string, unknown>, name: string, value: unknown): void {
  if (value === undefined) {
    delete target[name];
  } else {
    target[name] = value;
  }
}

const serverFields = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generateName',
] as const;

function keepServerFields(metadata: JsonObject, previous: ObjectMeta): JsonObject {
  const result: Record<string, unknown> = { ...metadata, name: previous.name };
  delete result['selfLink'];
  for (const field of [...serverFields, 'namespace'] as const) {
    setOrDrop(result, field, previous[field]);
  }
  // A client that says nothing of the owners leaves them; one that writes them (kubectl does when a user turns to server-side
  // apply) is believed, and a list of nothing clears them.
  if (metadata['managedFields'] === undefined || metadata['managedFields'] === null) {
    setOrDrop(result, 'managedFields', previous.managedFields);
  }
  return result;
}

const unreadableOwners: Violation = {
  path: 'metadata.managedFields',
  code: 'FieldValueInvalid',
  message: 'a set of fields cannot be read',
  fix: 'Leave managedFields out to keep them, or write [{}] to clear them.',
};

/** Whoever waits for the finalizers of an object that is being deleted may count on there being no more of them. */
function lateFinalizers(now: ObjectMeta, previous: ObjectMeta): Violation[] {
  if (previous.deletionTimestamp === undefined) {
    return [];
  }
  return (now.finalizers ?? [])
    .filter((finalizer) => previous.finalizers?.includes(finalizer) !== true)
    .map((finalizer) => ({
      path: 'metadata.finalizers',
      code: 'FieldValueForbidden',
      message: `no new finalizers can be added if the object is being deleted, found new finalizer ${JSON.stringify(finalizer)}`,
      fix: 'Leave it out.',
    }));
}
