import { MeshError, socketFileAt } from '@weft/base';

/**
 * Makes sure that a proxy may make a Unix socket at a path, and lose nothing by it if it removes what is there.
 * @throws MeshError `PORT_IN_USE`, or what the system says of the folder.
 */
export async function requireFreeSocket(path: string): Promise<void> {
  const there = await socketFileAt(path);
  if (there === 'in-use') {
    throw new MeshError('PORT_IN_USE', `another program listens on the Unix socket ${path}`, {
      details: { path },
      hint: `Stop that program (\`ss -lxp src ${path}\` names it) or choose another path.`,
    });
  }
  if (there === 'foreign') {
    throw new MeshError('PORT_IN_USE', `${path}, wanted for a Unix socket, is something else`, {
      details: { path },
      hint: 'Choose another path, or move what is there.',
    });
  }
}
