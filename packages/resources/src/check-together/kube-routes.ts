import type { KubeGrpcRoute } from '../kinds/gateway/grpc-route.ts';
import type { KubeHttpRoute } from '../kinds/gateway/http-route.ts';
import type { KubeTcpRoute, KubeTlsRoute } from '../kinds/gateway/stream-routes.ts';
import type { Inventory } from './inventory.ts';

/** Any route of the Gateway API. */
export type KubeRoute = KubeHttpRoute | KubeGrpcRoute | KubeTlsRoute | KubeTcpRoute;

export function kubeRoutes(inventory: Inventory): readonly KubeRoute[] {
  return ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'].flatMap((kind) =>
    inventory.list<KubeRoute>(`gateway.networking.k8s.io/${kind}`),
  );
}
