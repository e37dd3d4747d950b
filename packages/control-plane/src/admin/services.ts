import type { InstanceSummary, MtlsMode, MtlsState, ServiceSummary } from '@weft/admin-api';
import type { TrafficHistory } from '@weft/telemetry';
import type { MeshState } from '@weft/translate';
import { PortProtocols } from '../mesh/port-protocols.ts';
import type { SeenProtocols } from '../mesh/seen-protocols.ts';
import { trafficOf } from './rates.ts';

type ServiceModel = NonNullable<ReturnType<MeshState['resolveHost']>>;
type Instance = ReturnType<MeshState['instances']['of']>['instances'][number];

/** The services of the mesh with their instances and rates, by namespace and name. */
export function summarizeServices(
  state: MeshState,
  history: TrafficHistory,
  seen: SeenProtocols,
  windowMs: number,
): ServiceSummary[] {
  const protocols = new PortProtocols(state, seen);
  const rates = history.services(windowMs);
  const summaries: ServiceSummary[] = [];
  for (const objectKey of state.services.objectKeys()) {
    for (const service of state.services.ofObject(objectKey)) {
      const { instances } = state.instances.of(service);
      const summary: ServiceSummary = {
        namespace: service.namespace,
        name: service.name,
        host: service.host,
        ports: protocols.describe(service),
        instances: instances.map((instance) => summarizeInstance(state, history, service, instance, windowMs)),
        readyInstances: instances.filter(({ health }) => health === 'healthy').length,
        mtls: mtlsOf(state, instances),
        traffic: trafficOf(rates.get(service.host) ?? history.service(service.host, windowMs)),
      };
      summaries.push(summary);
    }
  }
  return summaries.sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
}

function summarizeInstance(
  state: MeshState,
  history: TrafficHistory,
  service: ServiceModel,
  instance: Instance,
  windowMs: number,
): InstanceSummary {
  const { name, namespace, canonicalRevision } = instance.workload;
  const proxy = state.proxy(`${namespace}/${name}`);
  const ports = service.ports.map(
    (port) => instance.ports[port.name] ?? (typeof port.targetPort === 'number' ? port.targetPort : port.number),
  );
  const addresses = instance.address.startsWith('unix://')
    ? [instance.address]
    : [...new Set(ports)].map((port) => `${instance.address}:${port}`);
  return {
    name,
    ...(canonicalRevision === '' || canonicalRevision === 'latest' ? {} : { version: canonicalRevision }),
    address: addresses[0] ?? instance.address,
    ready: instance.health === 'healthy',
    ...(proxy === undefined ? {} : { engine: proxy.spec.engine ?? 'weft' }),
    traffic: trafficOf(history.endpoints(addresses, windowMs)),
  };
}

function mtlsOf(state: MeshState, instances: readonly Instance[]): MtlsState {
  const modes = new Set<MtlsMode>();
  let secured = 0;
  for (const { workload, labels } of instances) {
    const listeners = state.listenersOf(`${workload.namespace}/${workload.name}`);
    if (listeners === undefined) {
      continue;
    }
    secured += 1;
    const effective = state.peerAuthenticationOf(workload.namespace, labels);
    for (const { policyPort } of listeners.inbound) {
      modes.add(effective.ports.get(policyPort) ?? effective.mode);
    }
  }
  const [mode, ...others] = modes;
  return { mode: others.length > 0 ? 'mixed' : mode, secured, instances: instances.length };
}
