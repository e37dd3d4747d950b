import type { OriginRef } from '@weft/ir';
import type { EndpointSlice, Labels, ProxyResource, WorkloadEntry, WorkloadSpec } from '../kinds.ts';
import { spiffeId } from '../names.ts';
import { originOf } from '../origin.ts';
import type { MeshSettings } from '../settings.ts';
import type { Instance } from './instances.ts';
import type { EffectivePeerAuthentication } from './peer-authentication-index.ts';
import type { ServiceModel } from './service-model.ts';
import type { InboundListener } from './sidecar-listeners.ts';
import { labelsOf, workloadLabels } from './workload.ts';

const tlsModeLabel = 'security.istio.io/tlsMode';

/** A WorkloadEntry with what decides about its endpoint. */
export interface WorkloadFacts {
  readonly entry: WorkloadEntry;
  readonly proxy: ProxyResource | undefined;
  /** The ports that the proxy opens to peers. */
  readonly inbound: readonly InboundListener[];
  readonly connected: boolean;
  readonly peerAuthentication: EffectivePeerAuthentication;
}

/**
 * The instance of a WorkloadEntry, undefined when nobody is to be sent there: it is leaving (its Proxy drains, or it is being
 * deleted) or its own health check says no (condition `Healthy` False). A proxy without a stream makes it only unhealthy: that is
 * a suspicion of ours, and when most endpoints are suspected proxies use all of them (panic threshold).
 */
export function instanceOfWorkload(facts: WorkloadFacts, settings: MeshSettings): Instance | undefined {
  const { entry, proxy, peerAuthentication } = facts;
  const { name, namespace = '' } = entry.metadata;
  if (entry.spec.address === undefined || whyLeftOut(entry, proxy) !== undefined) {
    return undefined;
  }
  const labels = labelsOf(entry);
  const ports: Record<number, boolean> = {};
  for (const { port, policyPort } of facts.inbound) {
    const mode = peerAuthentication.ports.get(policyPort) ?? peerAuthentication.mode;
    ports[port] = mode !== 'disabled';
  }
  return {
    address: entry.spec.address,
    ports: entry.spec.ports ?? {},
    labels,
    locality: entry.spec.locality ?? '',
    weight: Math.max(1, entry.spec.weight ?? 1),
    health: proxy !== undefined && !facts.connected ? 'unhealthy' : 'healthy',
    identity: identityOfWorkload(facts, settings)[0],
    mutualTls: {
      byDefault:
        proxy === undefined
          ? labels[tlsModeLabel] === 'istio' && peerAuthentication.mode !== 'disabled'
          : behindProxy(proxy),
      ports,
    },
    workload: workloadLabels(name, namespace, labels, settings.clusterId),
    origins: originsOfWorkload(facts),
  };
}

/** Why nobody is sent to a workload; undefined: nothing is against it. */
export function whyLeftOut(
  entry: WorkloadEntry,
  proxy: ProxyResource | undefined,
): 'draining' | 'deleted' | 'failing' | 'without address' | undefined {
  if (entry.status?.conditions?.some(({ type, status }) => type === 'Healthy' && status === 'False') === true) {
    return 'failing';
  }
  if (proxy?.spec.draining === true) {
    return 'draining';
  }
  if (entry.metadata.deletionTimestamp !== undefined) {
    return 'deleted';
  }
  return entry.spec.address === undefined ? 'without address' : undefined;
}

/**
 * What holds for ports that the Proxy does not list. Behind a sidecar only its listeners may be reached: another port would lead past it,
 * and past mutual TLS. Behind a gateway there is nothing: its ports are those of Gateways, which are spoken to as a rule for it says.
 */
function behindProxy({ spec }: ProxyResource): false | undefined {
  return spec.role === 'gateway' ? false : undefined;
}

/** The SPIFFE id of a workload, whether or not it takes traffic; none where no account is known. */
export function identityOfWorkload({ entry, proxy }: WorkloadFacts, settings: MeshSettings): readonly string[] {
  const account = entry.spec.serviceAccount ?? proxy?.spec.serviceAccount;
  const identity = identityOf(account, entry.metadata.namespace ?? '', settings);
  return identity === undefined ? [] : [identity];
}

/** The resources that decide about a workload's endpoint. */
export function originsOfWorkload({ entry, proxy, peerAuthentication }: WorkloadFacts): readonly OriginRef[] {
  return [entry, ...(proxy === undefined ? [] : [proxy]), ...peerAuthentication.policies].map(originOf);
}

function identityOf(account: string | undefined, namespace: string, settings: MeshSettings): string | undefined {
  return account === undefined || account === '' ? undefined : spiffeId(settings.trustDomain, namespace, account);
}

/** The instances of an EndpointSlice: those that are ready (Kubernetes: absent means ready). */
export function instancesOfSlice(
  slice: EndpointSlice,
  service: ServiceModel,
  settings: MeshSettings,
): readonly Instance[] {
  if (slice.addressType === 'FQDN') {
    return [];
  }
  const ports: Record<string, number> = {};
  for (const port of slice.ports ?? []) {
    if (port.port !== undefined) {
      ports[port.name ?? ''] = port.port;
    }
  }
  return (slice.endpoints ?? [])
    .filter((endpoint) => endpoint.conditions?.ready !== false)
    .flatMap((endpoint) =>
      (endpoint.addresses ?? []).slice(0, 1).map((address) => ({
        address,
        ports,
        labels: {},
        locality: endpoint.zone === undefined ? '' : `/${endpoint.zone}`,
        weight: 1,
        health: 'healthy' as const,
        identity: undefined,
        mutualTls: { byDefault: false, ports: {} },
        workload: workloadLabels(endpoint.targetRef?.name ?? service.name, service.namespace, {}, settings.clusterId),
        origins: [originOf(slice)],
      })),
    );
}

/** The instances that a ServiceEntry lists itself. */
export function inlineInstances(service: ServiceModel, settings: MeshSettings): readonly Instance[] {
  return service.inlineEndpoints.flatMap((endpoint: WorkloadSpec) => {
    const labels: Labels = endpoint.labels ?? {};
    if (endpoint.address === undefined) {
      return [];
    }
    return [
      {
        address: endpoint.address,
        ports: endpoint.ports ?? {},
        labels,
        locality: endpoint.locality ?? '',
        weight: Math.max(1, endpoint.weight ?? 1),
        health: 'healthy' as const,
        identity: identityOf(endpoint.serviceAccount, service.namespace, settings),
        mutualTls: { byDefault: labels[tlsModeLabel] === 'istio', ports: {} },
        workload: workloadLabels(service.name, service.namespace, labels, settings.clusterId),
        origins: [],
      },
    ];
  });
}
