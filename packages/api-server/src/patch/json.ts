import { isDeepStrictEqual } from 'node:util';

/** A value that JSON can carry. Objects of the cache are frozen: patches copy what they change. */
export type Json = unknown;
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equality of JSON values; the order of fields means nothing. */
export function equalJson(a: unknown, b: unknown): boolean {
  return a === b || isDeepStrictEqual(a, b);
}

/** A patch that cannot be read or applied: the API answers 400 or 422. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
  /** `malformed` is a patch that is none (400); `inapplicable` does not fit the object (422). */
  readonly sort: 'malformed' | 'inapplicable';
  /** Where in the patch. */
  readonly path: string;

  constructor(sort: 'malformed' | 'inapplicable', path: string, message: string) {
    super(message);
    this.sort = sort;
    this.path = path;
  }
}
