/** A bug in Weft itself: an invariant did not hold. The process that meets one drains and exits non-zero. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * States what must be true at this point of the program.
 * @throws InvariantError when `condition` is falsy; never use it for input, only for our own mistakes.
 */
export function invariant(condition: unknown, reason: string): asserts condition {
  if (!condition) {
    throw new InvariantError(reason);
  }
}

/** Marks a branch of a closed union that cannot be reached. */
export function unreachable(value: never, what = 'value'): never {
  throw new InvariantError(`unexpected ${what}: ${JSON.stringify(value)}`);
}
