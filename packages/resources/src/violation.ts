/** One mistake in what a user wrote. All mistakes of an input are reported at once. */
export interface Violation {
  /** Where in the object, in Kubernetes' notation: `spec.http[0].route[1].weight`. Empty for the object as a whole. */
  readonly path: string;
  /** File the object came from, where there is one. */
  readonly file?: string;
  /** 1-based position in the file, where there is one. */
  readonly line?: number;
  readonly column?: number;
  /** Stable, of a closed set (see `docs/errors.md`). */
  readonly code: ViolationCode;
  /** What is wrong, naming the value. */
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
}

/** Most violations of one object that are reported. */
export const violationsMax = 100;

/** The first {@link violationsMax}, and where there are more a last one that says so. */
export function limitViolations(violations: readonly Violation[]): readonly Violation[] {
  if (violations.length <= violationsMax) {
    return violations;
  }
  const last = violations[violationsMax - 1];
  const more: Violation = {
    path: '',
    ...(last?.line === undefined ? {} : { line: last.line, column: last.column ?? 1 }),
    code: 'TooLarge',
    message: `there are more than ${violationsMax} mistakes, and these are the first`,
    fix: 'Mend these, then look again.',
  };
  return [...violations.slice(0, violationsMax), more];
}

/** Codes of {@link Violation}; the first seven carry the reason names of a Kubernetes `StatusCause`. */
export type ViolationCode =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTypeInvalid'
  | 'FieldValueTooLong'
  | 'FieldValueNotFound'
  | 'UnknownField'
  | 'UnknownKind'
  | 'DuplicateKey'
  | 'MalformedDocument'
  | 'Conflict'
  | 'TooLarge';
