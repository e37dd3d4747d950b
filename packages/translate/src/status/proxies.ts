import type { ProxyResource } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';

/** The Proxies of a namespace, the oldest first. Found without a look at all others, as statuses of thousands of objects ask for it. */
export function proxiesOf(state: MeshState, namespace: string): readonly ProxyResource[] {
  const byNamespace = state.reads.remember('proxies-by-namespace', [], () =>
    Map.groupBy(state.list('weft.dev/Proxy'), ({ metadata }) => metadata.namespace ?? ''),
  );
  return byNamespace.get(namespace) ?? [];
}

/** The Proxies that an object of a namespace can be for: those of the same one, from the root namespace all. */
export function proxiesBelow(state: MeshState, namespace: string): readonly ProxyResource[] {
  return namespace === state.settings.rootNamespace ? state.list('weft.dev/Proxy') : proxiesOf(state, namespace);
}

/** The Proxies of gateways, the oldest first. */
export function gatewayProxies(state: MeshState): readonly ProxyResource[] {
  return state.reads.remember('gateway-proxies', [], () =>
    state.list('weft.dev/Proxy').filter(({ spec }) => spec.role === 'gateway'),
  );
}

/** The programs that carry the traffic of the mesh, sorted. */
export function enginesOf(state: MeshState): readonly NonNullable<ProxyResource['spec']['engine']>[] {
  return state.reads.remember('engines', [], () =>
    [...new Set(state.list('weft.dev/Proxy').map(({ spec }) => spec.engine ?? 'weft'))].sort(),
  );
}
