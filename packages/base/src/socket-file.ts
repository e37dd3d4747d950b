import { lstat } from 'node:fs/promises';
import { connect } from 'node:net';

/**
 * What is at a path where somebody wants to listen. `abandoned`: a socket that nobody listens on, as a process leaves it that was killed;
 * it may be removed. `in-use`: somebody listens, or nobody can tell. `foreign`: no socket.
 */
export type SocketFile = 'absent' | 'abandoned' | 'in-use' | 'foreign';

/** @throws what the system says of a folder that cannot be looked into. */
export async function socketFileAt(path: string): Promise<SocketFile> {
  try {
    if (!(await lstat(path)).isSocket()) {
      return 'foreign';
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return 'absent';
    }
    throw error;
  }
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve('in-use');
    });
    probe.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'abandoned' : 'in-use'),
    );
  });
}
