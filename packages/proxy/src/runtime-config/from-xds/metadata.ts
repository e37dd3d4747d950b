import type { Problems } from '../wire/problems.ts';
import type { JsonObject, JsonValue } from '../wire/schema.ts';

/** A struct whose values are all strings, as labels are; other values are refused. */
export function labelsFromStruct(struct: JsonObject, at: string, problems: Problems): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(struct)) {
    if (typeof value === 'string') {
      labels[key] = value;
    } else {
      problems.add('only strings are supported', `${at}.${key}`);
    }
  }
  return labels;
}

/** Follows `steps` into metadata that other implementations may shape differently: undefined when it is not there. */
export function stringAt(value: JsonValue | undefined, ...steps: readonly (string | number)[]): string | undefined {
  let current: JsonValue | undefined = value;
  for (const step of steps) {
    if (typeof current !== 'object' || current === null) {
      return undefined;
    }
    current = (current as { readonly [key: string | number]: JsonValue | undefined })[step];
  }
  return typeof current === 'string' && current !== '' ? current : undefined;
}
