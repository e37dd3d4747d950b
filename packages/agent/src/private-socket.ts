import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** `sockaddr_un.sun_path` holds 108 bytes with its final zero. */
const maxSocketPath = 107;
const temporaryPrefix = 'weft-agent-';

/** A Unix socket that only its owner can open. */
export class PrivateSocket {
  readonly path: string;

  /** In the private folder of the workload; where that path is too long for a socket, in a private folder of its own. */
  constructor(folder: string, name: string) {
    const path = join(folder, name);
    this.path =
      Buffer.byteLength(path) <= maxSocketPath ? path : join(mkdtempSync(join(tmpdir(), temporaryPrefix)), name);
  }

  /** Removes what an earlier process left, and binds. */
  async bind(bind: (path: string) => Promise<void>): Promise<void> {
    rmSync(this.path, { force: true });
    // The socket gets its rights from the mask of the process at the moment it is bound.
    const mask = process.umask(0o177);
    try {
      await bind(this.path);
    } finally {
      process.umask(mask);
    }
  }

  remove(): void {
    rmSync(this.path, { force: true });
    if (dirname(this.path).startsWith(join(tmpdir(), temporaryPrefix))) {
      rmSync(dirname(this.path), { recursive: true, force: true });
    }
  }
}
