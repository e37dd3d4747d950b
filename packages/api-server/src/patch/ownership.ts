import { deduced, fieldStructure, type Structure } from '../schema/structure.ts';
import { FieldSet, union } from './field-set.ts';
import { equalJson, isObject, type Json } from './json.ts';
import { itemsByStep } from './list-item.ts';

/** The children of a value that have owners of their own; undefined when the value has one owner as a whole. */
export interface Part {
  readonly value: Json;
  readonly structure: Structure;
  /** Items of lists and keys of maps are owned themselves, besides what is in them; declared fields are not. */
  readonly owned: boolean;
}

/** Splits a value into its owned parts by step; undefined for scalars, atomic values and absent ones. */
function partsOf(value: Json, structure: Structure): Map<string, Part> | undefined {
  if (Array.isArray(value)) {
    if (structure.kind !== 'list' || structure.merge === 'atomic') {
      return undefined;
    }
    const items = itemsByStep(value, structure);
    if (items === undefined) {
      return undefined;
    }
    return new Map(
      [...items].map(([step, item]) => [step, { value: item, structure: structure.element, owned: true }]),
    );
  }
  if (!isObject(value) || (structure.kind === 'map' && structure.atomic)) {
    return undefined;
  }
  const map = structure.kind === 'map' ? structure : undefined;
  return new Map(
    Object.entries(value).map(([name, child]) => [
      `f:${name}`,
      {
        value: child,
        structure: map === undefined ? deduced : fieldStructure(map, name),
        owned: map?.fields.has(name) !== true,
      },
    ]),
  );
}

/** Every place that somebody who wrote `value` owns. */
export function fieldSetOf(value: Json, structure: Structure): FieldSet {
  const set = new FieldSet();
  const parts = partsOf(value, structure);
  if (parts === undefined || parts.size === 0) {
    set.member = value !== undefined;
    return set;
  }
  for (const [step, part] of parts) {
    const child = fieldSetOf(part.value, part.structure);
    child.member ||= part.owned;
    set.children.set(step, child);
  }
  return set;
}

/** What became of the places of an object. */
export interface Comparison {
  /** Places with a new or another value. */
  readonly changed: FieldSet;
  /** Places that are gone. */
  readonly removed: FieldSet;
}

/** Compares two states of an object place by place. */
export function compare(before: Json, after: Json, structure: Structure): Comparison {
  if (before === undefined || after === undefined) {
    return {
      changed: after === undefined ? new FieldSet() : fieldSetOf(after, structure),
      removed: before === undefined ? new FieldSet() : fieldSetOf(before, structure),
    };
  }
  const changed = new FieldSet();
  const removed = new FieldSet();
  const old = partsOf(before, structure);
  const now = partsOf(after, structure);
  if (old === undefined || now === undefined) {
    if (!equalJson(before, after)) {
      changed.children.clear();
      if (old !== undefined) {
        // From parts to one value: the parts are gone, the whole has a new owner.
        return { changed: fieldSetOf(after, structure), removed: fieldSetOf(before, structure) };
      }
      return { changed: fieldSetOf(after, structure), removed };
    }
    return { changed, removed };
  }
  if (now.size === 0 && old.size > 0) {
    changed.member = true;
  }
  for (const step of new Set([...old.keys(), ...now.keys()])) {
    const a = old.get(step);
    const b = now.get(step);
    const part = b ?? a;
    if (part === undefined) {
      continue;
    }
    const inner = compare(a?.value, b?.value, part.structure);
    if (part.owned && a === undefined) {
      inner.changed.member = true;
    }
    if (part.owned && b === undefined) {
      inner.removed.member = true;
    }
    if (!inner.changed.isEmpty) {
      changed.children.set(step, inner.changed);
    }
    if (!inner.removed.isEmpty) {
      removed.children.set(step, inner.removed);
    }
  }
  return { changed, removed };
}

/** All sets together. */
export function unionOf(sets: Iterable<FieldSet>): FieldSet {
  let result = new FieldSet();
  for (const set of sets) {
    result = union(result, set);
  }
  return result;
}
