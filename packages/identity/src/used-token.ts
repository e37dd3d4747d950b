import { rmSync } from 'node:fs';
import type { Logger } from '@weft/base';

/** Removes a join token's file after the token was used: it never works again, and need not lie about. */
export function removeUsedToken(path: string | undefined, logger: Logger): void {
  if (path === undefined) {
    return;
  }
  try {
    rmSync(path, { force: true });
  } catch (error) {
    logger.warn('the used join token cannot be removed', { path, error });
  }
}
