import { meshDefaults } from '../defaults.ts';
import type { EndpointPolicy } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { targetOwner } from '../to-ir/attached-policy.ts';
import {
  checkedElsewhere,
  endpointPolicyAttachment,
  endpointPolicyOf,
  policyEffect,
} from '../to-ir/endpoint-policy.ts';
import { endpointOf } from '../to-ir/endpoints.ts';
import { outboundCluster } from '../to-ir/outbound-cluster.ts';
import type { AncestorStatus } from './backend-tls-status.ts';
import { describe } from './describe.ts';
import { condition, type GatewayCondition } from './gateway-condition.ts';
import { enginesOf } from './proxies.ts';

type PolicyTarget = EndpointPolicy['spec']['targetRefs'][number];

/** What became of an EndpointPolicy at each target. */
export function endpointPolicyAncestors(state: MeshState, policy: EndpointPolicy): readonly AncestorStatus[] {
  const namespace = policy.metadata.namespace ?? '';
  const byTarget = new Map<string, PolicyTarget[]>();
  for (const target of policy.spec.targetRefs) {
    const key = `${target.kind}/${namespace}/${target.name}`;
    byTarget.set(key, [...(byTarget.get(key) ?? []), target]);
  }
  return [...byTarget].map(([objectKey, targets]) => {
    const { group = '', kind = '', name = '' } = targets[0] ?? {};
    return { ref: { group, kind, namespace, name }, conditions: conditionsOf(state, policy, objectKey, targets) };
  });
}

/** A port that the policy decides about. */
interface GovernedPort {
  readonly service: ServiceModel;
  readonly port: ServicePortModel;
}

function conditionsOf(
  state: MeshState,
  policy: EndpointPolicy,
  objectKey: string,
  targets: readonly PolicyTarget[],
): readonly GatewayCondition[] {
  const services = state.services.ofObject(objectKey);
  const lost = targets
    .map((target) => lostTarget(state, policy, objectKey, target, services))
    .find((each) => each !== undefined);
  const governed = services.flatMap((service) =>
    service.ports
      .filter((port) => port.protocol !== 'udp' && endpointPolicyOf(state, service, port) === policy)
      .map((port) => ({ service, port })),
  );
  const idle = governed.flatMap((each) => unusedAt(state, policy, each));
  const elsewhere = notOfEveryEngine(state, policy);
  const accepted =
    lost ??
    (governed.length > 0
      ? condition(
          'Accepted',
          true,
          'Accepted',
          `in force for ${governed.map(({ service, port }) => `${service.host}:${port.number}`).join(', ')}`,
        )
      : condition('Accepted', false, 'Conflicted', 'policies for its ports by their names have all of them'));
  return [
    accepted,
    accepted.status === 'True'
      ? condition('Programmed', true, 'Programmed', 'the proxies that use it have applied it')
      : condition('Programmed', false, accepted.reason, 'it is not accepted'),
    ...(idle.length === 0
      ? []
      : [condition('PartiallyInvalid', true, 'NothingToChange', `does nothing: ${idle.join('; ')}`)]),
    ...(elsewhere.length === 0
      ? []
      : [
          condition(
            'NotYetSupported',
            true,
            'FieldsNotActedUpon',
            `workloads without a proxy do without: ${elsewhere.join(', ')}`,
          ),
        ]),
  ];
}

/** Why a policy is not in force for a target; undefined: it is, as far as that target goes. */
function lostTarget(
  state: MeshState,
  policy: EndpointPolicy,
  objectKey: string,
  { kind, name, sectionName = '' }: PolicyTarget,
  services: readonly ServiceModel[],
): GatewayCondition | undefined {
  const called = `${kind} ${policy.metadata.namespace ?? ''}/${name}`;
  if (services.length === 0) {
    return condition('Accepted', false, 'TargetNotFound', `there is no ${called}`);
  }
  if (sectionName !== '' && services.every(({ ports }) => ports.every((port) => port.name !== sectionName))) {
    return condition('Accepted', false, 'TargetNotFound', `${called} has no port ${sectionName}`);
  }
  const owner = targetOwner(state, endpointPolicyAttachment, objectKey, sectionName);
  return owner === undefined || owner === policy
    ? undefined
    : condition(
        'Accepted',
        false,
        'Conflicted',
        `${describe(owner)} is older and has ${called}${sectionName === '' ? '' : `, port ${sectionName}`}`,
      );
}

/** What the policy finds nothing to change in at a port, as clients of its namespace have it. */
function unusedAt(
  state: MeshState,
  { metadata, spec }: EndpointPolicy,
  { service, port }: GovernedPort,
): readonly string[] {
  const client = { namespace: metadata.namespace ?? '', labels: {} };
  const subsets = ['', ...(state.destinationRuleOf(service, client)?.subsets.keys() ?? [])];
  const unused = subsets
    .map((subset) => outboundCluster(state, client, service, port, subset))
    .filter((cluster) => typeof cluster !== 'string')
    .map((cluster) => policyEffect(spec, cluster, service, meshDefaults[state.settings.defaults]).unused)
    .reduce((some, others) => some.filter((text) => others.includes(text)));
  const checkPort = checkedElsewhere(state, service, port);
  const addresses = service.discovery === 'dns' ? 'dns' : 'ip';
  const unchecked =
    checkPort === undefined
      ? []
      : state
          .instancesOf(service)
          .instances.filter((instance) => endpointOf(instance, port, addresses, checkPort)[0]?.checkPort === 0)
          .map(({ workload, address }) => (workload.name === '' ? address : workload.name));
  return [
    ...unused,
    ...(unchecked.length === 0
      ? []
      : [
          `spec.healthCheck.port (${unchecked.join(', ')}: no such port, or one that is spoken to with other TLS than port ${port.number}, so that it is not checked)`,
        ]),
  ];
}

/** Fields that gRPC's libraries do nothing with, where there are workloads that have nothing else. */
function notOfEveryEngine(state: MeshState, { spec }: EndpointPolicy): readonly string[] {
  return !enginesOf(state).includes('grpc')
    ? []
    : [
        ...(spec.healthCheck === undefined ? [] : ['spec.healthCheck']),
        ...Object.keys(spec.loadBalancer ?? {}).map((field) => `spec.loadBalancer.${field}`),
      ];
}
