import { type ClusterEndpoints, type Endpoint, mergeOrigins } from '@weft/ir';
import { localClusterName } from '../names.ts';
import type { Instance, InstanceSet } from '../state/instances.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { isEndpointAddress, type ServiceModel } from '../state/service-model.ts';
import { isUnixAddress } from '../unix-address.ts';

/**
 * The peers of a workload, with itself: what its proxy has to know to balance by zone, as they send what it sends. They are the workloads of its
 * region that are behind every service that it is behind, so that a service for one version keeps versions apart and one for all workloads makes
 * no difference. Empty where no service has the workload.
 */
export function localClusterEndpoints(state: MeshState, proxyKey: string, client: Client): ClusterEndpoints {
  const services = state.servicesOfWorkload(proxyKey);
  for (const service of services) {
    state.instances.notePeers(service);
  }
  const sets = services.map((service) => state.instances.of(service));
  const [region = ''] = (client.locality ?? '').split('/');
  return state.memo.get(
    `local-cluster|${proxyKey}`,
    [region, services.length, ...services, ...sets],
    (): ClusterEndpoints => {
      const peers = inAll(sets).filter(({ locality }) => locality.split('/')[0] === region);
      return {
        cluster: localClusterName,
        endpoints: peers.flatMap((peer) => addressOf(peer, services)),
        localityWeights: undefined,
        origins: mergeOrigins([services.map(({ origin }) => origin), ...peers.map(({ origins }) => origins)]),
      };
    },
  );
}

/** The workloads that are in all sets. */
function inAll([first, ...others]: readonly InstanceSet[]): readonly Instance[] {
  const nameOf = ({ workload }: Instance): string => `${workload.namespace}/${workload.name}`;
  const rest = others.map(({ instances }) => new Set(instances.map(nameOf)));
  return (first?.instances ?? []).filter((instance) => rest.every((names) => names.has(nameOf(instance))));
}

/** One address of a peer, whichever of its ports it is: nothing is sent there. None for a host name, which EDS cannot have. */
function addressOf(peer: Instance, services: readonly ServiceModel[]): readonly Endpoint[] {
  const { address, health, weight, locality, workload } = peer;
  const targets = services.flatMap(({ ports }) => ports.map(({ targetPort, number }) => Number(targetPort) || number));
  const [port] = isUnixAddress(address) ? [0] : [...Object.values(peer.ports), ...targets];
  return port === undefined || !isEndpointAddress(address)
    ? []
    : [{ address, port, health, weight, locality, priority: 0, mutualTls: false, workload }];
}
