import type { JsonSchema } from './json-schema.ts';

/** How values of a place are merged: what strategic merge patch, server-side apply and pruning need of a schema. */
export type Structure = ScalarStructure | MapStructure | ListStructure | DeducedStructure;

export interface ScalarStructure {
  readonly kind: 'scalar';
}

/** An object with fields, or a map from names to values (`element`). */
export interface MapStructure {
  readonly kind: 'map';
  readonly fields: ReadonlyMap<string, Structure>;
  /** Structure of the values under other names; undefined when there may be none. */
  readonly element: Structure | undefined;
  /** One owner, replaced as a whole by server-side apply. */
  readonly atomic: boolean;
}

export interface ListStructure {
  readonly kind: 'list';
  readonly element: Structure;
  /** How server-side apply merges. */
  readonly merge: 'atomic' | 'set' | 'map';
  /** Fields that tell items apart, for `map`. */
  readonly keys: readonly string[];
  /** Values of key fields that an item leaves out. */
  readonly keyDefaults: Readonly<Record<string, unknown>>;
  /** How a strategic merge patch merges; undefined replaces the list. */
  readonly patchMerge: boolean;
  readonly patchKey: string | undefined;
}

/** No schema: objects are merged field by field, lists replaced, and every field is known. */
export interface DeducedStructure {
  readonly kind: 'deduced';
}

const scalar: ScalarStructure = { kind: 'scalar' };
export const deduced: DeducedStructure = { kind: 'deduced' };

/** Derives the structure from a schema. */
export function structureOf(schema: JsonSchema): Structure {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return scalar;
  }
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  if (branches.length > 0) {
    return unionOf(
      [{ ...schema, anyOf: [], oneOf: [], allOf: [] }, ...branches].filter(saysSomething).map(structureOf),
    );
  }
  if (schema.type === 'array') {
    return listOf(schema);
  }
  if (schema.type === 'object' || schema.properties !== undefined) {
    return mapOf(schema);
  }
  return schema.type === undefined && schema.enum === undefined ? deduced : scalar;
}

function saysSomething(schema: JsonSchema): boolean {
  return schema.type !== undefined || schema.properties !== undefined || (schema.anyOf?.length ?? 0) > 0;
}

function unionOf(structures: readonly Structure[]): Structure {
  const maps = structures.filter((structure) => structure.kind === 'map');
  if (maps.length > 0 && maps.length === structures.length) {
    const fields = new Map(maps.flatMap((map) => [...map.fields]));
    const element = maps.find((map) => map.element !== undefined)?.element;
    return { kind: 'map', fields, element, atomic: maps.some((map) => map.atomic) };
  }
  const [first] = structures;
  return first !== undefined && structures.every((structure) => structure.kind === first.kind) ? first : deduced;
}

function listOf(schema: JsonSchema): ListStructure {
  const element = schema.items === undefined ? deduced : structureOf(schema.items);
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const patchStrategy = schema['x-kubernetes-patch-strategy'] ?? '';
  const keyDefaults: Record<string, unknown> = {};
  for (const key of keys) {
    const value = schema.items?.properties?.[key]?.default;
    if (value !== undefined) {
      keyDefaults[key] = value;
    }
  }
  return {
    kind: 'list',
    element,
    merge: schema['x-kubernetes-list-type'] ?? 'atomic',
    keys,
    keyDefaults,
    patchMerge: patchStrategy.split(',').includes('merge'),
    patchKey: schema['x-kubernetes-patch-merge-key'],
  };
}

function mapOf(schema: JsonSchema): Structure {
  const fields = new Map(Object.entries(schema.properties ?? {}).map(([name, field]) => [name, structureOf(field)]));
  const additional = schema.additionalProperties;
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || additional === true;
  if (open && fields.size === 0 && schema['x-kubernetes-map-type'] !== 'atomic') {
    return deduced;
  }
  const element = typeof additional === 'object' ? structureOf(additional) : open ? deduced : undefined;
  return { kind: 'map', fields, element, atomic: schema['x-kubernetes-map-type'] === 'atomic' };
}

/** The structure of the value under `name` of a map; deduced where the schema says nothing. */
export function fieldStructure(structure: Structure, name: string): Structure {
  return structure.kind === 'map' ? (structure.fields.get(name) ?? structure.element ?? deduced) : deduced;
}
