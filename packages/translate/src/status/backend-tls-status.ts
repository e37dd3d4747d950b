import { type BackendTlsPolicy, compareText, keyOf } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { gatewayGroup, type KubeRoute } from '../state/route-index.ts';
import { targetKey } from '../to-ir/attached-policy.ts';
import { backendTlsAttachment, type PolicyRoots, policyRoots } from '../to-ir/gateway-api/backend-tls.ts';
import type { CaProblem } from '../to-ir/gateway-api/ca-certificates.ts';
import { isOurs } from '../to-ir/gateway-api/gateway-class.ts';
import { gatewayListeners } from '../to-ir/gateway-api/listeners.ts';
import { condition, type GatewayCondition } from './gateway-condition.ts';
import { lostTarget } from './policy-targets.ts';
import { leftOutWithoutProxy } from './without-proxy.ts';

/** Whose proxies go by a policy: a Gateway, or, for the clients of the mesh, the target itself. */
export interface AncestorRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface AncestorStatus {
  readonly ref: AncestorRef;
  readonly conditions: readonly GatewayCondition[];
}

type PolicyTarget = BackendTlsPolicy['spec']['targetRefs'][number];

/** Most ancestors that a status holds. */
const maxAncestors = 16;

const reasons: Readonly<Record<CaProblem['kind'], string>> = {
  invalid: 'InvalidCACertificateRef',
  'unknown-kind': 'InvalidKind',
  'not-permitted': 'InvalidCACertificateRef',
};

/** What became of a BackendTLSPolicy at each Gateway that leads to its Services, and in the mesh. */
export function backendTlsAncestors(state: MeshState, policy: BackendTlsPolicy): readonly AncestorStatus[] {
  const namespace = policy.metadata.namespace ?? '';
  const roots = policyRoots(state, policy);
  const leading = gatewaysByService(state);
  const byGateway = new Map<string, PolicyTarget[]>();
  for (const target of policy.spec.targetRefs) {
    for (const gateway of leading.get(targetKey(backendTlsAttachment, policy, target) ?? '') ?? []) {
      byGateway.set(gateway, [...(byGateway.get(gateway) ?? []), target]);
    }
  }
  const gateways = [...byGateway].map(([key, targets]): AncestorStatus => {
    const slash = key.indexOf('/');
    return {
      ref: { group: gatewayGroup, kind: 'Gateway', namespace: key.slice(0, slash), name: key.slice(slash + 1) },
      conditions: conditionsOf(state, policy, roots, targets),
    };
  });
  const byTarget = new Map<string, PolicyTarget[]>();
  for (const target of policy.spec.targetRefs) {
    const key = `${target.group}/${target.kind}/${target.name}`;
    byTarget.set(key, [...(byTarget.get(key) ?? []), target]);
  }
  const targets = [...byTarget.values()].map((list): AncestorStatus => {
    const { group = '', kind = '', name = '' } = list[0] ?? {};
    return { ref: { group, kind, namespace, name }, conditions: conditionsOf(state, policy, roots, list) };
  });
  return [...gateways.sort((a, b) => compareText(textOf(a.ref), textOf(b.ref))), ...targets].slice(0, maxAncestors);
}

function textOf({ namespace, name }: AncestorRef): string {
  return `${namespace}/${name}`;
}

function conditionsOf(
  state: MeshState,
  policy: BackendTlsPolicy,
  { roots, problems, unknownSet }: PolicyRoots,
  targets: readonly PolicyTarget[],
): readonly GatewayCondition[] {
  const message = problems.map((problem) => problem.message).join('; ');
  const lost = targets
    .map((target) => lostTarget(state, backendTlsAttachment, policy, target))
    .find((each) => each !== undefined);
  const accepted =
    lost ??
    (unknownSet !== undefined
      ? condition('Accepted', false, 'Invalid', `the set of authorities ${unknownSet} is not known: use System`)
      : roots === undefined
        ? condition('Accepted', false, 'NoValidCACertificate', `requests are answered 5xx: ${message}`)
        : condition('Accepted', true, 'Accepted', 'the backends are spoken to by TLS'));
  const [problem] = problems;
  const unused = [
    ...(Object.keys(policy.spec.options ?? {}).length === 0 ? [] : ['spec.options']),
    ...leftOutWithoutProxy(state, policy),
  ];
  return [
    accepted,
    problem === undefined
      ? condition('ResolvedRefs', true, 'ResolvedRefs', 'all references are known')
      : condition('ResolvedRefs', false, reasons[problem.kind], message),
    ...(unused.length === 0
      ? []
      : [condition('NotYetSupported', true, 'FieldsNotActedUpon', `nothing acts on it: ${unused.join(', ')}`)]),
  ];
}

/** The Gateways of ours (`namespace/name`) whose routes, or those of their ListenerSets, lead to each Service (`Service/namespace/name`). */
function gatewaysByService(state: MeshState): ReadonlyMap<string, ReadonlySet<string>> {
  return state.reads.remember('gateways-by-service', [], () => {
    const found = new Map<string, Set<string>>();
    for (const gateway of state.list('gateway.networking.k8s.io/Gateway').filter((each) => isOurs(state, each))) {
      const key = keyOf(gateway);
      for (const owner of gatewayListeners(state, gateway).byOwner.keys()) {
        for (const service of state.routes.attachedTo(owner).flatMap(servicesOf)) {
          found.set(service, (found.get(service) ?? new Set()).add(key));
        }
      }
    }
    return found;
  });
}

interface Ref {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly kind?: string | undefined;
  readonly group?: string | undefined;
}

interface Mirroring {
  readonly requestMirror?: { readonly backendRef: Ref } | undefined;
}

/** What rules of all kinds of routes have in common here. */
interface RuleOfRoute {
  readonly backendRefs?: readonly (Ref & { readonly filters?: readonly Mirroring[] | undefined })[] | undefined;
  readonly filters?: readonly Mirroring[] | undefined;
}

/** The Services that a route sends requests to, or copies of them. */
function servicesOf(route: KubeRoute): readonly string[] {
  const rules: readonly RuleOfRoute[] = route.spec.rules ?? [];
  return rules.flatMap(({ backendRefs = [], filters = [] }) => {
    const all = [...filters, ...backendRefs.flatMap((ref) => ref.filters ?? [])];
    const mirrored = all.flatMap(({ requestMirror }) => requestMirror?.backendRef ?? []);
    return [...backendRefs, ...mirrored].flatMap(({ group = '', kind = 'Service', namespace, name }) =>
      group === '' && kind === 'Service' ? [`Service/${namespace ?? route.metadata.namespace ?? ''}/${name}`] : [],
    );
  });
}
