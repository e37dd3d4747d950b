/** The kinds that translation reads, and how its parts call pieces of them. */
import type {
  BackendTlsPolicy,
  ConfigMap,
  Destination,
  DestinationRule,
  EndpointPolicy,
  EndpointSlice,
  GatewayClass,
  HttpMatch,
  HttpRoute,
  HttpRouteDestination,
  IstioGateway,
  KubeGateway,
  KubeGrpcRoute,
  KubeHttpRoute,
  KubeObject,
  KubeTcpRoute,
  KubeTlsRoute,
  ListenerSet,
  Namespace,
  PeerAuthentication,
  PortTrafficPolicy,
  ProxyConfig,
  ProxyInbound,
  ProxyResource,
  ProxyUpstream,
  ReferenceGrant,
  RouteActionPolicy,
  RouteDestination,
  Secret,
  Service,
  ServiceEntry,
  Sidecar,
  StringMatch,
  TcpMatch,
  TcpRoute,
  TlsRoute,
  TrafficPolicy,
  VirtualService,
  WorkloadEntry,
  WorkloadEntrySpec,
  WorkloadGroup,
} from '@weft/resources';

export type {
  BackendTlsPolicy,
  DestinationRule,
  EndpointPolicy,
  EndpointSlice,
  GatewayClass,
  IstioGateway,
  KubeGateway,
  KubeGrpcRoute,
  KubeHttpRoute,
  KubeTcpRoute,
  KubeTlsRoute,
  ListenerSet,
  PeerAuthentication,
  ProxyConfig,
  ProxyInbound,
  ProxyResource,
  ProxyUpstream,
  ReferenceGrant,
  RouteActionPolicy,
  Secret,
  Service,
  ServiceEntry,
  Sidecar,
  VirtualService,
  WorkloadEntry,
};
export type Labels = Readonly<Record<string, string>>;
export type WorkloadSpec = WorkloadEntrySpec;
export type StringMatchSpec = StringMatch;
export type DestinationSpec = Destination;
export type HttpMatchSpec = HttpMatch;
export type HttpRouteSpec = HttpRoute;
export type HttpDestinationSpec = HttpRouteDestination;
export type HeadersSpec = NonNullable<HttpRoute['headers']>;
export type HeaderOperationsSpec = NonNullable<HeadersSpec['request']>;
export type RedirectSpec = NonNullable<HttpRoute['redirect']>;
export type RouteDestinationSpec = RouteDestination;
export type TcpRouteSpec = TcpRoute;
export type TcpMatchSpec = TcpMatch;
export type TlsRouteSpec = TlsRoute;
export type TrafficPolicySpec = TrafficPolicy;
export type ServiceEntryPort = NonNullable<ServiceEntry['spec']['ports']>[number];

/** What a match says about where a request comes from; the same for HTTP and TCP. */
export type SourceMatchSpec = Pick<TcpMatch, 'port' | 'sourceLabels' | 'sourceNamespace' | 'gateways'>;

/** What is acted upon of a policy for one port. */
export type PolicySpec = Pick<PortTrafficPolicy, 'loadBalancer' | 'connectionPool' | 'outlierDetection' | 'tls'>;

/** Kinds that translation acts upon, by group and kind. */
export interface MeshKinds {
  readonly '/ConfigMap': ConfigMap;
  readonly '/Namespace': Namespace;
  readonly '/Secret': Secret;
  readonly '/Service': Service;
  readonly 'discovery.k8s.io/EndpointSlice': EndpointSlice;
  readonly 'gateway.networking.k8s.io/BackendTLSPolicy': BackendTlsPolicy;
  readonly 'gateway.networking.k8s.io/Gateway': KubeGateway;
  readonly 'gateway.networking.k8s.io/GatewayClass': GatewayClass;
  readonly 'gateway.networking.k8s.io/GRPCRoute': KubeGrpcRoute;
  readonly 'gateway.networking.k8s.io/HTTPRoute': KubeHttpRoute;
  readonly 'gateway.networking.k8s.io/ListenerSet': ListenerSet;
  readonly 'gateway.networking.k8s.io/ReferenceGrant': ReferenceGrant;
  readonly 'gateway.networking.k8s.io/TCPRoute': KubeTcpRoute;
  readonly 'gateway.networking.k8s.io/TLSRoute': KubeTlsRoute;
  readonly 'networking.istio.io/Gateway': IstioGateway;
  readonly 'networking.istio.io/ProxyConfig': ProxyConfig;
  readonly 'networking.istio.io/Sidecar': Sidecar;
  readonly 'networking.istio.io/WorkloadEntry': WorkloadEntry;
  readonly 'networking.istio.io/WorkloadGroup': WorkloadGroup;
  readonly 'networking.istio.io/ServiceEntry': ServiceEntry;
  readonly 'networking.istio.io/VirtualService': VirtualService;
  readonly 'networking.istio.io/DestinationRule': DestinationRule;
  readonly 'security.istio.io/PeerAuthentication': PeerAuthentication;
  readonly 'weft.dev/EndpointPolicy': EndpointPolicy;
  readonly 'weft.dev/Proxy': ProxyResource;
  readonly 'weft.dev/RouteActionPolicy': RouteActionPolicy;
}

export type MeshKindName = keyof MeshKinds;

/** `group/kind` of an object, whatever its version. */
export function kindNameOf(object: KubeObject): string {
  const slash = object.apiVersion.indexOf('/');
  return `${slash < 0 ? '' : object.apiVersion.slice(0, slash)}/${object.kind}`;
}

/** `namespace/name`; for Proxy objects this is the proxy key, and the key of its WorkloadEntry. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** Sorts the oldest first; of equal age, by namespace and name. */
export function byAge(a: KubeObject, b: KubeObject): number {
  return (
    compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
    compareText(keyOf(a), keyOf(b))
  );
}

/** Order of code units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export const mesh = 'mesh';
