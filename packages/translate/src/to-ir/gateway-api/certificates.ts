import type { KubeGateway } from '../../kinds.ts';
import type { MeshState } from '../../state/mesh-state.ts';
import { gatewayGroup } from '../../state/route-index.ts';
import { certificateProblem, secretName } from '../key-pair-secret.ts';
import type { ListenerOwner } from './listener-owner.ts';
import { mayRefer } from './reference-grant.ts';

export interface CertificateProblem {
  readonly reason:
    | 'InvalidCertificateRef'
    | 'InvalidClientCertificateRef'
    | 'InvalidCACertificateRef'
    | 'InvalidCACertificateKind'
    | 'RefNotPermitted';
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
    const from = { kind: owner.kind, namespace: own };
    const problem = problemOf(state, from, { group, kind, namespace, name }, 'InvalidCertificateRef');
    if (problem === undefined) {
      names.push(secretName(namespace, name));
    } else {
      problems.push(problem);
    }
  }
  return { names, problems };
}

/** What a Gateway shows to backends that it speaks TLS with: name and key of the Secret, or why it may not be used. undefined: it shows nothing. */
export function backendClientCertificate(
  state: MeshState,
  gateway: KubeGateway,
): { readonly name: string; readonly key: string } | CertificateProblem | undefined {
  const ref = gateway.spec.tls?.backend?.clientCertificateRef;
  if (ref === undefined) {
    return undefined;
  }
  const own = gateway.metadata.namespace ?? '';
  const { group = '', kind = 'Secret', name, namespace = own } = ref;
  const from = { kind: gateway.kind, namespace: own };
  const problem = problemOf(state, from, { group, kind, namespace, name }, 'InvalidClientCertificateRef');
  return problem ?? { name: secretName(namespace, name), key: `${namespace}/${name}` };
}

function problemOf(
  state: MeshState,
  from: { readonly kind: string; readonly namespace: string },
  ref: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string },
  invalid: CertificateProblem['reason'],
): CertificateProblem | undefined {
  const { group, kind, namespace, name } = ref;
  if (group !== '' || kind !== 'Secret') {
    const message = `certificates of kind ${group === '' ? kind : `${group}/${kind}`} are not supported`;
    return { reason: invalid, message };
  }
  if (!mayRefer(state, { group: gatewayGroup, ...from }, ref)) {
    const message = `no ReferenceGrant in namespace ${namespace} lets a ${from.kind} of ${from.namespace} refer to Secret ${name}`;
    return { reason: 'RefNotPermitted', message };
  }
  const secret = state.object('/Secret', `${namespace}/${name}`);
  const message = secret === undefined ? `there is no Secret ${namespace}/${name}` : certificateProblem(secret);
  return message === undefined ? undefined : { reason: invalid, message };
}
