import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MeshError } from '@weft/base';

/** Paths in the state folder, as in docs/architecture.md. */
export interface StateFolder {
  readonly home: string;
  readonly database: string;
  readonly ca: string;
  /** What the mesh was set to. */
  readonly meshSettings: string;
  readonly serviceAccountKey: string;
  readonly kubeconfig: string;
  readonly trustBundle: string;
  readonly controlPlaneFile: string;
  readonly lock: string;
}

/**
 * Makes the folder if it is not there, private to its owner.
 * @throws MeshError `PERMISSION_DENIED`, `DISK_FULL`, or `BAD_CONFIGURATION` when something else is in its place.
 */
export function openStateFolder(home: string): StateFolder {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    if (!statSync(home).isDirectory()) {
      throw new MeshError('BAD_CONFIGURATION', `${home} is not a folder`);
    }
    chmodSync(home, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' || (error as NodeJS.ErrnoException).code === 'ENOTDIR') {
      throw new MeshError('BAD_CONFIGURATION', `${home} is not a folder`, {
        cause: error,
        hint: 'Move the file away or set WEFT_HOME to another place.',
      });
    }
    throw MeshError.from(error);
  }
  return {
    home,
    database: join(home, 'weft.db'),
    ca: join(home, 'ca'),
    meshSettings: join(home, 'mesh.json'),
    serviceAccountKey: join(home, 'ca', 'service-accounts', 'signing.key'),
    kubeconfig: join(home, 'kubeconfig'),
    trustBundle: join(home, 'trust-bundle.pem'),
    controlPlaneFile: join(home, 'control-plane.json'),
    lock: join(home, 'control-plane.lock'),
  };
}
