import { hostCandidates, parseAuthority } from '../names.ts';
import { inScope } from '../state/egress-scope.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { defaultPortOf, portOf } from '../state/service-model.ts';
import type { RequestedHost } from './http-routes.ts';
import { openService } from './open-service.ts';

/** Port of HTTP where an authority names none. */
const httpPort = 80;

/**
 * What an authority, written by a workload, means: a service of the mesh by any of its names, else a host that only a
 * VirtualService has, else, if the workload may reach any host, one that DNS has. Without a port it means the service's port 80, else its
 * first HTTP port, of those that the workload may reach. undefined: nothing has that name, or it is out of the workload's scope (Sidecar).
 */
export function resolveAuthority(state: MeshState, client: Client, authority: string): RequestedHost | undefined {
  const parsed = parseAuthority(authority);
  if (parsed === undefined) {
    return undefined;
  }
  const model = state.resolveHost(parsed.host, client.namespace, client.namespace);
  if (model !== undefined) {
    const mayReach = (port: number | undefined): boolean => inScope(client.scope, model.namespace, model.host, port);
    const port =
      parsed.port === undefined
        ? (defaultPortOf(model, ({ number }) => mayReach(number)) ?? defaultPortOf(model))
        : portOf(model, parsed.port);
    if (mayReach(port?.number)) {
      return port === undefined
        ? undefined
        : { host: model.host, port: port.number, service: { model, port }, authority: undefined };
    }
  }
  for (const host of hostCandidates(parsed.host, client.namespace, state.settings.clusterDomain)) {
    if (state.virtualServiceOf(host, client) !== undefined) {
      return { host, port: parsed.port ?? httpPort, service: undefined, authority: undefined };
    }
  }
  const number = parsed.port ?? httpPort;
  const open = openService(state, client, parsed.host, number, 'http');
  const port = open === undefined ? undefined : portOf(open, number);
  return open === undefined || port === undefined
    ? undefined
    : { host: open.host, port: number, service: { model: open, port }, authority: undefined };
}
