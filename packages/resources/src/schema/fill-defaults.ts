import * as z from 'zod';
import { childSchema, fieldsOf, unwrap } from './structure.ts';

/**
 * Structural defaults, as a CustomResourceDefinition has them: the `default` keyword of a field stands for the field
 * where it is absent.
 */

/** A value of its own for each that asks: the object that gets it may be frozen or changed. */
function defaultOf(schema: z.ZodType): unknown {
  const value = z.globalRegistry.get(unwrap(schema))?.['default'];
  return typeof value === 'object' ? structuredClone(value) : value;
}

const known = new WeakMap<z.ZodType, boolean>();

/** Whether there is a default anywhere in the schema: most parts have none, and need not be walked. */
function hasDefaults(schema: z.ZodType): boolean {
  const plain = unwrap(schema);
  const answer = known.get(plain);
  if (answer !== undefined) {
    return answer;
  }
  const fields = fieldsOf(plain);
  const children = fields === undefined ? [childSchema(plain, 0) ?? []].flat() : Object.values(fields);
  const found = children.some((child) => defaultOf(child) !== undefined || hasDefaults(child));
  known.set(plain, found);
  return found;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fillEntries(schema: z.ZodType, value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  let filled: Record<string, unknown> | undefined;
  const names = new Set([...Object.keys(value), ...Object.keys(fieldsOf(schema) ?? {})]);
  for (const name of names) {
    const child = childSchema(schema, name);
    if (child === undefined) {
      continue;
    }
    const before = Object.hasOwn(value, name) ? value[name] : undefined;
    const after = fillDefaults(child, before ?? defaultOf(child));
    if (after !== before) {
      filled ??= { ...value };
      filled[name] = after;
    }
  }
  return filled ?? value;
}

/**
 * The value with the defaults of its schema in place of absent fields, at every depth, inside defaults as well.
 * Returns the value itself where nothing is missing.
 */
export function fillDefaults<T>(schema: z.ZodType, value: T): T {
  if (!hasDefaults(schema)) {
    return value;
  }
  if (Array.isArray(value)) {
    const element = childSchema(schema, 0);
    const items = element === undefined ? value : value.map((item: unknown) => fillDefaults(element, item));
    return items.some((item, index) => item !== value[index]) ? (items as T) : value;
  }
  return isRecord(value) ? (fillEntries(schema, value) as T) : value;
}
