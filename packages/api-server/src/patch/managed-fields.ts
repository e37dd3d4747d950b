import type { ManagedFieldsEntry } from '@weft/resources';
import type { Structure } from '../schema/structure.ts';
import { difference, equalSets, FieldSet, fieldSetFromFieldsV1, fieldsV1Of, intersection, union } from './field-set.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { mergeConfig, removePlaces } from './merge-config.ts';
import { compare, fieldSetOf, unionOf } from './ownership.ts';

/** One owner of fields, decoded. */
export interface Owner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
}

/** Who writes. */
export interface Writer {
  readonly manager: string;
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** RFC 3339. */
  readonly time: string;
}

/** Most owners by Update that an object and each subresource keep; the oldest are then put together (as in Kubernetes). */
const maxUpdateOwners = 10;
const ancient = 'ancient-changes';

/** Decodes `metadata.managedFields`; undefined when an entry cannot be read. */
export function ownersOf(entries: readonly ManagedFieldsEntry[] | undefined): Owner[] | undefined {
  const owners: Owner[] = [];
  for (const entry of entries ?? []) {
    const fields = fieldSetFromFieldsV1(entry.fieldsV1 ?? {});
    if (fields === undefined) {
      return undefined;
    }
    owners.push({
      manager: entry.manager ?? 'unknown',
      operation: entry.operation ?? 'Update',
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      time: entry.time ?? '',
      fields,
    });
  }
  return owners;
}

/** The form of `metadata.managedFields`: appliers first, then by time. */
export function entriesOf(owners: readonly Owner[]): ManagedFieldsEntry[] {
  return owners
    .filter((owner) => !owner.fields.isEmpty)
    .sort((a, b) => rank(a) - rank(b) || a.time.localeCompare(b.time) || a.manager.localeCompare(b.manager))
    .map((owner) => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      ...(owner.time === '' ? {} : { time: owner.time }),
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsV1Of(owner.fields),
      ...(owner.subresource === '' ? {} : { subresource: owner.subresource }),
    }));
}

function rank(owner: Owner): number {
  return owner.operation === 'Apply' ? 0 : 1;
}

const systemMetadata = [
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'generation', 'managedFields', 'resourceVersion'],
  ...['deletionTimestamp', 'deletionGracePeriodSeconds'],
];

/** What of an object has owners: not what the server sets, and of a subresource only its own part. */
export function ownable(object: Json, subresource: string, statusApart: boolean): JsonObject {
  if (!isObject(object)) {
    return {};
  }
  if (subresource === 'status') {
    return object['status'] === undefined ? {} : { status: object['status'] };
  }
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const { status, ...content } = rest;
  const owned = isObject(metadata)
    ? Object.fromEntries(Object.entries(metadata).filter(([name]) => !systemMetadata.includes(name)))
    : {};
  return {
    ...(Object.keys(owned).length === 0 ? {} : { metadata: owned }),
    ...content,
    ...(statusApart || status === undefined ? {} : { status }),
  };
}

/** The owner of everything in an object that nobody owned when it was first applied to, so that nothing is taken over unasked. */
export function ownerBeforeFirstApply(live: JsonObject, structure: Structure, writer: Writer): Owner {
  return { ...writer, manager: 'before-first-apply', operation: 'Update', fields: fieldSetOf(live, structure) };
}

/** Records a write that was no apply: the writer owns what it changed, the others lose it. Inputs are {@link ownable}. */
export function recordUpdate(
  before: Json,
  after: Json,
  structure: Structure,
  owners: readonly Owner[],
  writer: Writer,
): Owner[] {
  const { changed, removed } = compare(before, after, structure);
  if (changed.isEmpty && removed.isEmpty) {
    return [...owners];
  }
  const touched = union(changed, removed);
  const isWriter = (owner: Owner): boolean =>
    owner.operation === 'Update' &&
    owner.manager === writer.manager &&
    owner.apiVersion === writer.apiVersion &&
    owner.subresource === writer.subresource;
  const previous = owners.find(isWriter);
  const others = owners
    .filter((owner) => owner !== previous)
    .map((owner) => ({ ...owner, fields: difference(owner.fields, touched) }));
  const fields = union(difference(previous?.fields ?? new FieldSet(), removed), changed);
  const same = previous !== undefined && equalSets(previous.fields, fields);
  const own: Owner = { ...writer, operation: 'Update', fields, time: same ? previous.time : writer.time };
  return capUpdates(
    [...others, own].filter((owner) => !owner.fields.isEmpty),
    writer.subresource,
  );
}

function capUpdates(owners: readonly Owner[], subresource: string): Owner[] {
  const updates = owners.filter((owner) => owner.operation === 'Update' && owner.subresource === subresource);
  if (updates.length <= maxUpdateOwners) {
    return [...owners];
  }
  const oldest = [...updates]
    .sort((a, b) => a.time.localeCompare(b.time))
    .slice(0, updates.length - maxUpdateOwners + 1);
  const rest = owners.filter((owner) => !oldest.includes(owner));
  const [first] = oldest;
  return first === undefined
    ? rest
    : [...rest, { ...first, manager: ancient, fields: unionOf(oldest.map((owner) => owner.fields)) }];
}

/** One manager whose fields an apply would change. */
export interface OwnershipConflict {
  readonly owner: Owner;
  readonly fields: FieldSet;
}

export interface ApplyOutcome {
  /** The merged content ({@link ownable} part only). */
  readonly content: JsonObject;
  readonly owners: readonly Owner[];
  /** Empty when forced; otherwise the apply must be refused if there are any. */
  readonly conflicts: readonly OwnershipConflict[];
}

/**
 * Server-side apply (kubernetes.io/docs/reference/using-api/server-side-apply): lays `config` over `live`, removes what
 * the applier owned, does not mention any more and nobody else owns, and finds the owners it is in conflict with.
 * Inputs are {@link ownable}.
 */
export function applyConfig(
  live: JsonObject,
  config: JsonObject,
  structure: Structure,
  owners: readonly Owner[],
  writer: Writer,
  force: boolean,
): ApplyOutcome {
  const isWriter = (owner: Owner): boolean =>
    owner.operation === 'Apply' && owner.manager === writer.manager && owner.subresource === writer.subresource;
  const previous = owners.find(isWriter);
  const others = owners.filter((owner) => owner !== previous);
  const applied = fieldSetOf(config, structure);
  applied.member = false;

  const merged = mergeConfig(live, config, structure);
  const kept = unionOf([applied, ...others.map((owner) => owner.fields)]);
  const gone = previous === undefined ? new FieldSet() : difference(previous.fields, kept);
  const content = removePlaces(merged, gone, kept, structure);
  const result = isObject(content) ? content : {};

  const { changed, removed } = compare(live, result, structure);
  const conflicts: OwnershipConflict[] = [];
  const remaining: Owner[] = [];
  for (const owner of others) {
    const contested = intersection(owner.fields, changed);
    if (!contested.isEmpty) {
      conflicts.push({ owner, fields: contested });
    }
    remaining.push({ ...owner, fields: difference(difference(owner.fields, contested), removed) });
  }
  const same = previous !== undefined && equalSets(previous.fields, applied) && changed.isEmpty && removed.isEmpty;
  const own: Owner = { ...writer, operation: 'Apply', fields: applied, time: same ? previous.time : writer.time };
  return {
    content: result,
    owners: [...remaining, own].filter((owner) => !owner.fields.isEmpty),
    conflicts: force ? [] : conflicts,
  };
}
