export { type KeyPairProblem, keyPairProblem, readKeyPair } from './certificates/key-pair.ts';
export { checkTogether } from './check-together/check-together.ts';
export type { Finding } from './check-together/finding.ts';
export { apiVersionOf, gvkOf, type Immutable } from './declare-kind.ts';
export { describeViolation } from './describe-violation.ts';
export { formatPath, joinPath, type PathSegment, parsePath } from './field-path.ts';
export { isCidr, isIpAddress } from './format/address.ts';
export { parseKibibytes } from './format/byte-size.ts';
export { parseDurationMs } from './format/duration.ts';
export { coversHost, isHostName, isHostPattern } from './format/hosts.ts';
export { grpcStatusNames } from './format/http.ts';
export { isLabelValue, isQualifiedName } from './format/labels.ts';
export { isLabel, isSubdomain } from './format/names.ts';
export { isLinearRegex, matchesWhole, regexProblem } from './format/regex.ts';
export type { KindDeclaration, NameFormat, PrinterColumn } from './kind.ts';
export { type Lease, leaseKind } from './kinds/coordination/lease.ts';
export { type ConfigMap, configMapKind } from './kinds/core/config-map.ts';
export { type Event, eventKind } from './kinds/core/event.ts';
export { type Namespace, namespaceKind, namespaceNameLabel } from './kinds/core/namespace.ts';
export { type Secret, secretKind } from './kinds/core/secret.ts';
export { type Service, type ServicePort, serviceKind } from './kinds/core/service.ts';
export { type ServiceAccount, serviceAccountKind } from './kinds/core/service-account.ts';
export {
  type Endpoint,
  type EndpointSlice,
  endpointSliceKind,
  serviceNameLabel,
} from './kinds/discovery/endpoint-slice.ts';
export { type RecordedEvent, recordedEventKind } from './kinds/events/event.ts';
export { type BackendTlsPolicy, backendTlsPolicyKind } from './kinds/gateway/backend-tls-policy.ts';
export {
  type KubeGateway,
  type KubeGatewaySpec,
  type KubeGatewayStatus,
  type KubeListener,
  type KubeListenerStatus,
  kubeGatewayKind,
} from './kinds/gateway/gateway.ts';
export { type GatewayClass, gatewayClassKind } from './kinds/gateway/gateway-class.ts';
export {
  type KubeGrpcBackendRef,
  type KubeGrpcRoute,
  type KubeGrpcRouteFilter,
  type KubeGrpcRouteMatch,
  type KubeGrpcRouteRule,
  kubeGrpcRouteKind,
} from './kinds/gateway/grpc-route.ts';
export {
  type KubeHttpBackendRef,
  type KubeHttpRoute,
  type KubeHttpRouteFilter,
  type KubeHttpRouteMatch,
  type KubeHttpRouteRule,
  kubeHttpRouteKind,
} from './kinds/gateway/http-route.ts';
export { type ListenerSet, listenerSetKind } from './kinds/gateway/listener-set.ts';
export { type ReferenceGrant, referenceGrantKind } from './kinds/gateway/reference-grant.ts';
export {
  type KubeBackendRef,
  type KubeParentRef,
  type KubeRouteStatus,
  type KubeTcpRoute,
  type KubeTcpRouteRule,
  type KubeTlsRoute,
  kubeTcpRouteKind,
  kubeTlsRouteKind,
} from './kinds/gateway/stream-routes.ts';
export { loadBalancerAnnotation } from './kinds/load-balancer-annotation.ts';
export { clientChecksInVain } from './kinds/networking/client-checks.ts';
export {
  type DestinationRule,
  type DestinationRuleSpec,
  destinationRuleKind,
  type PortTrafficPolicy,
  type Subset,
  type TrafficPolicy,
} from './kinds/networking/destination-rule.ts';
export { mergesInto } from './kinds/networking/destination-rule-merge.ts';
export { concurrencyConfig } from './kinds/networking/effective-proxy-config.ts';
export {
  type IstioGateway,
  type IstioGatewaySpec,
  type IstioServer,
  type IstioServerTls,
  istioGatewayKind,
} from './kinds/networking/istio-gateway.ts';
export { type ProxyConfig, proxyConfigKind } from './kinds/networking/proxy-config.ts';
export { type ServiceEntry, type ServiceEntrySpec, serviceEntryKind } from './kinds/networking/service-entry.ts';
export {
  type Sidecar,
  type SidecarEgress,
  type SidecarIngress,
  type SidecarSpec,
  sidecarKind,
} from './kinds/networking/sidecar.ts';
export {
  type Destination,
  type HttpMatch,
  type HttpRoute,
  type HttpRouteDestination,
  type RouteDestination,
  type StringMatch,
  type TcpMatch,
  type TcpRoute,
  type TlsMatch,
  type TlsRoute,
  type VirtualService,
  type VirtualServiceSpec,
  virtualServiceKind,
} from './kinds/networking/virtual-service.ts';
export { type WorkloadEntry, workloadEntryKind } from './kinds/networking/workload-entry.ts';
export type { WorkloadEntrySpec } from './kinds/networking/workload-entry-validation.ts';
export { type WorkloadGroup, type WorkloadProbe, workloadGroupKind } from './kinds/networking/workload-group.ts';
export {
  type ClusterRole,
  type ClusterRoleBinding,
  clusterRoleBindingKind,
  clusterRoleKind,
  type Role,
  type RoleBinding,
  roleBindingKind,
  roleKind,
} from './kinds/rbac/roles.ts';
export {
  type MutualTlsMode,
  type PeerAuthentication,
  type PeerAuthenticationSpec,
  peerAuthenticationKind,
} from './kinds/security/peer-authentication.ts';
export {
  type EndpointHealthCheck,
  type EndpointPolicy,
  type EndpointPolicySpec,
  endpointPolicyKind,
} from './kinds/weft/endpoint-policy.ts';
export { statusRange } from './kinds/weft/endpoint-policy-validation.ts';
export {
  type ProxyInbound,
  type ProxyResource,
  type ProxySpec,
  type ProxyStatus,
  type ProxySync,
  type ProxyUpstream,
  proxyKind,
} from './kinds/weft/proxy.ts';
export { type RouteActionPolicy, routeActionPolicyKind } from './kinds/weft/route-action-policy.ts';
export {
  documentSizeMaxBytes,
  type ManifestObject,
  type ManifestOptions,
  manifestSizeMaxBytes,
  type ParsedManifest,
  parseManifest,
} from './manifest/parse-manifest.ts';
export type { SourcePosition } from './manifest/source-positions.ts';
export type {
  Condition,
  GroupVersionKind,
  KubeObject,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
} from './object.ts';
export { type OpenApiSchema, openApiSchema } from './openapi/open-api-schema.ts';
export { gvk, kindFor, kindForResource, kinds } from './registry.ts';
export type {
  DeletePreconditions,
  ListOptions,
  ListResult,
  ResourceClient,
  WatchEvent,
  WatchHandlers,
} from './resource-client.ts';
export {
  deprecationOf,
  parseApiVersion,
  type Validated,
  type ValidateOptions,
  validateChange,
  validateObject,
  warningsFor,
} from './validate-object.ts';
export type { Violation, ViolationCode } from './violation.ts';
