import type { KubeParentRef } from '@weft/resources';
import {
  byAge,
  type KubeGrpcRoute,
  type KubeHttpRoute,
  type KubeTcpRoute,
  type KubeTlsRoute,
  keyOf,
} from '../kinds.ts';
import type { Reads } from './reads.ts';

/** Any route of the Gateway API. */
export type KubeRoute = KubeHttpRoute | KubeGrpcRoute | KubeTlsRoute | KubeTcpRoute;

const gatewayGroup = 'gateway.networking.k8s.io';

/** `Gateway/namespace/name` or `Service/namespace/name`: what a route attaches to. undefined: something else. */
export function parentKey(ref: KubeParentRef, routeNamespace: string): string | undefined {
  const namespace = ref.namespace ?? routeNamespace;
  const group = ref.group ?? gatewayGroup;
  const kind = ref.kind ?? 'Gateway';
  return (group === gatewayGroup && kind === 'Gateway') || (group === '' && kind === 'Service')
    ? `${kind}/${namespace}/${ref.name}`
    : undefined;
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
        this.#replace(parent, [...this.#routes(parent), route].sort(byAge));
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

function routeId(route: KubeRoute): string {
  return `${route.kind}/${keyOf(route)}`;
}
