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
