import { isIP } from 'node:net';
import type { BindAddress } from '../config.ts';
import type { Address } from '../wire/core-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

/** Longest path of a Unix socket on Linux, bytes (`sockaddr_un`, without the final zero). */
const MAX_PIPE_PATH_BYTES = 107;

/**
 * `envoy.config.core.v3.Address`
 * @param names whether a DNS name may stand for the IP address.
 */
export function addressFromXds(
  address: Decoded<typeof Address> | undefined,
  names: boolean,
  problems: Problems,
): BindAddress | undefined {
  const { socket_address: socket, pipe } = address ?? {};
  if (socket !== undefined) {
    return problems.within('socket_address', () => {
      if (!names && isIP(socket.address) === 0) {
        problems.add(`${JSON.stringify(socket.address)} is not an IP address`, 'address');
      }
      if (names && !/^[A-Za-z0-9_.:-]{1,253}$/.test(socket.address)) {
        problems.add(`${JSON.stringify(socket.address)} is neither an IP address nor a host name`, 'address');
      }
      if (socket.port_value === undefined || socket.port_value > 65535) {
        problems.add('must be from 0 to 65535', 'port_value');
      }
      return { kind: 'ip', address: socket.address, port: socket.port_value ?? 0 };
    });
  }
  if (pipe !== undefined) {
    if (pipe.path === '' || pipe.path.startsWith('@') || Buffer.byteLength(pipe.path) > MAX_PIPE_PATH_BYTES) {
      problems.add(`must be a path of 1 to ${MAX_PIPE_PATH_BYTES} bytes`, 'pipe.path');
    }
    return { kind: 'pipe', path: pipe.path };
  }
  problems.add('socket_address or pipe is required');
  return undefined;
}
