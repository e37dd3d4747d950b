import type { KubeGrpcRoute, KubeHttpRoute } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import type { KubeRoute } from '../state/route-index.ts';
import { isSupportedForBackend, supportedFilters } from '../to-ir/gateway-api/filters.ts';
import { unusedSessionFields } from '../to-ir/gateway-api/session.ts';
import { leftOutWithoutProxy } from './without-proxy.ts';

/** What of a route nothing acts upon, and what comes of it; empty: all of it is acted upon. */
export function notActedUpon(state: MeshState, route: KubeRoute): string {
  const filters = unsupportedFilters(route);
  const unused = [
    ...unusedFields(route),
    ...(route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute'
      ? leftOutWithoutProxy(state, route as KubeHttpRoute | KubeGrpcRoute)
      : []),
  ];
  return [
    ...(filters.length === 0 ? [] : [`rules with these are answered 500: ${filters.join(', ')}`]),
    ...(unused.length === 0 ? [] : [`nothing acts on it: ${unused.join(', ')}`]),
  ].join('; ');
}

function rulesOf(route: KubeRoute) {
  return route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute' ? ((route as KubeHttpRoute).spec.rules ?? []) : [];
}

function unsupportedFilters(route: KubeRoute): readonly string[] {
  return rulesOf(route).flatMap((rule, index) => [
    ...(rule.filters ?? []).flatMap(({ type }, position) =>
      supportedFilters.has(type) ? [] : [`spec.rules[${index}].filters[${position}]`],
    ),
    ...(rule.backendRefs ?? []).flatMap(({ filters }, backend) =>
      (filters ?? []).flatMap((filter, position) =>
        isSupportedForBackend(rule, filter)
          ? []
          : [`spec.rules[${index}].backendRefs[${backend}].filters[${position}]`],
      ),
    ),
  ]);
}

function unusedFields(route: KubeRoute): readonly string[] {
  return rulesOf(route).flatMap(({ sessionPersistence }, index) =>
    unusedSessionFields(sessionPersistence).map((field) => `spec.rules[${index}].sessionPersistence.${field}`),
  );
}
