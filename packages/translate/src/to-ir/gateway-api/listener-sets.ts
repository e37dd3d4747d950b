import { type KubeGateway, keyOf, type ListenerSet } from '../../kinds.ts';
import type { MeshState } from '../../state/mesh-state.ts';
import { gatewayGroup } from '../../state/route-index.ts';
import { isOurs } from './gateway-class.ts';
import { allowsNamespace } from './namespace-selector.ts';

/** `<namespace>/<name>` of the Gateway that a ListenerSet names; undefined: its parent is something else. */
function parentGatewayKey({ metadata, spec }: ListenerSet): string | undefined {
  const { group = gatewayGroup, kind = 'Gateway', name, namespace = metadata.namespace ?? '' } = spec.parentRef;
  return group === gatewayGroup && kind === 'Gateway' ? `${namespace}/${name}` : undefined;
}

/** The Gateway of ours that a ListenerSet is for. */
export function parentGateway(state: MeshState, set: ListenerSet): KubeGateway | undefined {
  const key = parentGatewayKey(set);
  const gateway = key === undefined ? undefined : state.object('gateway.networking.k8s.io/Gateway', key);
  return gateway === undefined || !isOurs(state, gateway) ? undefined : gateway;
}

/** Whether a Gateway lets a ListenerSet add listeners. */
export function allowsSet(state: MeshState, { metadata, spec }: KubeGateway, set: ListenerSet): boolean {
  const choice = spec.allowedListeners?.namespaces ?? {};
  return allowsNamespace(state, choice, metadata.namespace ?? '', set.metadata.namespace ?? '');
}

/** The ListenerSets that may add listeners to a Gateway, in the order in which they come: the oldest first, then by namespace and name. */
export function allowedSets(state: MeshState, gateway: KubeGateway): readonly ListenerSet[] {
  const { from = 'None' } = gateway.spec.allowedListeners?.namespaces ?? {};
  const key = keyOf(gateway);
  return from === 'None'
    ? []
    : state
        .list('gateway.networking.k8s.io/ListenerSet')
        .filter((set) => parentGatewayKey(set) === key && allowsSet(state, gateway, set));
}
