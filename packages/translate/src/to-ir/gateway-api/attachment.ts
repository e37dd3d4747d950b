import type { KubeListener, KubeParentRef } from '@weft/resources';
import type { MeshState } from '../../state/mesh-state.ts';
import { gatewayGroup, type KubeRoute, parentKey } from '../../state/route-index.ts';
import { commonHostnames } from './hostname.ts';
import { type ListenerOwner, ownerKey, ownerName } from './listener-owner.ts';
import { allowsNamespace } from './namespace-selector.ts';

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

/** Reasons of the route condition `Accepted` at a Gateway or ListenerSet. */
export type RefusalReason = 'NoMatchingParent' | 'NotAllowedByListeners' | 'NoMatchingListenerHostname';

export interface Attached {
  readonly listener: KubeListener;
  /** What the route is for there; `*` = every host. */
  readonly hostnames: readonly string[];
}

export type Attachment =
  | { readonly attached: readonly Attached[] }
  | { readonly refused: RefusalReason; readonly message: string };

/** The listeners of a Gateway or ListenerSet that a route attaches to by one of its parent references. */
export function attachmentOf(state: MeshState, owner: ListenerOwner, route: KubeRoute, ref: KubeParentRef): Attachment {
  const { listeners } = owner.spec;
  const called = ref.sectionName === undefined ? listeners : (byName(listeners).get(ref.sectionName) ?? []);
  const named = called.filter(({ port }) => ref.port === undefined || ref.port === port);
  if (named.length === 0) {
    const what = [
      ...(ref.sectionName === undefined ? [] : [`of the name ${ref.sectionName}`]),
      ...(ref.port === undefined ? [] : [`on port ${ref.port}`]),
    ].join(' ');
    return { refused: 'NoMatchingParent', message: `${ownerName(owner)} has no listener ${what}` };
  }
  const allowing = named.filter((listener) => allows(state, owner, listener, route));
  if (allowing.length === 0) {
    const names = named.map(({ name }) => name).join(', ');
    return {
      refused: 'NotAllowedByListeners',
      message: `listener ${names} of ${ownerName(owner)} does not take a ${route.kind} of namespace ${route.metadata.namespace ?? ''}`,
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
        message: `no listener of ${ownerName(owner)} has a host of ${(hostnames ?? []).join(', ')}`,
      };
}

/** Thousands of routes look for one of thousands of listeners each. */
const listenersByName = new WeakMap<readonly KubeListener[], ReadonlyMap<string, readonly KubeListener[]>>();

function byName(listeners: readonly KubeListener[]): ReadonlyMap<string, readonly KubeListener[]> {
  let made = listenersByName.get(listeners);
  if (made === undefined) {
    made = Map.groupBy(listeners, ({ name }) => name);
    listenersByName.set(listeners, made);
  }
  return made;
}

function allows(state: MeshState, owner: ListenerOwner, listener: KubeListener, route: KubeRoute): boolean {
  const { from = 'Same', selector } = listener.allowedRoutes?.namespaces ?? {};
  const [own = '', namespace = ''] = [owner.metadata.namespace, route.metadata.namespace];
  return (
    routeKindsOf(listener).taken.includes(route.kind) && allowsNamespace(state, { from, selector }, own, namespace)
  );
}

/** What one route has at one listener. */
export interface RouteAtListener {
  readonly route: KubeRoute;
  readonly hostnames: readonly string[];
}

/** The routes of each listener of a Gateway or ListenerSet by its name, the oldest first. A route that names a listener twice is there once. */
export function routesByListener(
  state: MeshState,
  owner: ListenerOwner,
): ReadonlyMap<string, readonly RouteAtListener[]> {
  const parent = ownerKey(owner);
  const byListener = new Map<string, RouteAtListener[]>(owner.spec.listeners.map(({ name }) => [name, []]));
  for (const route of state.routes.attachedTo(parent)) {
    for (const ref of route.spec.parentRefs ?? []) {
      const attachment =
        parentKey(ref, route.metadata.namespace ?? '') === parent ? attachmentOf(state, owner, route, ref) : undefined;
      for (const { listener, hostnames } of attachment !== undefined && 'attached' in attachment
        ? attachment.attached
        : []) {
        const list = byListener.get(listener.name);
        // Routes come one after the other, so that the same one can only be the last.
        if (list !== undefined && list.at(-1)?.route !== route) {
          list.push({ route, hostnames });
        }
      }
    }
  }
  return byListener;
}
