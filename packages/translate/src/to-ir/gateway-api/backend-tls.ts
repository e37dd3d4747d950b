import type { OriginRef, TlsOrigination, TlsRoots } from '@weft/ir';
import { type BackendTlsPolicy, keyOf } from '../../kinds.ts';
import { originOf } from '../../origin.ts';
import type { Client, MeshState } from '../../state/mesh-state.ts';
import { gatewayGroup } from '../../state/route-index.ts';
import type { ServiceModel, ServicePortModel } from '../../state/service-model.ts';
import { type CaProblem, caCertificates } from './ca-certificates.ts';
import { backendClientCertificate } from './certificates.ts';
import { gatewaysOf } from './gateways-of.ts';

type PolicyTarget = BackendTlsPolicy['spec']['targetRefs'][number];

/** A BackendTLSPolicy and one Service or ServiceEntry, or port of it, that it is for. */
interface TargetedPolicy {
  readonly policy: BackendTlsPolicy;
  /** Empty: every port. */
  readonly sectionName: string;
}

/** Kinds of targets, by API group and kind, with what declares services of that kind is called in their index. */
const targetKinds: ReadonlyMap<string, string> = new Map([
  ['/Service', 'Service'],
  ['networking.istio.io/ServiceEntry', 'ServiceEntry'],
]);

/** What a target is in the index of services (`Service/namespace/name`, `ServiceEntry/namespace/name`); undefined: of a kind that is not supported. */
export function targetKey(policy: BackendTlsPolicy, { group, kind, name }: PolicyTarget): string | undefined {
  const declared = targetKinds.get(`${group}/${kind}`);
  return declared === undefined ? undefined : `${declared}/${policy.metadata.namespace ?? ''}/${name}`;
}

/** The policies for each target, the oldest first. */
function policiesByTarget(state: MeshState): ReadonlyMap<string, readonly TargetedPolicy[]> {
  return state.reads.remember('backend-tls-policies', [], () => {
    const found = new Map<string, TargetedPolicy[]>();
    for (const policy of state.list('gateway.networking.k8s.io/BackendTLSPolicy')) {
      for (const target of policy.spec.targetRefs) {
        const key = targetKey(policy, target);
        if (key !== undefined) {
          found.set(key, [...(found.get(key) ?? []), { policy, sectionName: target.sectionName ?? '' }]);
        }
      }
    }
    return found;
  });
}

/** The policy that has a target as a whole (`sectionName` empty) or one port of it: of several the oldest, whether it is valid or not. */
export function targetOwner(state: MeshState, target: string, sectionName: string): BackendTlsPolicy | undefined {
  return policiesByTarget(state)
    .get(target)
    ?.find((each) => each.sectionName === sectionName)?.policy;
}

/** The policy by which a port of a service is spoken to: the one for the port comes before the one for all of them. */
export function backendTlsPolicyOf(
  state: MeshState,
  { objectKey }: ServiceModel,
  { name }: ServicePortModel,
): BackendTlsPolicy | undefined {
  return targetOwner(state, objectKey, name) ?? targetOwner(state, objectKey, '');
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
