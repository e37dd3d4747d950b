import type { OriginRef, TlsOrigination, TlsRoots } from '@weft/ir';
import { type BackendTlsPolicy, keyOf } from '../../kinds.ts';
import { originOf } from '../../origin.ts';
import type { Client, MeshState } from '../../state/mesh-state.ts';
import { gatewayGroup } from '../../state/route-index.ts';
import type { ServiceModel, ServicePortModel } from '../../state/service-model.ts';
import { type Attachment, policyOfPort } from '../attached-policy.ts';
import { type CaProblem, caCertificates } from './ca-certificates.ts';
import { backendClientCertificate } from './certificates.ts';
import { gatewaysOf } from './gateways-of.ts';

/** Kinds of targets, by API group and kind. */
const targetKinds: ReadonlySet<string> = new Set(['/Service', 'networking.istio.io/ServiceEntry']);

export const backendTlsAttachment: Attachment<'gateway.networking.k8s.io/BackendTLSPolicy'> = {
  kind: 'gateway.networking.k8s.io/BackendTLSPolicy',
  isTarget: ({ group, kind }) => targetKinds.has(`${group}/${kind}`),
};

/** The policy by which a port of a service is spoken to. */
export function backendTlsPolicyOf(
  state: MeshState,
  service: ServiceModel,
  port: ServicePortModel,
): BackendTlsPolicy | undefined {
  return policyOfPort(state, backendTlsAttachment, service, port);
}

/** The authorities that a policy trusts. */
export interface PolicyRoots {
  /** undefined: none, so that nothing can be spoken to. */
  readonly roots: TlsRoots | undefined;
  /** Why references are not used. */
  readonly problems: readonly CaProblem[];
  /** A set of authorities that is not known here. */
  readonly unknownSet: string | undefined;
  readonly origins: readonly OriginRef[];
}

export function policyRoots(state: MeshState, { metadata, spec }: BackendTlsPolicy): PolicyRoots {
  const { caCertificateRefs = [], wellKnownCACertificates = '' } = spec.validation;
  if (caCertificateRefs.length === 0) {
    return wellKnownCACertificates === 'System'
      ? { roots: { kind: 'system' }, problems: [], unknownSet: undefined, origins: [] }
      : { roots: undefined, problems: [], unknownSet: wellKnownCACertificates, origins: [] };
  }
  const from = { group: gatewayGroup, kind: 'BackendTLSPolicy', namespace: metadata.namespace ?? '' };
  const { secret, problems, origins } = caCertificates(state, from, caCertificateRefs);
  const roots = secret === undefined ? undefined : ({ kind: 'secret', name: secret } as const);
  return { roots, problems, unknownSet: undefined, origins };
}

/** How a policy has a port spoken to. */
export interface BackendTls {
  readonly policy: BackendTlsPolicy;
  /** A text says why nothing may be sent: in the clear would be worse than not at all. */
  readonly origination: TlsOrigination | string;
  readonly origins: readonly OriginRef[];
}

/** What the BackendTLSPolicy of a port says to a proxy; undefined: there is none. A proxy of a Gateway shows what its `spec.tls.backend` names. */
export function backendTls(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  port: ServicePortModel,
): BackendTls | undefined {
  const policy = backendTlsPolicyOf(state, service, port);
  if (policy === undefined) {
    return undefined;
  }
  const { roots, problems, unknownSet, origins } = policyRoots(state, policy);
  const refused = (why: string): BackendTls => ({
    policy,
    origination: `BackendTLSPolicy ${keyOf(policy)}: ${why}`,
    origins: [originOf(policy), ...origins],
  });
  if (roots === undefined) {
    return refused(
      unknownSet === undefined
        ? problems.map(({ message }) => message).join('; ')
        : `the set of authorities ${unknownSet} is not known: use System`,
    );
  }
  const [gateway] = client.isGateway === true ? gatewaysOf(state, client.namespace, client.labels) : [];
  const shown = gateway === undefined ? undefined : backendClientCertificate(state, gateway);
  if (shown !== undefined && 'reason' in shown) {
    return refused(`the certificate that Gateway ${gateway?.metadata.name} is to show: ${shown.message}`);
  }
  const { hostname, subjectAltNames = [] } = policy.spec.validation;
  const secret = shown === undefined ? undefined : state.object('/Secret', shown.key);
  return {
    policy,
    origination: {
      sni: hostname,
      subjectAltNames: subjectAltNames.flatMap((name) => name.uri ?? name.hostname ?? []),
      roots,
      certificate: shown === undefined ? undefined : { kind: 'secret', name: shown.name },
    },
    origins: [originOf(policy), ...origins, ...(secret === undefined ? [] : [originOf(secret)])],
  };
}
