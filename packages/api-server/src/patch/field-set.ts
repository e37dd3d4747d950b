import { isObject, type JsonObject } from './json.ts';

/**
 * A set of places in an object, as a tree. Steps are written as in `managedFields` (`FieldsV1`): `f:<field>`,
 * `k:<JSON of the key fields>` and `v:<JSON of the value>` for items of lists.
 */
export class FieldSet {
  /** Whether the place itself is in the set, not only places within it. */
  member = false;
  readonly children = new Map<string, FieldSet>();

  get isEmpty(): boolean {
    return !this.member && [...this.children.values()].every((child) => child.isEmpty);
  }

  /** A deep copy. */
  copy(): FieldSet {
    return union(this, new FieldSet());
  }

  /** Every place in the set, as steps. */
  *places(steps: readonly string[] = []): Generator<readonly string[]> {
    if (this.member) {
      yield steps;
    }
    for (const [step, child] of this.children) {
      yield* child.places([...steps, step]);
    }
  }
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const result = new FieldSet();
  result.member = a.member || b.member;
  for (const set of [a, b]) {
    for (const [step, child] of set.children) {
      result.children.set(step, union(child, result.children.get(step) ?? new FieldSet()));
    }
  }
  return result;
}

/** What is in `a` and not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const result = new FieldSet();
  result.member = a.member && !b.member;
  for (const [step, child] of a.children) {
    const other = b.children.get(step);
    const rest = other === undefined ? child.copy() : difference(child, other);
    if (!rest.isEmpty) {
      result.children.set(step, rest);
    }
  }
  return result;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result = new FieldSet();
  result.member = a.member && b.member;
  for (const [step, child] of a.children) {
    const other = b.children.get(step);
    if (other !== undefined) {
      const both = intersection(child, other);
      if (!both.isEmpty) {
        result.children.set(step, both);
      }
    }
  }
  return result;
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  return difference(a, b).isEmpty && difference(b, a).isEmpty;
}

/** The form of `managedFields[].fieldsV1`. */
export function fieldsV1Of(set: FieldSet): JsonObject {
  const entries: [string, unknown][] = [];
  if (set.member && set.children.size > 0) {
    entries.push(['.', {}]);
  }
  for (const step of [...set.children.keys()].sort()) {
    const child = set.children.get(step);
    if (child !== undefined && !child.isEmpty) {
      entries.push([step, fieldsV1Of(child)]);
    }
  }
  return Object.fromEntries(entries);
}

/** Inverse of {@link fieldsV1Of}; undefined when `fields` is not of that form. */
export function fieldSetFromFieldsV1(fields: unknown, depth = 0): FieldSet | undefined {
  // Deeper than any object the server takes.
  if (!isObject(fields) || depth > 128) {
    return undefined;
  }
  const result = new FieldSet();
  const entries = Object.entries(fields);
  result.member = depth > 0 && (entries.length === 0 || Object.hasOwn(fields, '.'));
  for (const [step, value] of entries) {
    if (step === '.') {
      continue;
    }
    if (!isStep(step)) {
      return undefined;
    }
    const child = fieldSetFromFieldsV1(value, depth + 1);
    if (child === undefined) {
      return undefined;
    }
    result.children.set(step, child);
  }
  return result;
}

/** Steps may come from a client: what follows `k:`, `v:` and `i:` must be what {@link formatPlace} can read. */
function isStep(step: string): boolean {
  const rest = step.slice(2);
  if (step.startsWith('f:')) {
    return true;
  }
  if (step.startsWith('i:')) {
    return /^\d+$/.test(rest);
  }
  try {
    const value: unknown = JSON.parse(rest);
    return step.startsWith('v:') || (step.startsWith('k:') && isObject(value));
  } catch {
    return false;
  }
}

/** A place as conflict messages write it: `.spec.ports[port=80].name`. */
export function formatPlace(steps: readonly string[]): string {
  return steps
    .map((step) => {
      const rest = step.slice(2);
      if (step.startsWith('f:')) {
        return `.${rest}`;
      }
      if (step.startsWith('k:')) {
        const keys = JSON.parse(rest) as Record<string, unknown>;
        return `[${Object.entries(keys)
          .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
          .join(',')}]`;
      }
      return `[=${rest}]`;
    })
    .join('');
}
