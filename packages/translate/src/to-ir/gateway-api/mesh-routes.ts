import { type HttpRoutes, mergeOrigins, type OutboundCluster } from '@weft/ir';
import type { KubeGrpcRoute, KubeHttpRoute } from '../../kinds.ts';
import type { Client, MeshState } from '../../state/mesh-state.ts';
import { parentKey } from '../../state/route-index.ts';
import type { ServiceModel, ServicePortModel } from '../../state/service-model.ts';
import { rulesOf } from './http-rules.ts';
import { byPrecedence } from './precedence.ts';

/**
 * The HTTPRoutes and GRPCRoutes that have a port of a Service as their parent (mesh routes, GAMMA), as one client sees them: those of
 * the client's own namespace, if there are any, in place of those of the service's. undefined: there are none.
 */
export function meshRoutesOf(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  port: ServicePortModel,
): readonly (KubeHttpRoute | KubeGrpcRoute)[] {
  const parent = service.objectKey;
  const attached = state.routes
    .attachedTo(parent)
    .filter(
      (route): route is KubeHttpRoute | KubeGrpcRoute =>
        (route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute') &&
        (route.spec.parentRefs ?? []).some(
          (ref) =>
            parentKey(ref, route.metadata.namespace ?? '') === parent &&
            (ref.port === undefined || ref.port === port.number) &&
            (ref.sectionName === undefined || ref.sectionName === port.name),
        ),
    );
  const consumer = attached.filter(({ metadata }) => metadata.namespace === client.namespace);
  return consumer.length > 0 ? consumer : attached.filter(({ metadata }) => metadata.namespace === service.namespace);
}

/** What {@link meshRoutesOf} comes to; undefined: there are none. A request that no rule matches is answered 404, as Gateway API has it. */
export function meshHttpRoutes(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  port: ServicePortModel,
): { readonly routes: HttpRoutes; readonly clusters: readonly OutboundCluster[] } | undefined {
  const routes = meshRoutesOf(state, client, service, port);
  if (routes.length === 0) {
    return undefined;
  }
  const made = routes.map((route) => rulesOf(state, client, route, undefined));
  const lists = made.map((rules) => rules.routes);
  return {
    routes: state.memo.get(
      `mesh-routes|${service.host}|${port.number}|${client.namespace}`,
      [service.origin, ...lists] as const,
      ([origin, ...all]): HttpRoutes => ({
        routes: byPrecedence(all.flat()),
        origins: mergeOrigins([[origin], ...made.map(({ origins }) => origins)]),
      }),
    ),
    clusters: made.flatMap(({ clusters }) => clusters),
  };
}
