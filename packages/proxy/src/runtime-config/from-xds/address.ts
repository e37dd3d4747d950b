import { isIP, isIPv6 } from 'node:net';
import type { BindAddress } from '../config.ts';
import type { Address } from '../wire/core-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

/** Longest path of a Unix socket on Linux, bytes (`sockaddr_un`, without the final zero). */
const MAX_PIPE_PATH_BYTES = 107;
/** `Pipe.mode`, "applicable only for Linux": rwx for owner, group and others. */
const MAX_PIPE_MODE = 0o777;

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
      if (socket.ipv4_compat && (names || !isIPv6(socket.address))) {
        problems.add('only a listener on an IPv6 address can take IPv4 as well', 'ipv4_compat');
      }
      return {
        kind: 'ip',
        address: socket.address,
        port: socket.port_value ?? 0,
        ...(socket.ipv4_compat ? { ipv4Compat: true } : {}),
      };
    });
  }
  if (pipe !== undefined) {
    if (pipe.path.startsWith('@') || pipe.path.includes('\0')) {
      problems.add(
        'an abstract socket is not supported: it has no permissions, any local user may connect',
        'pipe.path',
      );
    } else if (pipe.path === '' || Buffer.byteLength(pipe.path) > MAX_PIPE_PATH_BYTES) {
      problems.add(`must be a path of 1 to ${MAX_PIPE_PATH_BYTES} bytes`, 'pipe.path');
    }
    if (pipe.mode > MAX_PIPE_MODE) {
      problems.add('must be permissions from 0 to 0o777', 'pipe.mode');
    }
    return { kind: 'pipe', path: pipe.path, ...(pipe.mode === 0 ? {} : { mode: pipe.mode }) };
  }
  problems.add('socket_address or pipe is required');
  return undefined;
}
