import { deduced, fieldStructure, type ListStructure, type Structure } from '../schema/structure.ts';
import type { FieldSet } from './field-set.ts';
import { isObject, type Json } from './json.ts';
import { itemsByStep, stepOfItem } from './list-item.ts';

/** Lays an applied configuration over the live object: what the configuration says wins, what it does not say stays. */
export function mergeConfig(live: Json, config: Json, structure: Structure): Json {
  if (Array.isArray(config) && Array.isArray(live) && structure.kind === 'list' && structure.merge !== 'atomic') {
    return mergeItems(live, config, structure);
  }
  if (!isObject(config) || !isObject(live) || (structure.kind === 'map' && structure.atomic)) {
    return config;
  }
  const result: Record<string, Json> = { ...live };
  for (const [name, value] of Object.entries(config)) {
    result[name] = mergeConfig(live[name], value, fieldStructure(structure, name));
  }
  return result;
}

/** The configuration's order holds for its items; each other item stays behind the one it followed. */
function mergeItems(live: readonly Json[], config: readonly Json[], structure: ListStructure): Json[] {
  const old = itemsByStep(live, structure);
  const applied = itemsByStep(config, structure);
  if (old === undefined || applied === undefined) {
    return [...config];
  }
  const result = [...applied].map(([step, item]) => ({
    step,
    item: mergeConfig(old.get(step), item, structure.element),
  }));
  let after: string | undefined;
  for (const [step, item] of old) {
    if (!applied.has(step)) {
      const place = after === undefined ? 0 : result.findIndex((entry) => entry.step === after) + 1;
      result.splice(place, 0, { step, item });
    }
    after = step;
  }
  return result.map((entry) => entry.item);
}

/**
 * Removes the places in `gone` from `value`, but nothing that `kept` holds a place within. Containers that become empty
 * go as well.
 */
export function removePlaces(value: Json, gone: FieldSet, kept: FieldSet | undefined, structure: Structure): Json {
  if (gone.member && (kept === undefined || kept.isEmpty)) {
    return undefined;
  }
  if (gone.children.size === 0) {
    return value;
  }
  if (Array.isArray(value)) {
    return removeItems(value, gone, kept, structure);
  }
  if (!isObject(value)) {
    return value;
  }
  const result: Record<string, Json> = {};
  for (const [name, child] of Object.entries(value)) {
    const step = `f:${name}`;
    const goneWithin = gone.children.get(step);
    const rest =
      goneWithin === undefined
        ? child
        : removePlaces(
            child,
            goneWithin,
            kept?.children.get(step),
            structure.kind === 'map' ? fieldStructure(structure, name) : deduced,
          );
    if (rest !== undefined) {
      result[name] = rest;
    }
  }
  const emptied = Object.keys(result).length === 0 && Object.keys(value).length > 0;
  return emptied && kept?.member !== true ? undefined : result;
}

function removeItems(
  list: readonly Json[],
  gone: FieldSet,
  kept: FieldSet | undefined,
  structure: Structure,
): Json[] | undefined {
  if (structure.kind !== 'list') {
    return [...list];
  }
  const result: Json[] = [];
  for (const item of list) {
    const step = stepOfItem(item, structure);
    const goneWithin = step === undefined ? undefined : gone.children.get(step);
    if (step === undefined || goneWithin === undefined) {
      result.push(item);
      continue;
    }
    const rest = removePlaces(item, goneWithin, kept?.children.get(step), structure.element);
    if (rest === undefined) {
      continue;
    }
    // The key fields hold the item together as long as anybody owns a part of it.
    result.push(isObject(rest) && isObject(item) ? { ...keyFields(item, structure.keys), ...rest } : rest);
  }
  return result.length === 0 && list.length > 0 && kept?.member !== true ? undefined : result;
}

function keyFields(item: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(item, key)).map((key) => [key, item[key]]));
}
