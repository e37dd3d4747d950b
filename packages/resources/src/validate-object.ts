import type { z } from 'zod';
import { apiVersionOf } from './declare-kind.ts';
import type { PathSegment } from './field-path.ts';
import { checkAnnotations, checkLabels, isQualifiedName } from './format/labels.ts';
import { checkName, checkNamePrefix, isLabel } from './format/names.ts';
import type { KindDeclaration } from './kind.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from './object.ts';
import { Place, showValue } from './place.ts';
import { kindFor, kinds } from './registry.ts';
import { checkStructure } from './schema/check-structure.ts';
import { checkUnique } from './schema/check-unique.ts';
import { didYouMean } from './schema/did-you-mean.ts';
import { metadataSchema } from './schema/metadata.ts';
import { dropNullFields } from './schema/structure.ts';
import { limitViolations, type Violation } from './violation.ts';

/** The object, or everything that is wrong with it. */
export type Validated =
  | { readonly object: KubeObject; readonly violations?: undefined }
  | { readonly object?: undefined; readonly violations: readonly Violation[] };

export interface ValidateOptions {
  /** Whether the object comes back with its kind's defaults filled in (default), or as it was written. */
  readonly withDefaults?: boolean;
}

interface Envelope {
  readonly kind: KindDeclaration;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** Splits `networking.istio.io/v1` into group and version; a core version has the group ``. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

function readEnvelope(place: Place, raw: unknown): Envelope | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    place.report(
      'FieldValueTypeInvalid',
      `must be an object, not ${showValue(raw)}`,
      'Write apiVersion, kind and metadata.',
    );
    return undefined;
  }
  const object = raw as Readonly<Record<string, unknown>>;
  const { apiVersion, kind } = object;
  for (const [name, value] of Object.entries({ apiVersion, kind })) {
    if (value === undefined || value === null || value === '') {
      place.at(name).required('the field is missing', `Add ${name}.`);
    } else if (typeof value !== 'string') {
      place.at(name).report('FieldValueTypeInvalid', `must be a string, not ${showValue(value)}`, 'Write a string.');
    }
  }
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '') {
    return undefined;
  }
  const { group, version } = parseApiVersion(apiVersion);
  const declaration = kindFor(group, version, kind);
  if (declaration === undefined) {
    reportUnknownKind(place, apiVersion, kind);
    return undefined;
  }
  return { kind: declaration, raw: object };
}

function reportUnknownKind(place: Place, apiVersion: string, kind: string): void {
  const { group } = parseApiVersion(apiVersion);
  const sameName = kinds.filter((other) => other.kind === kind);
  const served = (of: KindDeclaration): string =>
    of.versions.map((version) => (of.group === '' ? version : `${of.group}/${version}`)).join(', ');
  const wanted = sameName.find((other) => other.group === group) ?? sameName[0];
  if (wanted !== undefined) {
    place
      .at('apiVersion')
      .report('UnknownKind', `${showValue(apiVersion)} has no kind ${kind}`, `Use apiVersion ${served(wanted)}.`);
    return;
  }
  const near = didYouMean(
    kind,
    kinds.map((other) => other.kind),
  );
  place
    .at('kind')
    .report(
      'UnknownKind',
      `there is no kind ${showValue(kind)}${near === undefined ? '' : `, did you mean ${near}?`}`,
      near === undefined
        ? `Use one of ${[...new Set(kinds.map((other) => other.kind))].join(', ')}.`
        : `Write ${near}.`,
    );
}

/**
 * Where an own key `__proto__` is: JSON allows it, but many programs take it for the prototype of the object, schemas
 * of zod among them, which pass over it.
 */
function findForeignKey(raw: unknown): readonly PathSegment[] | undefined {
  const open: [readonly PathSegment[], unknown][] = [[[], raw]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, value] = next;
    if (typeof value !== 'object' || value === null) {
      continue;
    }
    if (Object.hasOwn(value, '__proto__')) {
      return [...path, '__proto__'];
    }
    for (const [key, child] of Object.entries(value)) {
      if (typeof child === 'object' && child !== null) {
        open.push([[...path, Array.isArray(value) ? Number(key) : key], child]);
      }
    }
  }
  return undefined;
}

let builtMetadataSchema: z.ZodType | undefined;

function checkMetadata(place: Place, kind: KindDeclaration, metadata: ObjectMeta): void {
  const format = kind.nameFormat ?? 'subdomain';
  const { name = '', generateName = '' } = metadata as Partial<ObjectMeta>;
  if (name !== '') {
    checkName(place.at('name'), name, format);
  } else if (generateName === '') {
    place
      .at('name')
      .required('an object needs a name', 'Add metadata.name, or metadata.generateName to have one made.');
  }
  if (generateName !== '') {
    checkNamePrefix(place.at('generateName'), generateName, format);
  }
  const { namespace } = metadata;
  if (namespace !== undefined && namespace !== '') {
    if (!kind.namespaced) {
      place.at('namespace').forbidden(`a ${kind.kind} is in no namespace`, 'Remove it.');
    } else if (!isLabel(namespace)) {
      checkName(place.at('namespace'), namespace, 'label');
    }
  }
  checkLabels(place.at('labels'), metadata.labels);
  checkAnnotations(place.at('annotations'), metadata.annotations);
  checkOwners(place.at('ownerReferences'), metadata.ownerReferences ?? []);
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
    if (!isQualifiedName(finalizer)) {
      place.at('finalizers', index).invalid(finalizer, 'not the name of a finalizer', 'Use prefix/name.');
    }
  }
}

function checkOwners(place: Place, owners: readonly OwnerReference[]): void {
  let controller: string | undefined;
  for (const [index, owner] of owners.entries()) {
    const here = place.at(index);
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (owner[field] === '') {
        here.at(field).required('it is empty', 'Copy it from the owner.');
      }
    }
    if (owner.controller === true && controller !== undefined) {
      here
        .at('controller')
        .conflict(`${controller} is the controller already`, 'Let only one owner be the controller.');
    }
    controller ??= owner.controller === true ? `${owner.kind} ${owner.name}` : undefined;
  }
}

/** What to write instead of a version that users are warned off; undefined for the others. */
export function deprecationOf(kind: KindDeclaration, version: string): Violation | undefined {
  if (kind.deprecatedVersions?.includes(version) !== true) {
    return undefined;
  }
  const [preferred = ''] = kind.versions;
  const place = Place.root();
  place
    .at('apiVersion')
    .forbidden(
      `${kind.kind} ${version} is deprecated`,
      `Use ${apiVersionOf({ group: kind.group, version: preferred })}.`,
    );
  return place.violations[0];
}

/** What is allowed in a valid object but hardly meant: rules never reached, deprecated fields and versions. Never refuses. */
export function warningsFor(object: KubeObject): readonly Violation[] {
  const { group, version } = parseApiVersion(object.apiVersion);
  const kind = kindFor(group, version, object.kind);
  if (kind === undefined) {
    return [];
  }
  const deprecation = deprecationOf(kind, version);
  return [...(deprecation === undefined ? [] : [deprecation]), ...(kind.warnings?.(object) ?? [])];
}

/** What a change of a valid object does that may not be done: its name, namespace or immutable fields change. */
export function validateChange(object: KubeObject, previous: KubeObject): readonly Violation[] {
  const root = Place.root();
  for (const field of ['name', 'namespace', 'uid'] as const) {
    const before = previous.metadata[field];
    const after = object.metadata[field];
    if (before !== undefined && after !== undefined && after !== before) {
      root.at('metadata', field).forbidden(`it is ${before} and cannot be changed`, `Leave it at ${before}.`);
    }
  }
  const { group, version } = parseApiVersion(object.apiVersion);
  return [...root.violations, ...(kindFor(group, version, object.kind)?.validateUpdate?.(object, previous) ?? [])];
}

/** Adds what is said of places of which nothing has been said yet. */
function addMissing(found: Violation[], more: readonly Violation[]): void {
  const reported = new Set(found.map(({ path }) => path));
  found.push(...more.filter(({ path }) => !reported.has(path)));
}

/**
 * Judges an object as it came in: known kind, structure, names, labels, and what the kind itself demands. Everything
 * that is wrong is reported at once; rules that need the right types are looked at as soon as those hold.
 * Fields that are null count as left out.
 */
export function validateObject(raw: unknown, options: ValidateOptions = {}): Validated {
  const place = Place.root();
  const envelope = readEnvelope(place, raw);
  if (envelope === undefined) {
    return { violations: place.violations };
  }
  const { kind } = envelope;
  const foreign = findForeignKey(raw);
  if (foreign !== undefined) {
    place.at(...foreign).forbidden('no name of anything', 'Use another name.');
    return { violations: place.violations };
  }
  const { apiVersion, kind: kindName, metadata, ...rest } = envelope.raw;
  builtMetadataSchema ??= metadataSchema();
  const meta = dropNullFields(builtMetadataSchema, metadata ?? {});
  const body = dropNullFields(kind.schema, rest);
  const metaResult = checkStructure(builtMetadataSchema, meta, ['metadata']);
  const bodyResult = checkStructure(kind.schema, body);
  const found: Violation[] = [...metaResult.violations, ...bodyResult.violations];
  if (metaResult.typed) {
    const metaPlace = Place.root();
    checkMetadata(metaPlace.at('metadata'), kind, meta as ObjectMeta);
    found.push(...metaPlace.violations);
  }
  if (!metaResult.typed || !bodyResult.typed) {
    return { violations: limitViolations(found) };
  }
  const written = { apiVersion, kind: kindName, metadata: meta, ...(body as object) } as KubeObject;
  const complete = kind.withDefaults?.(written) ?? written;
  addMissing(found, kind.validate?.(complete) ?? []);
  const lists = Place.root();
  checkUnique(lists, kind.schema, complete);
  addMissing(found, lists.violations);
  return found.length > 0
    ? { violations: limitViolations(found) }
    : { object: options.withDefaults === false ? written : complete };
}
