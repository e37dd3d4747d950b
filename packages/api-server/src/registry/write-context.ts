import type { UserInfo } from '../options.ts';

/** What to do with fields that the kind does not have. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Who writes, and how. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Version of the path that was used; the body must be in it. */
  readonly version: string;
  readonly subresource: 'status' | undefined;
  /** Server-side apply takes over what others own. */
  readonly force: boolean;
  /** Told to the client by `Warning:` headers. */
  readonly warnings: string[];
}
