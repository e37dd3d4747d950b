import type { ListStructure } from '../schema/structure.ts';
import { isObject, type Json } from './json.ts';

/** The step that stands for an item of a set or keyed list; undefined when the item lacks a key. */
export function stepOfItem(item: Json, structure: ListStructure): string | undefined {
  if (structure.merge === 'set') {
    return `v:${JSON.stringify(item)}`;
  }
  if (!isObject(item)) {
    return undefined;
  }
  const keys: [string, unknown][] = [];
  for (const key of [...structure.keys].sort()) {
    const value = item[key] ?? structure.keyDefaults[key];
    // A key field without a value takes part as absent: items that all lack it are told apart by the others.
    if (value !== undefined) {
      keys.push([key, value]);
    }
  }
  return keys.length === 0 ? undefined : `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

/**
 * Items by their step. Undefined when the list cannot be told apart by its keys (one lacks them, or two are alike): it is
 * then treated as atomic.
 */
export function itemsByStep(list: readonly Json[], structure: ListStructure): Map<string, Json> | undefined {
  const result = new Map<string, Json>();
  for (const item of list) {
    const step = stepOfItem(item, structure);
    if (step === undefined || result.has(step)) {
      return undefined;
    }
    result.set(step, item);
  }
  return result;
}
