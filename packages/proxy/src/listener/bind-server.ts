import { chmod, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { socketFileAt } from '@weft/base';
import type { BindAddress } from '../runtime-config/config.ts';

/**
 * Binds and listens; rejects with the system's error.
 * @param reusePort other processes that ask for it, too, share the port: the kernel deals connections out among them (not for sockets with a path).
 */
export async function bindServer(
  server: Server,
  address: BindAddress,
  backlog: number,
  reusePort: boolean,
): Promise<void> {
  if (address.kind === 'ip') {
    // Node would take both families on `::`, Envoy takes IPv4 there only if told so (`ipv4_compat`).
    const ipv6Only = address.address.includes(':') && address.ipv4Compat !== true;
    await listen(server, { host: address.address, port: address.port, ipv6Only, backlog, reusePort });
    return;
  }
  const options = { path: address.path, backlog };
  try {
    await listen(server, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || (await socketFileAt(address.path)) !== 'abandoned') {
      throw error;
    }
    await unlink(address.path);
    await listen(server, options);
  }
  if (address.mode !== undefined) {
    await chmod(address.path, address.mode);
  }
}

function listen(server: Server, options: Parameters<Server['listen']>[0] & object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
