import { type CompiledRoute, chooseCluster } from '../../route/route-table.ts';
import type { HttpStream } from './http-stream.ts';

/** Whether the client is told to come again by HTTPS. */
export function requiresTls({ info, isInternal }: HttpStream, { virtualHost }: CompiledRoute): boolean {
  const { requireTls } = virtualHost;
  return requireTls !== 'none' && info.scheme !== 'https' && (requireTls === 'all' || !isInternal);
}

/** Chooses the cluster of a route that forwards: its name is in the record from then on. */
export function chooseRouteCluster(stream: HttpStream, route: CompiledRoute): void {
  if (requiresTls(stream, route)) {
    return;
  }
  const choice = route.clusters.length > 1 ? chooseCluster(route, weightPoint(stream, route)) : route.clusters[0];
  stream.choice = choice;
  if (choice !== undefined) {
    const { cluster, clusterHeader } = choice.config;
    const name = clusterHeader === undefined ? cluster : (firstValue(stream, clusterHeader) ?? '');
    const found = stream.manager.context.clusters.get(name);
    stream.info.clusterName = name;
    stream.cluster = found;
    stream.info.cluster = found?.config;
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
