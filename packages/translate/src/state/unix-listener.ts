import type { ProxyResource } from '../kinds.ts';
import { unixPrefix } from '../unix-address.ts';

/**
 * Whether a proxy may be told to listen on a Unix socket. Envoy removes whatever file has the path before it binds: there only sockets count
 * that were named, and looked at, on its own machine (`weft gateway --unix-socket`). Our own proxy removes nothing but sockets that nobody listens on.
 */
export function mayListenOn({ spec }: ProxyResource, address: string): boolean {
  return spec.engine !== 'envoy' || (spec.unixSockets ?? []).includes(address.slice(unixPrefix.length));
}

/** Why a proxy with Envoy does not open a socket, and what to do about it. */
export const unnamedSocket =
  'Envoy removes whatever file is at the path: proxies with Envoy open it only if they were started with --unix-socket and that path';
