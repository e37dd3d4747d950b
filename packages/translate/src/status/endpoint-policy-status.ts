import { meshDefaults } from '../defaults.ts';
import type { EndpointPolicy } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { targetKey } from '../to-ir/attached-policy.ts';
import {
  checkedElsewhere,
  endpointPolicyAttachment,
  endpointPolicyOf,
  policyEffect,
} from '../to-ir/endpoint-policy.ts';
import { endpointOf } from '../to-ir/endpoints.ts';
import { outboundCluster } from '../to-ir/outbound-cluster.ts';
import type { AncestorStatus } from './backend-tls-status.ts';
import { condition, type GatewayCondition } from './gateway-condition.ts';
import { doneWithout, lostTarget, targetRef } from './policy-targets.ts';
import { enginesOf } from './proxies.ts';

type PolicyTarget = EndpointPolicy['spec']['targetRefs'][number];

/** What became of an EndpointPolicy at each target. */
export function endpointPolicyAncestors(state: MeshState, policy: EndpointPolicy): readonly AncestorStatus[] {
  const keyOfTarget = (target: PolicyTarget): string => targetKey(endpointPolicyAttachment, policy, target) ?? '';
  return [...Map.groupBy(policy.spec.targetRefs, keyOfTarget)].map(([objectKey, targets]) => ({
    ref: targetRef(policy, targets),
    conditions: conditionsOf(state, policy, objectKey, targets),
  }));
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
    .map((target) => lostTarget(state, endpointPolicyAttachment, policy, target))
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
    ...doneWithout(elsewhere),
  ];
}

/** What the policy finds nothing to change in at a port, as clients of its namespace have it. */
function unusedAt(
  state: MeshState,
  { metadata, spec }: EndpointPolicy,
  { service, port }: GovernedPort,
): readonly string[] {
  const client = { namespace: metadata.namespace ?? '', labels: {} };
  const subsets = ['', ...(state.destinationRuleOf(service, client)?.subsets.keys() ?? [])];
  // None where no caller is let through: that is said of what forbids it.
  const [first = [], ...others] = subsets
    .map((subset) => outboundCluster(state, client, service, port, subset))
    .filter((cluster) => typeof cluster !== 'string')
    .map((cluster) => policyEffect(spec, cluster, service, meshDefaults[state.settings.defaults]).unused);
  const unused = first.filter((text) => others.every((texts) => texts.includes(text)));
  const checkPort = checkedElsewhere(state, service, port);
  const addresses = service.discovery === 'dns' ? 'dns' : 'ip';
  const unchecked =
    checkPort === undefined
      ? []
      : state.instances
          .of(service)
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
