import { type ClusterTls, type MutualTls, mergeOrigins, type OutboundCluster } from '@weft/ir';
import type { DestinationRule } from '../kinds.ts';
import { selects } from '../match.ts';
import { outboundClusterName, outboundSni, spiffeId } from '../names.ts';
import { originOf } from '../origin.ts';
import type { MeshSettings } from '../settings.ts';
import type { Instance } from '../state/instances.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { endpointOf } from './endpoints.ts';
import { poolSettings, trafficPolicy } from './traffic-policy.ts';

/**
 * The cluster of one port of a service, or of one subset of it. undefined when there is none to be had: the subset is not
 * declared, the service resolves to nothing (resolution NONE), or the DestinationRule asks for TLS that cannot be done yet
 * (plaintext instead would be worse than no answer).
 */
export function outboundCluster(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  port: ServicePortModel,
  subset: string,
): OutboundCluster | undefined {
  const rule = state.destinationRuleOf(service, client);
  const name = outboundClusterName(port.number, subset, service.host);
  return state.memo.get(
    `cluster|${name}|${rule === undefined ? '' : `${rule.metadata.namespace}/${rule.metadata.name}`}`,
    [
      service,
      port,
      subset,
      rule,
      state.identitiesOf(service),
      service.discovery === 'dns' ? state.instancesOf(service).instances : undefined,
      state.settings,
    ] as const,
    buildCluster,
  );
}

function buildCluster([service, port, subset, rule, identities, dnsInstances, settings]: readonly [
  ServiceModel,
  ServicePortModel,
  string,
  DestinationRule | undefined,
  readonly string[],
  readonly Instance[] | undefined,
  MeshSettings,
]): OutboundCluster | undefined {
  const declared = subset === '' ? undefined : rule?.spec?.subsets?.find(({ name }) => name === subset);
  const policy = trafficPolicy(rule, subset, port.number);
  const peerIds = [...new Set([...identities, ...service.subjectAltNames])].sort();
  const tls = clusterTls(policy.tls?.mode, {
    sni: outboundSni(port.number, subset, service.host),
    // No identity is known: an id that no workload can have keeps the check closed.
    peerIds: peerIds.length === 0 ? [spiffeId(settings.trustDomain, service.namespace, '')] : peerIds,
  });
  if (tls === undefined || service.discovery === 'none' || (subset !== '' && declared === undefined)) {
    return undefined;
  }
  return {
    name: outboundClusterName(port.number, subset, service.host),
    host: service.host,
    port: port.number,
    subset,
    service: { name: service.name, namespace: service.namespace },
    protocol: port.protocol.kind === 'http' ? 'http' : 'tcp',
    discovery:
      dnsInstances === undefined
        ? { kind: 'endpoints' }
        : {
            kind: 'dns',
            endpoints: dnsInstances
              .filter((instance) => selects(declared?.labels, instance.labels))
              .flatMap((instance) => endpointOf(instance, port, 'any')),
          },
    ...poolSettings(policy),
    tls,
    origins: mergeOrigins([
      [service.origin],
      rule === undefined ? [] : [originOf(rule)],
      ...(dnsInstances ?? []).map((instance) => instance.origins),
    ]),
  };
}

function clusterTls(mode: string | undefined, mutual: MutualTls): ClusterTls | undefined {
  switch (mode) {
    case undefined:
      return { kind: 'auto', mutual };
    case 'ISTIO_MUTUAL':
      return { kind: 'mutual', mutual };
    case 'DISABLE':
      return { kind: 'disabled' };
    default:
      return undefined;
  }
}
