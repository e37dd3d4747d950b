import { type ClusterEndpoints, type Endpoint, mergeOrigins } from '@weft/ir';
import type { Labels } from '../kinds.ts';
import { selects } from '../match.ts';
import { clusterOfAssignment, parseOutboundClusterName } from '../names.ts';
import type { Instance } from '../state/instances.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { isEndpointAddress, portOf, type ServicePortModel } from '../state/service-model.ts';
import { isUnixAddress } from '../unix-address.ts';
import { checkedElsewhere } from './endpoint-policy.ts';
import { localityView, ranked } from './locality.ts';
import { trafficPolicy } from './traffic-policy.ts';

/**
 * The endpoints of one outbound cluster as `client` is to see them; empty when the cluster's service or subset is unknown.
 * @param assignment name of the load assignment, whose view must be the client's.
 */
export function clusterEndpoints(state: MeshState, client: Client, assignment: string): ClusterEndpoints {
  const name = parseOutboundClusterName(clusterOfAssignment(assignment));
  const service = name === undefined ? undefined : state.services.exact(name.host, client.namespace);
  const port = service === undefined || name === undefined ? undefined : portOf(service, name.port);
  if (name === undefined || service === undefined || port === undefined) {
    return state.memo.get(`endpoints-of-nothing|${assignment}`, [], () => ({
      cluster: assignment,
      endpoints: [],
      localityWeights: undefined,
      origins: [],
    }));
  }
  const rule = state.destinationRuleOf(service, client);
  const subset = name.subset === '' ? undefined : rule?.subsets.get(name.subset)?.value;
  const labels: Labels | undefined = name.subset === '' ? {} : subset && (subset.labels ?? {});
  const instances = state.instances.of(service);
  const checkPort = checkedElsewhere(state, service, port);
  const view = localityView(trafficPolicy(rule, name.subset, port.number), service, client);
  // A subset has its own labels object in each version of its rule, so the text stands for them; the same with the view.
  const key = labels === undefined ? 'unknown subset' : JSON.stringify(labels);
  const viewKey = view.name === '' ? '' : JSON.stringify(view);
  return state.memo.get(
    `endpoints|${assignment}|${key}|${viewKey}`,
    [assignment, instances, port, service.origin, key, viewKey, checkPort] as const,
    ([, set, servicePort, origin, , , checked]) => {
      const chosen =
        labels === undefined
          ? []
          : set.instances.filter((instance) => selects(JSON.parse(key) as Labels, instance.labels));
      const { endpoints, weights } = ranked(
        chosen.flatMap((instance) =>
          endpointOf(instance, servicePort, 'ip', checked).map((endpoint) => [instance, endpoint] as const),
        ),
        view,
      );
      return {
        cluster: assignment,
        endpoints,
        localityWeights: weights,
        origins: mergeOrigins([[origin], set.leftOut, ...chosen.map((instance) => instance.origins)]),
      };
    },
  );
}

/**
 * The endpoint of an instance for one service port: the instance's own port of that name, else the service's target port; a Unix socket
 * serves every port, and has none itself (0). None when it has no such port, when its sidecar does not listen there, or when its
 * address cannot stand there: a host name for `ip`, a Unix socket for `dns`.
 * @param checkPort the port of the service at which the endpoint is checked; undefined: `port`.
 */
export function endpointOf(
  instance: Instance,
  port: ServicePortModel,
  addresses: 'ip' | 'dns',
  checkPort?: ServicePortModel,
): readonly Endpoint[] {
  const isUnix = isUnixAddress(instance.address);
  const number = isUnix
    ? 0
    : (instance.ports[port.name] ??
      (typeof port.targetPort === 'number' ? port.targetPort : instance.ports[port.targetPort]));
  const mutualTls =
    number === undefined ? undefined : (instance.mutualTls.ports[number] ?? instance.mutualTls.byDefault);
  const fits = addresses === 'ip' ? isEndpointAddress(instance.address) : !isUnix;
  if (number === undefined || mutualTls === undefined || !fits) {
    return [];
  }
  const [checked] = checkPort === undefined ? [] : endpointOf(instance, checkPort, addresses);
  return [
    {
      address: instance.address,
      port: number,
      health: instance.health,
      weight: instance.weight,
      locality: instance.locality,
      priority: 0,
      mutualTls,
      // Checks speak as requests to the endpoint do: where another port is spoken to otherwise, they would always fail.
      ...(checkPort === undefined || isUnix ? {} : { checkPort: checked?.mutualTls === mutualTls ? checked.port : 0 }),
      workload: instance.workload,
    },
  ];
}
