import { type CompiledRoute, chooseCluster } from '../../route/route-table.ts';
import type { HttpStream } from './http-stream.ts';

/** Chooses the cluster of a route that forwards: its name is in the record from then on. */
export function chooseRouteCluster(stream: HttpStream, route: CompiledRoute): void {
  const choice = route.clusters.length > 1 ? chooseCluster(route, weightPoint(stream, route)) : route.clusters[0];
  stream.choice = choice;
  if (choice !== undefined) {
    const { cluster, clusterHeader } = choice.config;
    stream.info.clusterName = clusterHeader === undefined ? cluster : (firstValue(stream, clusterHeader) ?? '');
  }
}

/** In [0, totalWeight): by a field of the request, so that all hops choose alike, or at random. */
function weightPoint(stream: HttpStream, route: CompiledRoute): number {
  const header = route.forward?.randomValueHeader;
  const given = header === undefined ? undefined : firstValue(stream, header);
  return given !== undefined && /^\d{1,20}$/.test(given)
    ? Number(BigInt(given) % BigInt(route.totalWeight))
    : stream.manager.context.random() * route.totalWeight;
}

/** The first line of a field, or a pseudo field. */
export function firstValue({ head, info }: HttpStream, name: string): string | undefined {
  switch (name) {
    case ':authority':
    case 'host':
      return head.authority;
    case ':method':
      return head.method;
    case ':path':
      return head.path;
    case ':scheme':
      return info.scheme;
    default:
      return head.getFirst(name);
  }
}
