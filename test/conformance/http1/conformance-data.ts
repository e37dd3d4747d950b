import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where the public test data lies: `WEFT_CONFORMANCE_DATA`, or the place that it has on our machines. */
export function conformanceFolder(name: string): string | undefined {
  const folder = join(process.env['WEFT_CONFORMANCE_DATA'] ?? '/work/shared/conformance', name);
  return existsSync(folder) ? folder : undefined;
}

/** The reason for a test runner's `skip`, or false when the data are there. */
export function skipWithout(folder: string | undefined): string | false {
  return folder === undefined ? 'conformance data not found: set WEFT_CONFORMANCE_DATA' : false;
}
