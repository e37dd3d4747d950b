import type { KubeParentRef } from '@weft/resources';
import {
  byAge,
  compareText,
  type KubeGrpcRoute,
  type KubeHttpRoute,
  type KubeTcpRoute,
  type KubeTlsRoute,
  keyOf,
} from '../kinds.ts';
import type { Reads } from './reads.ts';

/** Any route of the Gateway API. */
export type KubeRoute = KubeHttpRoute | KubeGrpcRoute | KubeTlsRoute | KubeTcpRoute;

export const gatewayGroup = 'gateway.networking.k8s.io';

/** `Gateway/namespace/name`, and so for a ListenerSet or a Service: what a route attaches to. undefined: something else. */
export function parentKey(ref: KubeParentRef, routeNamespace: string): string | undefined {
  const namespace = ref.namespace ?? routeNamespace;
  const group = ref.group ?? gatewayGroup;
  const kind = ref.kind ?? 'Gateway';
  const isGateway = group === gatewayGroup && (kind === 'Gateway' || kind === 'ListenerSet');
  return isGateway || (group === '' && kind === 'Service') ? `${kind}/${namespace}/${ref.name}` : undefined;
}

/** Routes of the Gateway API by their parents, the oldest first. */
export class RouteIndex {
  readonly #reads: Reads;
  readonly #parentsOf = new Map<string, readonly string[]>();
  readonly #byParent = new Map<string, readonly KubeRoute[]>();

  constructor(reads: Reads) {
    this.#reads = reads;
  }

  /** Replaces the entry of one route; `route` undefined removes it. @param id kind and key of the route. */
  set(id: string, route: KubeRoute | undefined): void {
    for (const parent of this.#parentsOf.get(id) ?? []) {
      this.#replace(
        parent,
        this.#routes(parent).filter((other) => routeId(other) !== id),
      );
    }
    this.#parentsOf.delete(id);
    if (route !== undefined) {
      const namespace = route.metadata.namespace ?? '';
      const refs = route.spec.parentRefs ?? [];
      const parents = [...new Set(refs.flatMap((ref) => parentKey(ref, namespace) ?? []))];
      this.#parentsOf.set(id, parents);
      for (const parent of parents) {
        this.#replace(parent, inserted(this.#routes(parent), route));
      }
    }
  }

  /** @param parent of {@link parentKey}. */
  attachedTo(parent: string): readonly KubeRoute[] {
    this.#reads.note(`routes/${parent}`);
    return this.#routes(parent);
  }

  #routes(parent: string): readonly KubeRoute[] {
    return this.#byParent.get(parent) ?? [];
  }

  #replace(parent: string, routes: readonly KubeRoute[]): void {
    this.#reads.touch(`routes/${parent}`);
    if (routes.length === 0) {
      this.#byParent.delete(parent);
    } else {
      this.#byParent.set(parent, routes);
    }
  }
}

/** A list in order with one more route: thousands that come one by one are not sorted each time. */
function inserted(routes: readonly KubeRoute[], route: KubeRoute): readonly KubeRoute[] {
  let from = 0;
  let to = routes.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareRoutes(routes[middle] as KubeRoute, route) < 0) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return routes.toSpliced(from, 0, route);
}

/** The oldest first; routes of two kinds may have one name. */
function compareRoutes(a: KubeRoute, b: KubeRoute): number {
  return byAge(a, b) || compareText(a.kind, b.kind);
}

function routeId(route: KubeRoute): string {
  return `${route.kind}/${keyOf(route)}`;
}
