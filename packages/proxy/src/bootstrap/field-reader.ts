import type { JsonObject, JsonValue } from '../runtime-config/wire/schema.ts';
import type { BootstrapViolation } from './bootstrap.ts';

/** Reads the fields of one JSON object, notes what is wrong, and at the end what nobody asked for. */
export class FieldReader {
  readonly #object: JsonObject;
  readonly #path: string;
  readonly #violations: BootstrapViolation[];
  readonly #known = new Set<string>();

  constructor(object: JsonObject, path: string, violations: BootstrapViolation[]) {
    this.#object = object;
    this.#path = path;
    this.#violations = violations;
  }

  violate(key: string, message: string, fix: string): void {
    const path = this.#path === '' ? key : key === '' ? this.#path : `${this.#path}.${key}`;
    this.#violations.push({ path, message, fix });
  }

  value(key: string): JsonValue | undefined {
    this.#known.add(key);
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : undefined;
    return value === null ? undefined : value;
  }

  /** A text that is not empty; with a fallback it may be left out. */
  string(key: string, fallback?: string): string {
    const value = this.value(key);
    if (value === undefined && fallback !== undefined) {
      return fallback;
    }
    if (typeof value !== 'string' || value === '') {
      this.violate(key, value === undefined ? 'is required' : 'is not a text', `Set ${key} to a text.`);
      return '';
    }
    return value;
  }

  optionalString(key: string): string | undefined {
    return this.value(key) === undefined ? undefined : this.string(key);
  }

  integer(key: string, minimum: number, maximum: number, fallback: number): number {
    const value = this.value(key);
    if (value === undefined) {
      return fallback;
    }
    if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
      this.violate(key, `is ${JSON.stringify(value)}`, `Set ${key} to a whole number from ${minimum} to ${maximum}.`);
      return fallback;
    }
    return value;
  }

  /** A share or another number that need not be whole; without a fallback it must be there. */
  number(key: string, minimum: number, maximum: number, fallback?: number): number {
    const value = this.value(key);
    if (value === undefined && fallback !== undefined) {
      return fallback;
    }
    if (typeof value !== 'number' || !(value >= minimum && value <= maximum)) {
      this.violate(
        key,
        value === undefined ? 'is required' : `is ${JSON.stringify(value)}`,
        `Set ${key} to a number from ${minimum} to ${maximum}.`,
      );
      return fallback ?? minimum;
    }
    return value;
  }

  choice<const T extends string | boolean>(key: string, choices: readonly T[], fallback: T): T {
    return this.value(key) === undefined ? fallback : (this.requiredChoice(key, choices) ?? fallback);
  }

  /** undefined when it is absent or none of the choices, which was noted. */
  requiredChoice<const T extends string | boolean>(key: string, choices: readonly T[]): T | undefined {
    const value = this.value(key);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      this.violate(
        key,
        value === undefined ? 'is required' : `is ${JSON.stringify(value)}`,
        `Use one of ${choices.join(', ')}.`,
      );
    }
    return found;
  }

  /** An object below this one, or undefined when it is absent. */
  object(key: string): FieldReader | undefined {
    const value = this.plainObject(key);
    return value === undefined
      ? undefined
      : new FieldReader(value, this.#path === '' ? key : `${this.#path}.${key}`, this.#violations);
  }

  plainObject(key: string): JsonObject | undefined {
    const value = this.value(key);
    if (value === undefined) {
      return undefined;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.violate(key, 'is not an object', `Write ${key} as {…}.`);
      return undefined;
    }
    return value as JsonObject;
  }

  objects(key: string): readonly JsonObject[] {
    const value = this.value(key);
    if (value === undefined) {
      return [];
    }
    const isObject = (item: JsonValue): item is JsonObject =>
      typeof item === 'object' && item !== null && !Array.isArray(item);
    if (!Array.isArray(value) || !value.every(isObject)) {
      this.violate(key, 'is not a list of objects', `Write ${key} as [{…}, …].`);
      return [];
    }
    return value;
  }

  /** The objects of a list, each with its place in the path; undefined when the list is absent. */
  objectReaders(key: string): readonly FieldReader[] | undefined {
    const path = this.#path === '' ? key : `${this.#path}.${key}`;
    return this.value(key) === undefined
      ? undefined
      : this.objects(key).map((item, index) => new FieldReader(item, `${path}[${index}]`, this.#violations));
  }

  /** A misspelt field must not look like a default. */
  refuseUnknown(): void {
    for (const key of Object.keys(this.#object)) {
      if (!this.#known.has(key)) {
        this.violate(key, 'is not known', `Remove it, or use one of ${[...this.#known].join(', ')}.`);
      }
    }
  }
}
