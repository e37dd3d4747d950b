import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The full path of a program as a shell would find it; undefined when there is none. */
export function findProgram(name: string, path: string | undefined, cwd: string = process.cwd()): string | undefined {
  if (name.includes('/')) {
    const full = resolve(cwd, name);
    return isExecutable(full) ? full : undefined;
  }
  for (const folder of (path ?? '').split(delimiter)) {
    const full = resolve(cwd, join(folder, name));
    if (folder !== '' && isExecutable(full)) {
      return full;
    }
  }
  return undefined;
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
