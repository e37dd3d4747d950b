import { createServer, type Server } from 'node:net';
import { MeshError } from '@weft/base';

/**
 * Asks the system for `count` ports on loopback that nobody listens on. They are held together while they are chosen, so no
 * two are the same; another program can still take one before it is used (the listener that then fails says so).
 */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (let i = 0; i < count; i += 1) {
      servers.push(await listen(0));
    }
    return servers.map(portOf);
  } finally {
    await Promise.all(servers.map(close));
  }
}

/**
 * Makes sure that a port that the user asked for can be used.
 * @throws MeshError `PORT_IN_USE`, or `PERMISSION_DENIED` for a port that only root may use.
 */
export async function requireFreePort(port: number, purpose: string): Promise<void> {
  try {
    await close(await listen(port));
  } catch (error) {
    const code = MeshError.from(error).code;
    throw new MeshError(
      code,
      code === 'PORT_IN_USE'
        ? `port ${port} on 127.0.0.1, wanted for ${purpose}, is taken by another program`
        : `port ${port} on 127.0.0.1, wanted for ${purpose}, cannot be used`,
      {
        cause: error,
        details: { where: `127.0.0.1:${port}` },
        hint:
          code === 'PERMISSION_DENIED'
            ? 'Ports below 1024 need root: choose a higher one.'
            : `Stop that program (\`ss -ltnp 'sport = :${port}'\` names it) or choose another port.`,
      },
    );
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
