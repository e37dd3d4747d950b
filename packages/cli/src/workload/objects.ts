import type { KubeObject, OwnerReference, ProxyResource, ProxySpec, Service, WorkloadEntry } from '@weft/resources';
import type { Protocol } from './flags.ts';
import type { ServedPort, WorkloadPorts, WorkloadSpec } from './workload-spec.ts';

/** Field manager of everything that `weft run` applies. */
export const fieldManager = 'weft-run';

/** What `weft run` makes for the time that a workload runs; the control plane removes what has it and was left behind. */
export const managedByRun: Readonly<Record<string, string>> = { 'weft.dev/managed-by': 'weft-run' };

/** Labels that selectors of services choose by. */
export function workloadLabels(spec: WorkloadSpec): Record<string, string> {
  return {
    ...spec.group?.template.labels,
    ...(spec.service === undefined ? { app: spec.name } : { app: spec.service }),
    ...(spec.version === undefined ? {} : { version: spec.version }),
    ...spec.gateway?.labels,
  };
}

export function namespaceObject(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/**
 * An account that lives as long as a Proxy that uses it: the API's garbage collection removes it after the last of its owners.
 * @param owners each Proxy adds itself.
 */
export function serviceAccountObject(spec: WorkloadSpec, owners: readonly OwnerReference[]): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      namespace: spec.namespace,
      name: spec.serviceAccount,
      labels: { ...(spec.gateway === undefined ? {} : spec.labels), ...managedByRun },
      ...annotationsOf(spec.annotations),
      ownerReferences: owners,
    },
  };
}

export function ownerOf({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' };
}

function annotationsOf(...parts: readonly (Readonly<Record<string, string>> | undefined)[]): {
  readonly annotations?: Readonly<Record<string, string>>;
} {
  const annotations = Object.assign({}, ...parts) as Record<string, string>;
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

/** A Service for a workload that has none yet. */
export function serviceObject(spec: WorkloadSpec, service: string, served: ServedPort): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: spec.namespace, name: service, labels: { ...spec.labels } },
    spec: {
      selector: { app: service },
      ports: [
        {
          name: served.name,
          port: served.port,
          protocol: 'TCP',
          ...(served.protocol === 'auto' ? {} : { appProtocol: served.protocol }),
        },
      ],
    },
  };
}

export function workloadEntryObject(
  spec: WorkloadSpec,
  ports: WorkloadPorts,
  served: ServedPort | undefined,
): WorkloadEntry {
  const { locality, weight } = spec.group?.template ?? {};
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadEntry',
    metadata: {
      namespace: spec.namespace,
      name: spec.name,
      labels: { ...spec.group?.metadata?.labels, ...spec.labels, ...workloadLabels(spec), ...managedByRun },
      ...annotationsOf(spec.group?.metadata?.annotations, spec.annotations),
    },
    spec: {
      address: spec.gateway?.address ?? '127.0.0.1',
      ...(locality === undefined ? {} : { locality }),
      ...(weight === undefined ? {} : { weight }),
      ...(served === undefined || ports.inbound === undefined ? {} : { ports: { [served.name]: ports.inbound } }),
      labels: workloadLabels(spec),
      serviceAccount: spec.serviceAccount,
    },
  };
}

/** @param draining true until the command listens, and again when it is about to leave: peers send it nothing then. */
export function proxyObject(
  spec: WorkloadSpec,
  ports: WorkloadPorts,
  served: ServedPort | undefined,
  draining: boolean,
): ProxyResource {
  return {
    apiVersion: 'weft.dev/v1alpha1',
    kind: 'Proxy',
    metadata: {
      namespace: spec.namespace,
      name: spec.name,
      labels: { ...spec.labels, ...workloadLabels(spec), ...managedByRun },
      ...annotationsOf(spec.annotations),
    },
    spec: {
      engine: spec.engine,
      serviceAccount: spec.serviceAccount,
      ...listeningFields(spec, ports),
      ...(spec.unixSockets === undefined ? {} : { unixSockets: spec.unixSockets }),
      inbound:
        served === undefined || ports.inbound === undefined || ports.app === undefined
          ? []
          : [
              {
                name: served.name,
                protocol: served.protocol,
                port: ports.inbound,
                ...(spec.port.socket === undefined ? {} : { appAddress: `unix://${spec.port.socket}` }),
                appPort: ports.app,
              },
            ],
      upstreams: ports.upstreams.map((upstream) => ({
        host: upstream.host,
        port: upstream.port,
        listenPort: upstream.localPort,
      })),
      draining,
    },
  };
}

/** What the proxy opens besides the port of the service; nothing where there is none. */
function listeningFields({ engine, gateway }: WorkloadSpec, { httpProxy }: WorkloadPorts): Partial<ProxySpec> {
  if (gateway !== undefined) {
    return { role: 'gateway', gateway: { address: gateway.address, ports: gateway.ports } };
  }
  return engine === 'grpc' ? {} : { httpProxy: { port: httpProxy } };
}

/**
 * What a port of a Service is said to speak: its `appProtocol`, else its name up to the first dash. `auto` for whatever this command
 * does not know: then the control plane goes by the Service, and the proxy by what comes.
 */
export function protocolOfPort(port: {
  readonly name?: string | undefined;
  readonly appProtocol?: string | undefined;
}): Protocol {
  const said = (port.appProtocol ?? port.name ?? '').toLowerCase();
  const prefix = said.startsWith('grpc-web') ? 'grpc-web' : (said.split('-')[0] ?? '');
  return known[said] ?? known[prefix] ?? 'auto';
}

const known: Readonly<Record<string, Protocol>> = {
  http: 'http',
  http2: 'http2',
  grpc: 'grpc',
  'grpc-web': 'grpc-web',
  'kubernetes.io/h2c': 'http2',
  tcp: 'tcp',
};
