import type { KubeGrpcRoute } from '../kinds/gateway/grpc-route.ts';
import type { KubeTcpRoute, KubeTlsRoute } from '../kinds/gateway/stream-routes.ts';
import type { VirtualService } from '../kinds/networking/virtual-service.ts';
import type { Place } from '../place.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

/** Weights are shares of their sum, which those who write percentages may not expect; what has none gets nothing. */
export function checkWeights(inventory: Inventory, findings: Findings): void {
  for (const object of inventory.list<VirtualService>('networking.istio.io/VirtualService')) {
    for (const kind of ['http', 'tls', 'tcp'] as const) {
      for (const [index, { route }] of (object.spec?.[kind] ?? []).entries()) {
        checkShares(findings.of(object).at('spec', kind, index, 'route'), route ?? []);
      }
    }
  }
  const routes = ['GRPCRoute', 'TLSRoute', 'TCPRoute'].flatMap((kind) =>
    inventory.list<KubeGrpcRoute | KubeTlsRoute | KubeTcpRoute>(`gateway.networking.k8s.io/${kind}`),
  );
  for (const object of routes) {
    for (const [index, { backendRefs = [] }] of (object.spec.rules ?? []).entries()) {
      if (backendRefs.length > 0 && backendRefs.every(({ weight = 1 }) => weight === 0)) {
        findings
          .of(object)
          .at('spec', 'rules', index, 'backendRefs')
          .conflict('every weight is 0: the rule leads nowhere', 'Give a backend a weight.');
      }
    }
  }
}

function checkShares(place: Place, route: readonly { readonly weight?: number | undefined }[]): void {
  const sum = route.reduce((total, { weight = 0 }) => total + weight, 0);
  if (route.length < 2 || sum === 0) {
    return;
  }
  if (sum !== 100) {
    place.invalid(
      sum,
      `the weights are shares of their sum, which is not 100: the first gets ${Math.round(((route[0]?.weight ?? 0) / sum) * 1000) / 10} %`,
      'Use percentages that sum up to 100, if that is what is meant.',
    );
  }
  for (const [index, { weight }] of route.entries()) {
    if (weight === undefined) {
      place.at(index).required('without a weight beside others that have one it gets nothing', 'Add a weight.');
    }
  }
}
