import { fieldStructure, type ListStructure, type Structure } from '../schema/structure.ts';
import { equalJson, isObject, type Json, type JsonObject, PatchError } from './json.ts';

/**
 * Applies a Kubernetes strategic merge patch: a merge patch in which lists are merged by key or as sets where the schema
 * says so (`x-kubernetes-patch-merge-key`, `x-kubernetes-patch-strategy`), with the directives `$patch`,
 * `$retainKeys`, `$deleteFromPrimitiveList/<field>` and `$setElementOrder/<field>`.
 * @throws PatchError when a directive is malformed.
 */
export function applyStrategicMergePatch(target: Json, patch: Json, structure: Structure): Json {
  if (!isObject(patch)) {
    throw new PatchError('malformed', '', 'a strategic merge patch is an object');
  }
  return mergeObject(isObject(target) ? target : {}, patch, structure, '') ?? {};
}

/** Comparisons of two items that merging one list may take: about a thousand items with a thousand. */
export const maxComparisons = 2_000_000;

const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

/** Undefined when the patch deletes the object. */
function mergeObject(
  target: JsonObject,
  patch: JsonObject,
  structure: Structure,
  path: string,
): JsonObject | undefined {
  const directive = patch['$patch'];
  if (directive === 'delete') {
    return undefined;
  }
  if (directive === 'replace') {
    return withoutDirectives(patch) as JsonObject;
  }
  if (directive !== undefined && directive !== 'merge') {
    throw new PatchError('malformed', `${path}.$patch`, `${JSON.stringify(directive)} is not delete, merge or replace`);
  }
  const result: Record<string, Json> = retained(target, patch, path);
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$')) {
      applyFieldDirective(result, name, value, patch, structure, path);
      continue;
    }
    const field = fieldStructure(structure, name);
    const at = path === '' ? name : `${path}.${name}`;
    if (value === null) {
      delete result[name];
    } else if (isObject(value)) {
      setOrDelete(result, name, mergeObject(isObject(result[name]) ? result[name] : {}, value, field, at));
    } else if (Array.isArray(value) && field.kind === 'list' && field.patchMerge) {
      const order = patch[`${orderPrefix}${name}`];
      result[name] = mergeList(Array.isArray(result[name]) ? result[name] : [], value, field, order, at);
    } else {
      result[name] = withoutDirectives(value);
    }
  }
  return result;
}

function setOrDelete(result: Record<string, Json>, name: string, value: JsonObject | undefined): void {
  if (value === undefined) {
    delete result[name];
  } else {
    result[name] = value;
  }
}

/** Refuses what would keep us comparing items for seconds. */
function checkComparisons(list: readonly Json[], other: readonly Json[], path: string): void {
  if ((list.length + other.length) * other.length > maxComparisons) {
    const sizes = `${list.length} and ${other.length} items`;
    throw new PatchError('malformed', path, `lists of ${sizes} are too long to be merged; use another kind of patch`);
  }
}

function retained(target: JsonObject, patch: JsonObject, path: string): Record<string, Json> {
  const keep = patch['$retainKeys'];
  if (keep === undefined) {
    return { ...target };
  }
  if (!Array.isArray(keep)) {
    throw new PatchError('malformed', `${path}.$retainKeys`, 'the value is a list of field names');
  }
  const kept = new Set<unknown>(keep);
  return Object.fromEntries(Object.entries(target).filter(([name]) => kept.has(name)));
}

function applyFieldDirective(
  result: Record<string, Json>,
  name: string,
  value: Json,
  patch: JsonObject,
  structure: Structure,
  path: string,
): void {
  if (name === '$patch' || name === '$retainKeys') {
    return;
  }
  if (!Array.isArray(value)) {
    throw new PatchError('malformed', `${path}.${name}`, 'the value is a list');
  }
  if (name.startsWith(deletePrefix)) {
    const field = name.slice(deletePrefix.length);
    // Where the field is patched as well, its own turn comes later and adds to what is left here.
    const list = result[field];
    if (Array.isArray(list)) {
      checkComparisons(list, value, `${path}.${name}`);
      result[field] = list.filter((item) => !value.some((gone) => equalJson(gone, item)));
    }
  } else if (name.startsWith(orderPrefix)) {
    const field = name.slice(orderPrefix.length);
    const list = result[field];
    const fieldType = fieldStructure(structure, field);
    // With a patch of the list beside it, the order is taken up when that is merged.
    if (!Object.hasOwn(patch, field) && Array.isArray(list) && fieldType.kind === 'list') {
      checkComparisons(list, value, `${path}.${name}`);
      result[field] = inOrder(list, value, fieldType.patchKey);
    }
  } else {
    throw new PatchError('malformed', `${path}.${name}`, `the directive ${name} does not exist`);
  }
}

function mergeList(
  target: readonly Json[],
  patch: readonly Json[],
  structure: ListStructure,
  order: Json,
  path: string,
): Json[] {
  const key = structure.patchKey;
  const merged =
    key === undefined ? mergeSet(target, patch, path) : mergeByKey(target, patch, key, structure.element, path);
  if (!Array.isArray(order)) {
    return merged;
  }
  checkComparisons(merged, order, path);
  return inOrder(merged, order, key);
}

function mergeSet(target: readonly Json[], patch: readonly Json[], path: string): Json[] {
  checkComparisons(target, patch, path);
  const added = patch.filter((item) => !target.some((present) => equalJson(present, item)));
  return [...target, ...added];
}

function mergeByKey(
  target: readonly Json[],
  patch: readonly Json[],
  key: string,
  element: Structure,
  path: string,
): Json[] {
  const replacement = patch.findIndex((item) => isObject(item) && item['$patch'] === 'replace');
  if (replacement >= 0) {
    return patch.filter((_, index) => index !== replacement).map(withoutDirectives);
  }
  checkComparisons(target, patch, path);
  let result = [...target];
  for (const [index, item] of patch.entries()) {
    const at = `${path}[${index}]`;
    if (!isObject(item)) {
      throw new PatchError('malformed', at, 'an item of this list is an object');
    }
    const id = item[key];
    if (id === undefined) {
      throw new PatchError('malformed', `${at}.${key}`, `an item needs the merge key ${key}`);
    }
    const same = (present: Json): boolean => isObject(present) && equalJson(present[key], id);
    if (item['$patch'] === 'delete') {
      result = result.filter((present) => !same(present));
      continue;
    }
    const place = result.findIndex(same);
    const current = result[place];
    const merged = mergeObject(isObject(current) ? current : {}, item, element, at) ?? {};
    result = place < 0 ? [...result, merged] : result.with(place, merged);
  }
  return result;
}

/** Items that `order` names come in its order; each other item stays behind the one it followed. */
function inOrder(list: readonly Json[], order: readonly Json[], key: string | undefined): Json[] {
  const idOf = (item: Json): Json => (key !== undefined && isObject(item) ? item[key] : item);
  const ranked = list.map((item) => ({
    item,
    rank: order.findIndex((entry) => equalJson(idOf(entry), idOf(item))),
  }));
  const named = ranked.filter(({ rank }) => rank >= 0).sort((a, b) => a.rank - b.rank);
  const result = named.map(({ item }) => item);
  let after: Json | undefined;
  for (const { item, rank } of ranked) {
    if (rank < 0) {
      const place = after === undefined ? 0 : result.indexOf(after) + 1;
      result.splice(place, 0, item);
    }
    after = item;
  }
  return result;
}

function withoutDirectives(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(withoutDirectives);
  }
  if (!isObject(value)) {
    return value;
  }
  const entries = Object.entries(value).filter(([name, child]) => !name.startsWith('$') && child !== null);
  return Object.fromEntries(entries.map(([name, child]) => [name, withoutDirectives(child)]));
}
