import { type ErrorCode, MeshError } from '@weft/base';
import type { Violation } from '@weft/resources';
import { exitCode } from './exit-code.ts';

/** Everything a person needs to know about why a command ended: what happened, where, why, how to mend it. */
export interface FailureReport {
  readonly what: string;
  /** A file, an address, an object. */
  readonly where?: string;
  readonly why?: string;
  readonly fix?: string;
  /** For an operational error, its code in `docs/errors.md`. */
  readonly code?: ErrorCode;
  /** All mistakes of what the user wrote. */
  readonly violations?: readonly Violation[];
  readonly exitCode: number;
}

/** Ends a command; `main.ts` prints the report and exits with its code. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly report: FailureReport;

  constructor(report: FailureReport, cause?: unknown) {
    super(report.what, cause === undefined ? undefined : { cause });
    this.report = report;
  }
}

/** A mistake in the command line: exit code 2. */
export function usageFailure(what: string, fix: string): CliFailure {
  return new CliFailure({ what, fix, exitCode: exitCode.userMistake });
}

const userCodes: ReadonlySet<ErrorCode> = new Set(['INVALID', 'TOO_LARGE', 'BAD_CONFIGURATION']);

/**
 * The report of anything thrown; total.
 * @param what the sentence that says which action failed; the error's own message becomes the reason.
 */
export function reportFrom(thrown: unknown, what?: string): FailureReport {
  if (thrown instanceof CliFailure) {
    return thrown.report;
  }
  const error = MeshError.from(thrown);
  const where = error.details['where'];
  return {
    what: what ?? error.message,
    ...(what === undefined ? {} : { why: error.message }),
    ...(where === undefined ? {} : { where: String(where) }),
    fix: error.hint,
    code: error.code,
    exitCode:
      error.code === 'NOT_RUNNING'
        ? exitCode.notRunning
        : userCodes.has(error.code)
          ? exitCode.userMistake
          : exitCode.failure,
  };
}
