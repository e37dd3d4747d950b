import { gvkOf } from './declare-kind.ts';
import type { KindDeclaration } from './kind.ts';
import { leaseKind } from './kinds/coordination/lease.ts';
import { configMapKind } from './kinds/core/config-map.ts';
import { eventKind } from './kinds/core/event.ts';
import { namespaceKind } from './kinds/core/namespace.ts';
import { secretKind } from './kinds/core/secret.ts';
import { serviceKind } from './kinds/core/service.ts';
import { serviceAccountKind } from './kinds/core/service-account.ts';
import { endpointSliceKind } from './kinds/discovery/endpoint-slice.ts';
import { recordedEventKind } from './kinds/events/event.ts';
import { backendTlsPolicyKind } from './kinds/gateway/backend-tls-policy.ts';
import { kubeGatewayKind } from './kinds/gateway/gateway.ts';
import { gatewayClassKind } from './kinds/gateway/gateway-class.ts';
import { kubeGrpcRouteKind } from './kinds/gateway/grpc-route.ts';
import { kubeHttpRouteKind } from './kinds/gateway/http-route.ts';
import { listenerSetKind } from './kinds/gateway/listener-set.ts';
import { referenceGrantKind } from './kinds/gateway/reference-grant.ts';
import { kubeTcpRouteKind, kubeTlsRouteKind } from './kinds/gateway/stream-routes.ts';
import { destinationRuleKind } from './kinds/networking/destination-rule.ts';
import { istioGatewayKind } from './kinds/networking/istio-gateway.ts';
import { proxyConfigKind } from './kinds/networking/proxy-config.ts';
import { serviceEntryKind } from './kinds/networking/service-entry.ts';
import { sidecarKind } from './kinds/networking/sidecar.ts';
import { virtualServiceKind } from './kinds/networking/virtual-service.ts';
import { workloadEntryKind } from './kinds/networking/workload-entry.ts';
import { workloadGroupKind } from './kinds/networking/workload-group.ts';
import { clusterRoleBindingKind, clusterRoleKind, roleBindingKind, roleKind } from './kinds/rbac/roles.ts';
import { peerAuthenticationKind } from './kinds/security/peer-authentication.ts';
import { endpointPolicyKind } from './kinds/weft/endpoint-policy.ts';
import { proxyKind } from './kinds/weft/proxy.ts';
import { routeActionPolicyKind } from './kinds/weft/route-action-policy.ts';

/** Every kind of the resource API. */
export const kinds: readonly KindDeclaration[] = [
  namespaceKind,
  serviceKind,
  serviceAccountKind,
  secretKind,
  configMapKind,
  eventKind,
  recordedEventKind,
  endpointSliceKind,
  leaseKind,
  roleKind,
  roleBindingKind,
  clusterRoleKind,
  clusterRoleBindingKind,
  // Before Istio's kinds: `gateways` without a group is the Gateway API's, as in a cluster that has both.
  gatewayClassKind,
  kubeGatewayKind,
  listenerSetKind,
  kubeHttpRouteKind,
  kubeGrpcRouteKind,
  kubeTlsRouteKind,
  kubeTcpRouteKind,
  referenceGrantKind,
  backendTlsPolicyKind,
  serviceEntryKind,
  workloadEntryKind,
  workloadGroupKind,
  virtualServiceKind,
  destinationRuleKind,
  istioGatewayKind,
  sidecarKind,
  proxyConfigKind,
  peerAuthenticationKind,
  endpointPolicyKind,
  proxyKind,
  routeActionPolicyKind,
];

/** Group, preferred version and kind of each kind. */
export const gvk = {
  namespace: gvkOf(namespaceKind),
  service: gvkOf(serviceKind),
  serviceAccount: gvkOf(serviceAccountKind),
  secret: gvkOf(secretKind),
  configMap: gvkOf(configMapKind),
  event: gvkOf(eventKind),
  recordedEvent: gvkOf(recordedEventKind),
  endpointSlice: gvkOf(endpointSliceKind),
  lease: gvkOf(leaseKind),
  role: gvkOf(roleKind),
  roleBinding: gvkOf(roleBindingKind),
  clusterRole: gvkOf(clusterRoleKind),
  clusterRoleBinding: gvkOf(clusterRoleBindingKind),
  serviceEntry: gvkOf(serviceEntryKind),
  workloadEntry: gvkOf(workloadEntryKind),
  workloadGroup: gvkOf(workloadGroupKind),
  virtualService: gvkOf(virtualServiceKind),
  destinationRule: gvkOf(destinationRuleKind),
  istioGateway: gvkOf(istioGatewayKind),
  sidecar: gvkOf(sidecarKind),
  proxyConfig: gvkOf(proxyConfigKind),
  peerAuthentication: gvkOf(peerAuthenticationKind),
  gatewayClass: gvkOf(gatewayClassKind),
  kubeGateway: gvkOf(kubeGatewayKind),
  listenerSet: gvkOf(listenerSetKind),
  kubeHttpRoute: gvkOf(kubeHttpRouteKind),
  kubeGrpcRoute: gvkOf(kubeGrpcRouteKind),
  kubeTlsRoute: gvkOf(kubeTlsRouteKind),
  kubeTcpRoute: gvkOf(kubeTcpRouteKind),
  referenceGrant: gvkOf(referenceGrantKind),
  backendTlsPolicy: gvkOf(backendTlsPolicyKind),
  endpointPolicy: gvkOf(endpointPolicyKind),
  proxy: gvkOf(proxyKind),
  routeActionPolicy: gvkOf(routeActionPolicyKind),
} as const;

function indexBy(name: 'kind' | 'plural'): ReadonlyMap<string, KindDeclaration> {
  return new Map(
    kinds.flatMap((kind) => kind.versions.map((version) => [`${kind.group}/${version}/${kind[name]}`, kind] as const)),
  );
}

const byKind = indexBy('kind');
const byPlural = indexBy('plural');

/** The declaration of a kind, if it is served in that group (empty for core) and version. */
export function kindFor(group: string, version: string, kind: string): KindDeclaration | undefined {
  return byKind.get(`${group}/${version}/${kind}`);
}

/** The declaration by the name that URLs use. */
export function kindForResource(group: string, version: string, plural: string): KindDeclaration | undefined {
  return byPlural.get(`${group}/${version}/${plural}`);
}
