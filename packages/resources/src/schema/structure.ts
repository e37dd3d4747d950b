import type { z } from 'zod';

/**
 * The structure of a schema, as far as walking a value along with it needs. Reads zod's definitions
 * (`_zod.def`, its interface for library authors).
 */

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
}

function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

/** The schema without the `optional` around it. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const { type, innerType } = definitionOf(schema);
  return type === 'optional' && innerType !== undefined ? unwrap(innerType) : schema;
}

/** The fields of an object's schema; undefined for anything else. */
export function fieldsOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> | undefined {
  return definitionOf(unwrap(schema)).shape;
}

/** The schema of what is at `segment` of a value of `schema`; undefined where any value may be. */
export function childSchema(schema: z.ZodType, segment: PropertyKey): z.ZodType | undefined {
  const { shape, element, valueType } = definitionOf(unwrap(schema));
  if (shape !== undefined) {
    return Object.hasOwn(shape, segment) ? shape[segment as string] : undefined;
  }
  return element ?? valueType;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Drops fields of objects whose value is null: in Kubernetes that is the same as leaving them out. Nulls elsewhere (in
 * lists and maps) stay, and are refused later. Returns the value itself when nothing was dropped.
 */
export function dropNullFields(schema: z.ZodType, value: unknown): unknown {
  if (Array.isArray(value)) {
    const element = childSchema(schema, 0);
    if (element === undefined) {
      return value;
    }
    const items = value.map((item) => dropNullFields(element, item));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isRecord(value)) {
    return value;
  }
  const hasFields = fieldsOf(schema) !== undefined;
  let changed = false;
  const entries: [string, unknown][] = [];
  for (const [key, child] of Object.entries(value)) {
    if (child === null && hasFields) {
      changed = true;
      continue;
    }
    const of = childSchema(schema, key);
    const kept = of === undefined ? child : dropNullFields(of, child);
    changed ||= kept !== child;
    entries.push([key, kept]);
  }
  return changed ? Object.fromEntries(entries) : value;
}
