import type { OutboundCluster } from '@weft/ir';
import { loadBalancerAnnotation } from '@weft/resources';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { portOf, type ServiceModel } from '../state/service-model.ts';
import { endpointPolicyOf } from '../to-ir/endpoint-policy.ts';
import { type ExplainedValue, originText } from './effective.ts';
import { policyValues } from './explain-policy.ts';

const wishes = {
  'source-ip': 'spec.sessionAffinity',
  'peak-ewma': `metadata.annotations[${loadBalancerAnnotation}]`,
} as const;

/** What `client` does with connections and requests to one cluster of a service. */
export function clusterValues(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  cluster: OutboundCluster,
): readonly ExplainedValue[] {
  const rule = state.destinationRuleOf(service, client);
  const wish = service.prefers === undefined ? undefined : originText(service.object, wishes[service.prefers]);
  const port = portOf(service, cluster.port);
  const own = port && endpointPolicyOf(state, service, port);
  return policyValues(cluster, rule, state.settings.defaults, wish, own);
}

/** Which endpoints of the service are of the subset; nothing where the cluster is the whole service. */
export function subsetValues(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  { subset }: OutboundCluster,
): readonly ExplainedValue[] {
  const part = subset === '' ? undefined : state.destinationRuleOf(service, client)?.subsets.get(subset);
  if (part === undefined) {
    return [];
  }
  const labels = Object.entries(part.value.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return [
    {
      name: `subset ${subset}`,
      value: labels.length === 0 ? 'all endpoints' : `endpoints with ${labels.join(', ')}`,
      origin: originText(part.rule, `spec.subsets[${part.index}]`),
    },
  ];
}
