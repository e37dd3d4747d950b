import type { KubeObject } from '@weft/resources';
import type { MeshKinds } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import {
  type Attachment,
  type PolicyKind,
  type PolicyTarget,
  targetKey,
  targetOwner,
} from '../to-ir/attached-policy.ts';
import type { AncestorRef } from './backend-tls-status.ts';
import { describe } from './describe.ts';
import { condition, type GatewayCondition } from './gateway-condition.ts';

/** What statuses of policies say of their targets, whatever the policy is. */

/** @param targets of a policy, all the same object. */
export function targetRef({ metadata }: KubeObject, [target]: readonly PolicyTarget[]): AncestorRef {
  const { group = '', kind = '', name = '' } = target ?? {};
  return { group, kind, namespace: metadata.namespace ?? '', name };
}

/** Why a policy is not in force for a target that declares services; undefined: it is, as far as that target goes. */
export function lostTarget<K extends PolicyKind>(
  state: MeshState,
  attachment: Attachment<K>,
  policy: MeshKinds[K],
  target: PolicyTarget,
): GatewayCondition | undefined {
  const { group, kind, name, sectionName = '' } = target;
  const key = targetKey(attachment, policy, target);
  if (key === undefined) {
    const message = `targets of kind ${group === '' ? kind : `${group}/${kind}`} are not supported: Service and ServiceEntry are`;
    return condition('Accepted', false, 'Invalid', message);
  }
  const called = `${kind} ${policy.metadata.namespace ?? ''}/${name}`;
  const services = state.services.ofObject(key);
  if (services.length === 0) {
    return condition('Accepted', false, 'TargetNotFound', `there is no ${called}`);
  }
  if (sectionName !== '' && services.every(({ ports }) => ports.every((port) => port.name !== sectionName))) {
    return condition('Accepted', false, 'TargetNotFound', `${called} has no port ${sectionName}`);
  }
  const owner = targetOwner(state, attachment, key, sectionName);
  return owner === undefined || owner === policy
    ? undefined
    : ownedByOlder(owner, sectionName === '' ? called : `${called}, port ${sectionName}`);
}

/** @param called the target, or the part of it, that an older policy has. */
export function ownedByOlder(owner: KubeObject, called: string): GatewayCondition {
  return condition('Accepted', false, 'Conflicted', `${describe(owner)} is older and has ${called}`);
}

/** @param fields that gRPC's libraries do nothing with, where there are workloads that have nothing else. */
export function doneWithout(fields: readonly string[]): readonly GatewayCondition[] {
  const message = `workloads without a proxy do without: ${fields.join(', ')}`;
  return fields.length === 0 ? [] : [condition('NotYetSupported', true, 'FieldsNotActedUpon', message)];
}
