import { type ClusterProtocol, type ClusterTls, type MutualTls, mergeOrigins, type OutboundCluster } from '@weft/ir';
import type { DestinationRule, PolicySpec } from '../kinds.ts';
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
    protocol: clusterProtocol(service, port, policy, tls.kind),
    discovery:
      dnsInstances === undefined
        ? { kind: 'endpoints' }
        : {
            kind: 'dns',
            addresses: 'all',
            endpoints: dnsInstances
              .filter((instance) => selects(declared?.labels, instance.labels))
              .flatMap((instance) => endpointOf(instance, port, 'dns')),
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

/**
 * Workloads of the mesh have a proxy that takes HTTP/2 and speaks to the application as that wants, so HTTP/1.1 goes to them
 * multiplexed. Whether a peer is one is seen on each connection; plaintext stays what it was declared.
 */
function clusterProtocol(
  service: ServiceModel,
  port: ServicePortModel,
  policy: PolicySpec,
  tls: ClusterTls['kind'],
): ClusterProtocol {
  const { h2UpgradePolicy, useClientProtocol } = policy.connectionPool?.http ?? {};
  if (port.protocol === 'udp' || port.protocol === 'tcp') {
    return 'tcp';
  }
  if (port.protocol === 'auto' || useClientProtocol === true) {
    return 'http-as-downstream';
  }
  if (port.protocol === 'http2' || port.protocol === 'grpc-web' || h2UpgradePolicy === 'UPGRADE') {
    return 'http2';
  }
  return h2UpgradePolicy === 'DO_NOT_UPGRADE' || service.external || tls === 'disabled' ? 'http1' : 'http-by-alpn';
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
