import type { Endpoint, OutboundCluster } from '@weft/ir';
import { whyLeftOut } from '../state/collect-instances.ts';
import type { Instance } from '../state/instances.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { portOf, type ServiceModel } from '../state/service-model.ts';
import { clusterEndpoints, endpointOf } from '../to-ir/endpoints.ts';
import { isUnixAddress, socketText } from '../unix-address.ts';
import { type ExplainedValue, originText, refText } from './effective.ts';

/** Endpoints that are named; of more only their number is said. */
const namedEndpoints = 50;

/** The workloads behind a service, whoever looks at them, and those that nobody is sent to. */
export function instanceValues(state: MeshState, service: ServiceModel): readonly ExplainedValue[] {
  const { instances } = state.instances.of(service);
  const values = instances.map((instance) => ({
    name: addressOf(service, instance),
    value: stateText(instance),
    origin: originOfInstance(service, instance),
  }));
  return [...named(values), ...leftOutValues(state, service)];
}

/** The endpoints of a cluster as one client has them. */
export interface ClusterView {
  readonly endpoints: readonly Endpoint[];
  /** Each endpoint, then workloads that are left out. */
  readonly values: readonly ExplainedValue[];
}

export function clusterView(
  state: MeshState,
  client: Client,
  service: ServiceModel | undefined,
  cluster: OutboundCluster,
): ClusterView {
  const { discovery } = cluster;
  const isDns = discovery.kind === 'dns';
  const endpoints = isDns ? discovery.endpoints : clusterEndpoints(state, client, discovery.assignment).endpoints;
  const hasPriorities = endpoints.some(({ priority }) => priority > 0);
  const port = service && portOf(service, cluster.port);
  const origins = new Map(
    service === undefined || port === undefined
      ? []
      : state.instances
          .of(service)
          .instances.flatMap((instance) =>
            endpointOf(instance, port, isDns ? 'dns' : 'ip').map(
              (endpoint) => [socketText(endpoint), originOfInstance(service, instance)] as const,
            ),
          ),
  );
  const values = endpoints.map((endpoint) => ({
    name: socketText(endpoint),
    value: [
      endpoint.workload.name,
      stateText(endpoint),
      ...(hasPriorities ? [`priority ${endpoint.priority}`] : []),
      ...(cluster.tls.kind === 'auto' ? [endpoint.mutualTls ? 'mutual TLS' : 'plaintext'] : []),
    ].join(', '),
    origin: origins.get(socketText(endpoint)) ?? (service === undefined ? '' : originText(service.object)),
  }));
  return {
    endpoints,
    values: [...named(values), ...(service === undefined ? [] : leftOutValues(state, service))],
  };
}

function named(values: readonly ExplainedValue[]): readonly ExplainedValue[] {
  const more = values.length - namedEndpoints;
  return more > 0
    ? [...values.slice(0, namedEndpoints), { name: `… and ${more} more`, value: '', origin: '' }]
    : values;
}

const reasons = {
  draining: ['its proxy drains', 'spec.draining'],
  deleted: ['it is being deleted', 'metadata.deletionTimestamp'],
  failing: ['its health check fails', 'status.conditions'],
  'without address': ['it has no address', 'spec.address'],
} as const;

function leftOutValues(state: MeshState, service: ServiceModel): readonly ExplainedValue[] {
  return state.instances.of(service).leftOut.flatMap(({ kind, namespace, name }): readonly ExplainedValue[] => {
    const key = `${namespace}/${name}`;
    const entry = kind === 'WorkloadEntry' ? state.workloadEntry(key) : undefined;
    const proxy = state.proxy(key);
    const why = entry === undefined ? undefined : whyLeftOut(entry, proxy);
    if (entry === undefined || why === undefined) {
      return [];
    }
    const [text, path] = reasons[why];
    const owner = why === 'draining' && proxy !== undefined ? proxy : entry;
    return [{ name: name, value: `left out: ${text}`, origin: originText(owner, path) }];
  });
}

function stateText({ health, locality, weight }: Pick<Instance, 'health' | 'locality' | 'weight'>): string {
  return [
    health === 'healthy' ? 'healthy' : 'unhealthy (its proxy is not connected)',
    `locality ${locality === '' ? 'not known' : locality}`,
    ...(weight === 1 ? [] : [`weight ${weight}`]),
  ].join(', ');
}

function originOfInstance(service: ServiceModel, { origins }: Instance): string {
  return origins.map(refText).find((text) => !text.startsWith('Proxy ')) ?? originText(service.object);
}

function addressOf(service: ServiceModel, { address, ports }: Instance): string {
  const numbers = service.ports.map((port) => ports[port.name] ?? port.targetPort);
  return isUnixAddress(address) ? address : `${address}:${[...new Set(numbers)].join(',')}`;
}
