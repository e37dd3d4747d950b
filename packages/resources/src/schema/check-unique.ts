import * as z from 'zod';
import type { Place } from '../place.ts';
import { childSchema, fieldsOf, unwrap } from './structure.ts';

/** Lists that are merged by keys, or as sets, and so may not have one item twice (`x-kubernetes-list-type`). */

interface Uniqueness {
  /** Fields that tell items apart; none for a set of values. */
  readonly keys: readonly string[];
}

function uniquenessOf(schema: z.ZodType): Uniqueness | undefined {
  const keywords = z.globalRegistry.get(schema);
  switch (keywords?.['x-kubernetes-list-type']) {
    case 'map':
      return { keys: keywords['x-kubernetes-list-map-keys'] as readonly string[] };
    case 'set':
      return { keys: [] };
    default:
      return undefined;
  }
}

const known = new WeakMap<z.ZodType, boolean>();

/** Whether there is such a list anywhere in the schema: most parts have none, and need not be walked. */
function concerns(schema: z.ZodType): boolean {
  const plain = unwrap(schema);
  let answer = known.get(plain);
  if (answer === undefined) {
    const fields = fieldsOf(plain);
    const children = fields === undefined ? [childSchema(plain, 0) ?? []].flat() : Object.values(fields);
    answer = uniquenessOf(plain) !== undefined || children.some(concerns);
    known.set(plain, answer);
  }
  return answer;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkItems(place: Place, { keys }: Uniqueness, items: readonly unknown[]): void {
  const [only] = keys;
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const values = isRecord(item) && keys.length > 0 ? keys.map((key) => item[key]) : [item];
    const identity = JSON.stringify(values);
    if (seen.has(identity)) {
      const here = only === undefined ? place.at(index) : place.at(index, only);
      here.duplicate(values.length === 1 ? values[0] : values, 'Remove one of the two, or join them.');
    }
    seen.add(identity);
  }
}

/** Reports each item that is in its list already. The value is of the schema, with its defaults. */
export function checkUnique(place: Place, schema: z.ZodType, value: unknown): void {
  if (!concerns(schema)) {
    return;
  }
  if (Array.isArray(value)) {
    const uniqueness = uniquenessOf(unwrap(schema));
    if (uniqueness !== undefined) {
      checkItems(place, uniqueness, value);
    }
    const element = childSchema(schema, 0);
    if (element !== undefined && concerns(element)) {
      for (const [index, item] of value.entries()) {
        checkUnique(place.at(index), element, item);
      }
    }
  } else if (isRecord(value)) {
    for (const [name, child] of Object.entries(value)) {
      const of = childSchema(schema, name);
      if (of !== undefined && concerns(of)) {
        checkUnique(place.at(name), of, child);
      }
    }
  }
}
