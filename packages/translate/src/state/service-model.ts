import { isIP } from 'node:net';
import type { OriginRef } from '@weft/ir';
import { loadBalancerAnnotation } from '@weft/resources';
import type {
  DestinationSpec,
  Labels,
  Service,
  ServiceEntry,
  ServiceEntryPort,
  Sidecar,
  WorkloadSpec,
} from '../kinds.ts';
import { serviceHost } from '../names.ts';
import { originOf } from '../origin.ts';
import { carriesHttp, type DeclaredProtocol, protocolOfPort } from '../protocol.ts';
import { isReachableUnixAddress } from '../unix-address.ts';

/** A service as routing sees it, whether a Service or a host of a ServiceEntry declares it. Made once for each version of the object. */
export interface ServiceModel {
  readonly host: string;
  readonly name: string;
  readonly namespace: string;
  readonly ports: readonly ServicePortModel[];
  /** Key of {@link ServiceModel.object} in the index: all hosts of one object share its endpoints. */
  readonly objectKey: string;
  /** What declares it; the Sidecar that allows a host that only DNS knows. */
  readonly object: Service | ServiceEntry | Sidecar;
  readonly discovery: 'endpoints' | 'dns' | 'none';
  /** Of the addresses that DNS has only one is used at a time (`DNS_ROUND_ROBIN`). */
  readonly firstAddressOnly: boolean;
  /** How callers choose an endpoint unless a policy says it: by their address, or by peak EWMA. undefined = as the mesh does. */
  readonly prefers: 'source-ip' | 'peak-ewma' | undefined;
  /** Endpoints of the client's zone, then of its region come first, unless a policy says how to choose. */
  readonly nearFirst: boolean;
  /** Another name that it stands for. */
  readonly alias: string | undefined;
  /** What is sent to it goes there instead: a gateway, named in the namespace of {@link ServiceModel.object}. Absent = to itself. */
  readonly through?: DestinationSpec;
  /** Others than the mesh's own workloads serve it. */
  readonly external: boolean;
  /** WorkloadEntries with these labels in the same namespace serve it; undefined = none are selected. */
  readonly selector: Labels | undefined;
  /** Endpoints written into the object itself. */
  readonly inlineEndpoints: readonly WorkloadSpec[];
  readonly subjectAltNames: readonly string[];
  readonly exportTo: readonly string[] | undefined;
  readonly origin: OriginRef;
}

export interface ServicePortModel {
  readonly name: string;
  readonly number: number;
  readonly protocol: DeclaredProtocol;
  /** Whether the object says it; a well-known number does not count. */
  readonly declared: boolean;
  /** Of the endpoint, where the endpoint does not say otherwise; a name refers to the endpoint's own ports. */
  readonly targetPort: number | string;
}

/** Other values are refused where they are written. */
export function asksForPeakEwma({ metadata }: Service | ServiceEntry): 'peak-ewma' | undefined {
  return metadata.annotations?.[loadBalancerAnnotation] === 'peak-ewma' ? 'peak-ewma' : undefined;
}

/** Ports of an ExternalName service that names none: what is mostly behind a host. */
const externalNamePorts = [
  { name: 'http', port: 80 },
  { name: 'https', port: 443 },
] as const;

/** The models of a Service; one of type ExternalName is looked up in DNS, unless its name is a service of the mesh. */
export function modelsOfService(service: Service, objectKey: string, clusterDomain: string): readonly ServiceModel[] {
  const { name, namespace = '' } = service.metadata;
  const spec = service.spec ?? {};
  const alias = spec.type === 'ExternalName' ? spec.externalName?.toLowerCase() : undefined;
  const written = spec.ports ?? [];
  const ports: typeof written = alias !== undefined && written.length === 0 ? externalNamePorts : written;
  const selector = spec.selector !== undefined && Object.keys(spec.selector).length > 0 ? spec.selector : undefined;
  return [
    {
      host: serviceHost(name, namespace, clusterDomain),
      name,
      namespace,
      ports: ports.map((port) => ({
        name: port.name ?? '',
        number: port.port,
        protocol: protocolOfPort(port.appProtocol, port.name, port.protocol, port.port),
        declared: protocolOfPort(port.appProtocol, port.name, port.protocol, undefined) !== 'auto',
        targetPort: port.targetPort ?? port.port,
      })),
      objectKey,
      object: service,
      discovery: alias === undefined ? 'endpoints' : 'dns',
      firstAddressOnly: alias !== undefined,
      prefers: spec.sessionAffinity === 'ClientIP' ? 'source-ip' : asksForPeakEwma(service),
      nearFirst: ['PreferClose', 'PreferSameZone'].includes(spec.trafficDistribution ?? ''),
      external: alias !== undefined,
      alias,
      selector: alias === undefined ? selector : undefined,
      inlineEndpoints: alias === undefined ? [] : [{ address: alias }],
      subjectAltNames: [],
      exportTo: undefined,
      origin: originOf(service),
    },
  ];
}

const discoveries: Readonly<Record<string, ServiceModel['discovery']>> = {
  STATIC: 'endpoints',
  DNS: 'dns',
  DNS_ROUND_ROBIN: 'dns',
  // The address that the client meant is not known, as nothing is intercepted: its host is looked up instead.
  NONE: 'dns',
  DYNAMIC_DNS: 'dns',
};

/** Addresses that clients of a ServiceEntry without resolution connect to: single ones, where it gives them. */
export function connectedAddresses({ spec }: ServiceEntry): readonly string[] {
  const addresses = spec.addresses ?? [];
  return (spec.resolution ?? 'NONE') === 'NONE' && addresses.every((address) => isIP(address) !== 0) ? addresses : [];
}

/** `protocol` is required there, and says what `appProtocol` says of a Service. */
export function protocolOfEntryPort(port: ServiceEntryPort): DeclaredProtocol {
  return protocolOfPort(port.protocol, port.name, port.protocol === 'UDP' ? 'UDP' : 'TCP', port.number);
}

/** The models of a ServiceEntry, one for each host. */
export function modelsOfServiceEntry(entry: ServiceEntry, objectKey: string): readonly ServiceModel[] {
  const { spec } = entry;
  const connected = connectedAddresses(entry).map((address) => ({ address }));
  const discovery = connected.length > 0 ? 'endpoints' : (discoveries[spec.resolution ?? 'NONE'] ?? 'none');
  const ports = (spec.ports ?? []).map((port) => ({
    name: port.name ?? '',
    number: port.number,
    protocol: protocolOfEntryPort(port),
    declared: true,
    targetPort: port.targetPort ?? port.number,
  }));
  return spec.hosts.map((host) => ({
    host: host.toLowerCase(),
    name: host.toLowerCase(),
    namespace: entry.metadata.namespace ?? '',
    ports,
    objectKey,
    object: entry,
    discovery,
    firstAddressOnly: spec.resolution === 'DNS_ROUND_ROBIN',
    prefers: asksForPeakEwma(entry),
    nearFirst: false,
    alias: undefined,
    external: spec.location !== 'MESH_INTERNAL',
    selector: spec.workloadSelector === undefined ? undefined : (spec.workloadSelector.labels ?? {}),
    // Without endpoints of its own, a ServiceEntry resolved by DNS is served by its host name; a wildcard by what was asked for.
    inlineEndpoints:
      spec.endpoints !== undefined && spec.endpoints.length > 0
        ? spec.endpoints
        : connected.length > 0
          ? connected
          : discovery === 'dns' && spec.workloadSelector === undefined && !host.startsWith('*')
            ? [{ address: host }]
            : [],
    subjectAltNames: spec.subjectAltNames ?? [],
    exportTo: spec.exportTo,
    origin: originOf(entry),
  }));
}

/** The service that one host below a wildcard is, which is looked up by its own name; the same model for others. */
export function concreteService(model: ServiceModel, host: string): ServiceModel {
  const isOpen =
    model.discovery === 'dns' &&
    model.host.startsWith('*') &&
    model.inlineEndpoints.length === 0 &&
    !host.startsWith('*');
  return isOpen && model.selector === undefined
    ? { ...model, host, name: host, inlineEndpoints: [{ address: host }] }
    : model;
}

/** The port of `model` with this number, unless it is one that is not carried. */
export function portOf(model: ServiceModel, number: number): ServicePortModel | undefined {
  return model.ports.find((port) => port.number === number && port.protocol !== 'udp');
}

/** The port that a host without a port means: 80 (HTTP's), else the first of HTTP, else the first that is carried. @param mayReach others are passed over. */
export function defaultPortOf(
  model: ServiceModel,
  mayReach: (port: ServicePortModel) => boolean = () => true,
): ServicePortModel | undefined {
  const ports = model.ports.filter((port) => port.protocol !== 'udp' && mayReach(port));
  return (
    ports.find(({ number }) => number === 80) ??
    ports.find((port) => carriesHttp(port.protocol) && port.protocol !== 'auto') ??
    ports[0]
  );
}

/** Whether an address may stand in an endpoint of EDS: an IP address or a Unix socket. Envoy refuses names there. */
export function isEndpointAddress(address: string): boolean {
  return isIP(address) !== 0 || isReachableUnixAddress(address);
}
