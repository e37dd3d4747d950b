import type { Structure } from './structure.ts';

/** A field that no schema declares, by its path in Kubernetes' notation and by its steps. */
export interface UnknownField {
  readonly path: string;
  readonly steps: readonly (string | number)[];
  /** Declared names beside it, for a suggestion. */
  readonly known: readonly string[];
}

/** Every field of `value` that `structure` does not declare. */
export function unknownFields(value: unknown, structure: Structure): UnknownField[] {
  const found: UnknownField[] = [];
  walk(value, structure, [], found);
  return found;
}

/** A copy of `value` without `fields`. */
export function withoutFields<T>(value: T, fields: readonly UnknownField[]): T {
  let result: unknown = value;
  for (const field of fields) {
    result = without(result, field.steps, 0);
  }
  return result as T;
}

function walk(value: unknown, structure: Structure, steps: readonly (string | number)[], found: UnknownField[]): void {
  if (Array.isArray(value)) {
    if (structure.kind === 'list') {
      for (const [index, item] of value.entries()) {
        walk(item, structure.element, [...steps, index], found);
      }
    }
    return;
  }
  if (typeof value !== 'object' || value === null || structure.kind !== 'map') {
    return;
  }
  for (const [name, child] of Object.entries(value)) {
    const field = structure.fields.get(name) ?? structure.element;
    if (field === undefined) {
      const path = pathOf([...steps, name]);
      found.push({ path, steps: [...steps, name], known: [...structure.fields.keys()] });
    } else {
      walk(child, field, [...steps, name], found);
    }
  }
}

function without(value: unknown, steps: readonly (string | number)[], depth: number): unknown {
  const step = steps[depth];
  if (step === undefined || typeof value !== 'object' || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => (index === step ? without(item, steps, depth + 1) : item));
  }
  const entries = Object.entries(value);
  if (depth === steps.length - 1) {
    return Object.fromEntries(entries.filter(([name]) => name !== step));
  }
  return Object.fromEntries(
    entries.map(([name, child]) => [name, name === step ? without(child, steps, depth + 1) : child]),
  );
}

/** `spec.http[0].route`, keys that are no plain names in brackets. */
export function pathOf(steps: readonly (string | number)[]): string {
  let path = '';
  for (const step of steps) {
    if (typeof step === 'number') {
      path += `[${step}]`;
    } else if (/^[A-Za-z_$][\w$-]*$/.test(step)) {
      path += path === '' ? step : `.${step}`;
    } else {
      path += `[${step}]`;
    }
  }
  return path;
}

/** The declared name that `name` is most like, if any is close: for "did you mean". */
export function closest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Names longer than this are not compared: the cost is the product of both lengths. */
const maxCompared = 64;

function editDistance(a: string, b: string): number {
  if (a.length > maxCompared || b.length > maxCompared) {
    return maxCompared;
  }
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
