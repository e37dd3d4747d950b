import { joinPath, type PathSegment } from './field-path.ts';
import { type Violation, type ViolationCode, violationsMax } from './violation.ts';

/** Longest value that a message repeats in full. */
const shownValueMax = 80;

/** A value as messages show it: JSON, shortened. */
export function showValue(value: unknown): string {
  const short = typeof value === 'string' ? value.slice(0, shownValueMax + 1) : value;
  const text = JSON.stringify(short) ?? 'undefined';
  return text.length > shownValueMax ? `${text.slice(0, shownValueMax)}…` : text;
}

/** What all places of one object have in common. */
interface Shared {
  readonly found: Violation[];
  readonly spent: Map<string, number>;
}

/**
 * A place in an object under validation, and the list that violations found there go to.
 * Validators walk the object with a `Place` at their side: `place.field('http').index(0).invalid(…)`.
 */
export class Place {
  readonly path: string;
  readonly #shared: Shared;

  private constructor(path: string, shared: Shared) {
    this.path = path;
    this.#shared = shared;
  }

  /** The whole object, with nothing found yet. */
  static root(): Place {
    return new Place('', { found: [], spent: new Map() });
  }

  /** All that was found by this place and every place derived from the same root. */
  get violations(): Violation[] {
    return this.#shared.found;
  }

  /** Adds to what checking the whole object has cost so far, and returns the sum. */
  spend(what: string, amount: number): number {
    const sum = (this.#shared.spent.get(what) ?? 0) + amount;
    this.#shared.spent.set(what, sum);
    return sum;
  }

  /** The place one or more steps further in. */
  at(...segments: readonly PathSegment[]): Place {
    return new Place(segments.reduce<string>(joinPath, this.path), this.#shared);
  }

  /** Adds a violation. One more than are reported is kept, so that it can be told that there are more. */
  report(code: ViolationCode, message: string, fix: string): void {
    if (this.#shared.found.length <= violationsMax) {
      this.#shared.found.push({ path: this.path, code, message, fix });
    }
  }

  /** The value is of the right type, but wrong. The message begins with the value. */
  invalid(value: unknown, why: string, fix: string): void {
    this.report('FieldValueInvalid', `${showValue(value)}: ${why}`, fix);
  }

  required(why: string, fix: string): void {
    this.report('FieldValueRequired', why, fix);
  }

  duplicate(value: unknown, fix: string): void {
    this.report('FieldValueDuplicate', `${showValue(value)} is there more than once`, fix);
  }

  forbidden(why: string, fix: string): void {
    this.report('FieldValueForbidden', why, fix);
  }

  /** The value is not one of a closed set. */
  unsupported(value: unknown, allowed: readonly string[], fix?: string): void {
    this.report(
      'FieldValueNotSupported',
      `${showValue(value)} is not one of ${allowed.join(', ')}`,
      fix ?? `Use one of ${allowed.join(', ')}.`,
    );
  }

  /** Something else in the same object contradicts this. */
  conflict(why: string, fix: string): void {
    this.report('Conflict', why, fix);
  }

  /** A name that is referred to here does not exist in the object. */
  notFound(value: unknown, why: string, fix: string): void {
    this.report('FieldValueNotFound', `${showValue(value)}: ${why}`, fix);
  }

  tooLong(why: string, fix: string): void {
    this.report('FieldValueTooLong', why, fix);
  }
}
