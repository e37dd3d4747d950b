import type { KubeListener, KubeParentRef } from '@weft/resources';
import { type KubeGateway, keyOf } from '../../kinds.ts';
import type { MeshState } from '../../state/mesh-state.ts';
import { type KubeRoute, parentKey } from '../../state/route-index.ts';
import { gatewayGroup } from './backend.ts';
import { commonHostnames } from './hostname.ts';

/** Kinds of routes by the protocol of a listener. */
function kindsOfProtocol({ protocol, tls }: KubeListener): readonly string[] {
  switch (protocol) {
    case 'HTTP':
    case 'HTTPS':
      return ['HTTPRoute', 'GRPCRoute'];
    case 'TLS':
      return tls?.mode === 'Passthrough' ? ['TLSRoute'] : ['TLSRoute', 'TCPRoute'];
    case 'TCP':
      return ['TCPRoute'];
    default:
      return [];
  }
}

/** The kinds that a listener takes, and those that it names although it cannot take them. */
export function routeKindsOf(listener: KubeListener): {
  readonly taken: readonly string[];
  readonly invalid: readonly string[];
} {
  const possible = kindsOfProtocol(listener);
  const named = listener.allowedRoutes?.kinds;
  if (named === undefined || named.length === 0) {
    return { taken: possible, invalid: [] };
  }
  const label = (group: string | undefined, kind: string): string =>
    group === undefined || group === gatewayGroup ? kind : `${group}/${kind}`;
  const names = named.map(({ group, kind }) => label(group, kind));
  return {
    taken: possible.filter((kind) => names.includes(kind)),
    invalid: names.filter((name) => !possible.includes(name)),
  };
}

/** Reasons of the route condition `Accepted` at a Gateway. */
export type RefusalReason = 'NoMatchingParent' | 'NotAllowedByListeners' | 'NoMatchingListenerHostname';

export interface Attached {
  readonly listener: KubeListener;
  /** What the route is for there; `*` = every host. */
  readonly hostnames: readonly string[];
}

export type Attachment =
  | { readonly attached: readonly Attached[] }
  | { readonly refused: RefusalReason; readonly message: string };

/** The listeners of a Gateway that a route attaches to by one of its parent references. */
export function attachmentOf(state: MeshState, gateway: KubeGateway, route: KubeRoute, ref: KubeParentRef): Attachment {
  const named = gateway.spec.listeners.filter(
    ({ name, port }) =>
      (ref.sectionName === undefined || ref.sectionName === name) && (ref.port === undefined || ref.port === port),
  );
  if (named.length === 0) {
    const what = [
      ...(ref.sectionName === undefined ? [] : [`of the name ${ref.sectionName}`]),
      ...(ref.port === undefined ? [] : [`on port ${ref.port}`]),
    ].join(' ');
    return { refused: 'NoMatchingParent', message: `Gateway ${keyOf(gateway)} has no listener ${what}` };
  }
  const allowing = named.filter((listener) => allows(state, gateway, listener, route));
  if (allowing.length === 0) {
    const names = named.map(({ name }) => name).join(', ');
    return {
      refused: 'NotAllowedByListeners',
      message: `listener ${names} of Gateway ${keyOf(gateway)} does not take a ${route.kind} of namespace ${route.metadata.namespace ?? ''}`,
    };
  }
  const hostnames = 'hostnames' in route.spec ? route.spec.hostnames : undefined;
  const attached = allowing
    .map((listener) => ({ listener, hostnames: commonHostnames(listener.hostname, hostnames) }))
    .filter((entry) => entry.hostnames.length > 0);
  return attached.length > 0
    ? { attached }
    : {
        refused: 'NoMatchingListenerHostname',
        message: `no listener of Gateway ${keyOf(gateway)} has a host of ${(hostnames ?? []).join(', ')}`,
      };
}

function allows(state: MeshState, gateway: KubeGateway, listener: KubeListener, route: KubeRoute): boolean {
  const from = listener.allowedRoutes?.namespaces?.from ?? 'Same';
  const namespace = route.metadata.namespace ?? '';
  if (!routeKindsOf(listener).taken.includes(route.kind)) {
    return false;
  }
  switch (from) {
    case 'All':
      return true;
    case 'Selector':
      return selectsNamespace(state, listener.allowedRoutes?.namespaces?.selector, namespace);
    default:
      return namespace === gateway.metadata.namespace;
  }
}

type Selector = NonNullable<NonNullable<NonNullable<KubeListener['allowedRoutes']>['namespaces']>['selector']>;

function selectsNamespace(state: MeshState, selector: Selector | undefined, namespace: string): boolean {
  if (selector === undefined) {
    return false;
  }
  const labels: Readonly<Record<string, string>> = {
    ...state.object('/Namespace', `/${namespace}`)?.metadata.labels,
    'kubernetes.io/metadata.name': namespace,
  };
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}

/** What one route has at one listener. */
export interface RouteAtListener {
  readonly route: KubeRoute;
  readonly hostnames: readonly string[];
}

/** The routes of each listener of a Gateway by its name, the oldest first. A route that names a listener twice is there once. */
export function routesByListener(
  state: MeshState,
  gateway: KubeGateway,
): ReadonlyMap<string, readonly RouteAtListener[]> {
  const parent = `Gateway/${keyOf(gateway)}`;
  const byListener = new Map<string, RouteAtListener[]>(gateway.spec.listeners.map(({ name }) => [name, []]));
  for (const route of state.routes.attachedTo(parent)) {
    for (const ref of route.spec.parentRefs ?? []) {
      const attachment =
        parentKey(ref, route.metadata.namespace ?? '') === parent
          ? attachmentOf(state, gateway, route, ref)
          : undefined;
      for (const { listener, hostnames } of attachment !== undefined && 'attached' in attachment
        ? attachment.attached
        : []) {
        const list = byListener.get(listener.name);
        if (list !== undefined && !list.some((entry) => entry.route === route)) {
          list.push({ route, hostnames });
        }
      }
    }
  }
  return byListener;
}
