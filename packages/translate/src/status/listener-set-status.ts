import type { KubeGateway, ListenerSet } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { ownerKey, ownerName } from '../to-ir/gateway-api/listener-owner.ts';
import { allowsSet, parentGateway } from '../to-ir/gateway-api/listener-sets.ts';
import {
  areAccepted,
  type EffectiveListener,
  gatewayListeners,
  isOpen,
  isValid,
} from '../to-ir/gateway-api/listeners.ts';
import { servedPorts } from './gateway-addresses.ts';
import { condition, type GatewayCondition } from './gateway-condition.ts';
import { type ListenerStatus, listenerStatus } from './listener-status.ts';

export interface ListenerSetStatus {
  readonly conditions: readonly GatewayCondition[];
  readonly listeners: readonly ListenerStatus[];
}

/** undefined: the set is for no Gateway of ours. */
export function listenerSetStatus(state: MeshState, set: ListenerSet): ListenerSetStatus | undefined {
  const gateway = parentGateway(state, set);
  if (gateway === undefined) {
    return undefined;
  }
  const name = ownerName(gateway);
  if (!allowsSet(state, gateway, set)) {
    const message = `${name} takes no ListenerSet of namespace ${set.metadata.namespace ?? ''} (spec.allowedListeners)`;
    return refused('NotAllowed', 'NotAllowed', message);
  }
  return (
    attachedStatuses(state, gateway).get(ownerKey(set)) ??
    refused('ParentNotAccepted', 'ParentNotProgrammed', `${name} is not accepted`)
  );
}

/** Of all ListenerSets that a Gateway has, by their keys: made together, as each depends on all that come before it. */
function attachedStatuses(state: MeshState, gateway: KubeGateway): ReadonlyMap<string, ListenerSetStatus> {
  return state.reads.remember(`listener-set-statuses|${ownerKey(gateway)}`, [gateway], () => {
    const served = servedPorts(state, gateway);
    const { byOwner } = gatewayListeners(state, gateway);
    return new Map([...byOwner].map(([owner, listeners]) => [owner, statusOf(gateway, listeners, served)]));
  });
}

function statusOf(
  gateway: KubeGateway,
  listeners: readonly EffectiveListener[],
  served: ReadonlySet<number>,
): ListenerSetStatus {
  const invalid = listeners.filter((listener) => !isValid(listener)).map(({ listener }) => listener.name);
  return {
    conditions: [
      invalid.length === 0
        ? condition('Accepted', true, 'Accepted', 'the ListenerSet is valid')
        : condition('Accepted', areAccepted(listeners), 'ListenersNotValid', `not valid: ${invalid.join(', ')}`),
      !listeners.some(isOpen)
        ? condition('Programmed', false, 'ListenersNotValid', 'no listener can be opened')
        : served.size > 0
          ? condition('Programmed', true, 'Programmed', 'the listeners that are valid are open')
          : condition('Programmed', false, 'ParentNotProgrammed', `no proxy serves ${ownerName(gateway)}`),
    ],
    listeners: listeners.map((listener) => listenerStatus(listener, served)),
  };
}

function refused(accepted: string, programmed: string, message: string): ListenerSetStatus {
  return {
    conditions: [condition('Accepted', false, accepted, message), condition('Programmed', false, programmed, message)],
    listeners: [],
  };
}

/** How many ListenerSets add listeners to a Gateway; undefined: it takes none. */
export function attachedListenerSets(
  gateway: KubeGateway,
  byOwner: ReadonlyMap<string, readonly EffectiveListener[]>,
): number | undefined {
  const own = ownerKey(gateway);
  const { from = 'None' } = gateway.spec.allowedListeners?.namespaces ?? {};
  return from === 'None'
    ? undefined
    : [...byOwner].filter(([owner, listeners]) => owner !== own && areAccepted(listeners)).length;
}
