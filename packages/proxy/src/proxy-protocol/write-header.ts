import { writeHeaderV1 } from './header-v1.ts';
import { writeHeaderV2 } from './header-v2.ts';
import type { ProxiedConnection } from './proxy-header.ts';

/** The header that goes first to an upstream. @param proxied undefined: nobody's connection, such as that of a pool. */
export function writeProxyHeader(version: 1 | 2, proxied: ProxiedConnection | undefined): Buffer {
  return version === 1 ? writeHeaderV1(proxied) : writeHeaderV2(proxied);
}
