import type { HashPolicy, OutboundCluster } from '@weft/ir';
import type { DestinationSpec } from '../kinds.ts';
import { hostCandidates, outboundClusterName } from '../names.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { portOf, type ServiceModel, type ServicePortModel } from '../state/service-model.ts';
import { outboundCluster } from './outbound-cluster.ts';

/** Where a route leads: a name in any case, and the cluster when there is one. */
export interface Target {
  readonly clusterName: string;
  readonly cluster: OutboundCluster | undefined;
  /** Why there is no cluster; undefined when there is one. */
  readonly missing: string | undefined;
}

/**
 * Resolves a `destination`.
 * @param namespace of the resource that names it: short hosts are relative to it.
 * @param requestPort used when the destination names no port and its service has several.
 */
export function resolveDestination(
  state: MeshState,
  client: Client,
  spec: DestinationSpec,
  namespace: string,
  requestPort: number,
): Target {
  const service = state.resolveHost(spec.host, namespace, client.namespace);
  if (service === undefined) {
    const host = hostCandidates(spec.host, namespace, state.settings.clusterDomain)[0] ?? spec.host;
    return {
      clusterName: outboundClusterName(spec.port?.number ?? requestPort, spec.subset ?? '', host),
      cluster: undefined,
      missing: `host ${spec.host} is not known`,
    };
  }
  const carried = service.ports.filter((port) => port.protocol !== 'udp');
  const number = spec.port?.number ?? (carried.length === 1 ? carried[0]?.number : undefined) ?? requestPort;
  const port = portOf(service, number);
  if (port === undefined) {
    return {
      clusterName: outboundClusterName(number, spec.subset ?? '', service.host),
      cluster: undefined,
      missing: `${service.host} has no port ${number}`,
    };
  }
  return serviceTarget(state, client, service, port, spec.subset ?? '');
}

/** The target that is a port of a known service. */
export function serviceTarget(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  port: ServicePortModel,
  subset: string,
): Target {
  if (service.through !== undefined) {
    return resolveDestination(state, client, service.through, service.object.metadata.namespace ?? '', port.number);
  }
  const cluster = outboundCluster(state, client, service, port, subset);
  return {
    clusterName: outboundClusterName(port.number, subset, service.host),
    cluster: typeof cluster === 'string' ? undefined : cluster,
    missing: typeof cluster === 'string' ? cluster : undefined,
  };
}

/** What routes to some targets make hashes of: what their clusters balance by, each once. */
export function hashesOf(targets: readonly Target[]): readonly HashPolicy[] {
  const hashes = new Map<string, HashPolicy>();
  for (const { cluster } of targets) {
    if (cluster?.hash !== undefined) {
      hashes.set(JSON.stringify(cluster.hash), cluster.hash);
    }
  }
  return [...hashes.values()];
}

/** Equal texts, equal hashes. */
export function hashText(targets: readonly Target[]): string {
  return targets.map(({ cluster }) => (cluster?.hash === undefined ? '' : JSON.stringify(cluster.hash))).join(',');
}
