import type { MeshKinds } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';

/** Kinds of policies that name the services, or ports of them, that they are for. */
export type PolicyKind = 'gateway.networking.k8s.io/BackendTLSPolicy' | 'weft.dev/EndpointPolicy';

export interface PolicyTarget {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string | undefined;
}

/** How one kind of policy is attached. */
export interface Attachment<K extends PolicyKind> {
  readonly kind: K;
  /** Whether the kind can be for such a target, which declares services. */
  readonly isTarget: (target: PolicyTarget) => boolean;
}

interface Attached<P> {
  readonly policy: P;
  /** Empty: every port. */
  readonly sectionName: string;
}

/** What a target is in the index of services (`Service/namespace/name`, `ServiceEntry/namespace/name`); undefined: of a kind that is not supported. */
export function targetKey<K extends PolicyKind>(
  { isTarget }: Attachment<K>,
  { metadata }: MeshKinds[K],
  target: PolicyTarget,
): string | undefined {
  return isTarget(target) ? `${target.kind}/${metadata.namespace ?? ''}/${target.name}` : undefined;
}

/** The policies of a kind for each target (`Service/namespace/name`), the oldest first. */
function policiesByTarget<K extends PolicyKind>(
  state: MeshState,
  attachment: Attachment<K>,
): ReadonlyMap<string, readonly Attached<MeshKinds[K]>[]> {
  const { kind } = attachment;
  return state.reads.remember(`policies-by-target|${kind}`, [], () => {
    const found = new Map<string, Attached<MeshKinds[K]>[]>();
    for (const policy of state.list(kind)) {
      for (const target of policy.spec.targetRefs) {
        const key = targetKey(attachment, policy, target);
        if (key !== undefined) {
          found.set(key, [...(found.get(key) ?? []), { policy, sectionName: target.sectionName ?? '' }]);
        }
      }
    }
    return found;
  });
}

/**
 * The policy that has a target as a whole (`sectionName` empty) or one port of it: of several the oldest, whether it is valid or not.
 * @param objectKey `Service/namespace/name`.
 */
export function targetOwner<K extends PolicyKind>(
  state: MeshState,
  attachment: Attachment<K>,
  objectKey: string,
  sectionName: string,
): MeshKinds[K] | undefined {
  return policiesByTarget(state, attachment)
    .get(objectKey)
    ?.find((attached) => attached.sectionName === sectionName)?.policy;
}

/** All policies for a target or parts of it, in force or not. @param objectKey `Service/namespace/name`. */
export function attachedTo<K extends PolicyKind>(
  state: MeshState,
  attachment: Attachment<K>,
  objectKey: string,
): readonly MeshKinds[K][] {
  return (policiesByTarget(state, attachment).get(objectKey) ?? []).map(({ policy }) => policy);
}

/** The policy for a port of a service: the one for the port comes before the one for the whole. */
export function policyOfPort<K extends PolicyKind>(
  state: MeshState,
  attachment: Attachment<K>,
  { objectKey }: ServiceModel,
  { name }: ServicePortModel,
): MeshKinds[K] | undefined {
  return targetOwner(state, attachment, objectKey, name) ?? targetOwner(state, attachment, objectKey, '');
}
