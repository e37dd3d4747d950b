import { join } from 'node:path';
import { loadCore, runPinned } from '../running.ts';

/** Runs a program of this folder on the core of the load. @returns what it printed as JSON. @throws Error when it fails. */
export async function runClient<T>(program: string, options: object): Promise<T> {
  const file = join(import.meta.dirname, program);
  const output = await runPinned(loadCore, process.execPath, [
    '--disable-warning=ExperimentalWarning',
    file,
    JSON.stringify(options),
  ]);
  return JSON.parse(output) as T;
}
