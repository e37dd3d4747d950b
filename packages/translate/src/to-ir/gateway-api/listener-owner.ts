import { type KubeGateway, keyOf, type ListenerSet } from '../../kinds.ts';

/** What has listeners: a Gateway, or a ListenerSet that adds some to one. */
export type ListenerOwner = KubeGateway | ListenerSet;

/** `Gateway/namespace/name` or `ListenerSet/namespace/name`: what routes name as their parent. */
export function ownerKey(owner: ListenerOwner): string {
  return `${owner.kind}/${keyOf(owner)}`;
}

/** As {@link ownerKey}, in words. */
export function ownerName(owner: ListenerOwner): string {
  return `${owner.kind} ${keyOf(owner)}`;
}
