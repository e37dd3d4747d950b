import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MeshError } from '@weft/base';

/** Where the CA keeps its files; folders are 0700, files 0600. */
export interface CaPaths {
  readonly rootKey: string;
  readonly rootCertificate: string;
  /** Key and certificate of the intermediate in one file, so that a crash never leaves a pair that does not match. */
  readonly issuing: string;
}

export function caPaths(folder: string): CaPaths {
  return {
    rootKey: join(folder, 'root', 'root.key'),
    rootCertificate: join(folder, 'root', 'root.crt'),
    issuing: join(folder, 'issuing', 'issuing.pem'),
  };
}

/**
 * The text of a private file; undefined when there is none.
 * @throws MeshError `PERMISSION_DENIED` when others than its owner may read it.
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      throw new MeshError('PERMISSION_DENIED', `${path} can be read by others than its owner`, {
        hint: `Run: chmod 600 '${path}'`,
      });
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw MeshError.from(error);
  }
}

/** Writes all or nothing: a new file of mode 0600, flushed, then renamed over the old one. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(temporary, { force: true });
    throw MeshError.from(error);
  }
}
