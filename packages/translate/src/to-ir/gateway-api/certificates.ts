import type { MeshState } from '../../state/mesh-state.ts';
import { certificateProblem, secretName } from '../key-pair-secret.ts';
import { gatewayGroup } from './backend.ts';
import type { ListenerOwner } from './listener-owner.ts';
import { mayRefer } from './reference-grant.ts';

export interface CertificateProblem {
  readonly reason: 'InvalidCertificateRef' | 'RefNotPermitted';
  readonly message: string;
}

interface CertificateRef {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** The names of the secrets that a listener shows, or why there are none. */
export function listenerCertificates(
  state: MeshState,
  owner: ListenerOwner,
  refs: readonly CertificateRef[],
): { readonly names: readonly string[]; readonly problems: readonly CertificateProblem[] } {
  const names: string[] = [];
  const problems: CertificateProblem[] = [];
  const own = owner.metadata.namespace ?? '';
  for (const { group = '', kind = 'Secret', name, namespace = own } of refs) {
    const problem = problemOf(state, { kind: owner.kind, namespace: own }, { group, kind, namespace, name });
    if (problem === undefined) {
      names.push(secretName(namespace, name));
    } else {
      problems.push(problem);
    }
  }
  return { names, problems };
}

function problemOf(
  state: MeshState,
  from: { readonly kind: string; readonly namespace: string },
  ref: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string },
): CertificateProblem | undefined {
  const { group, kind, namespace, name } = ref;
  if (group !== '' || kind !== 'Secret') {
    const message = `certificates of kind ${group === '' ? kind : `${group}/${kind}`} are not supported`;
    return { reason: 'InvalidCertificateRef', message };
  }
  if (!mayRefer(state, { group: gatewayGroup, ...from }, ref)) {
    const message = `no ReferenceGrant in namespace ${namespace} lets a ${from.kind} of ${from.namespace} refer to Secret ${name}`;
    return { reason: 'RefNotPermitted', message };
  }
  const secret = state.object('/Secret', `${namespace}/${name}`);
  const message = secret === undefined ? `there is no Secret ${namespace}/${name}` : certificateProblem(secret);
  return message === undefined ? undefined : { reason: 'InvalidCertificateRef', message };
}
