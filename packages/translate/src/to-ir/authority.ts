import { hostCandidates, parseAuthority } from '../names.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { defaultPortOf, portOf } from '../state/service-model.ts';
import type { RequestedHost } from './http-routes.ts';

/** Port of HTTP where an authority names none. */
const httpPort = 80;

/**
 * What an authority, written by a workload, means: a service of the mesh by any of its names, else a host that only a
 * VirtualService has. Without a port it means the service's port 80, else its first HTTP port. undefined: nothing has that name.
 */
export function resolveAuthority(state: MeshState, client: Client, authority: string): RequestedHost | undefined {
  const parsed = parseAuthority(authority);
  if (parsed === undefined) {
    return undefined;
  }
  const model = state.resolveHost(parsed.host, client.namespace, client.namespace);
  if (model !== undefined) {
    const port = parsed.port === undefined ? defaultPortOf(model) : portOf(model, parsed.port);
    return port === undefined
      ? undefined
      : { host: model.host, port: port.number, service: { model, port }, authority: undefined };
  }
  for (const host of hostCandidates(parsed.host, client.namespace, state.settings.clusterDomain)) {
    if (state.virtualServiceOf(host, client) !== undefined) {
      return { host, port: parsed.port ?? httpPort, service: undefined, authority: undefined };
    }
  }
  return undefined;
}
