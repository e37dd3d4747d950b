import type { Structure } from './structure.ts';

/** A field that no schema declares, by its path in Kubernetes' notation and by its steps. */
export interface UnknownField {
  readonly path: string;
  readonly steps: readonly (string | number)[];
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
      found.push({ path: pathOf([...steps, name]), steps: [...steps, name] });
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
function pathOf(steps: readonly (string | number)[]): string {
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
