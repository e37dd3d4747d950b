import { type KubeGateway, keyOf } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { labelsOf } from '../state/workload.ts';
import { gatewayNameLabel } from '../to-ir/gateway-api/gateways-of.ts';

/** The addresses of the proxies that serve a Gateway, sorted. */
export function gatewayAddresses(state: MeshState, gateway: KubeGateway): readonly string[] {
  const addresses = state.list('weft.dev/Proxy').flatMap((proxy) => {
    const { role, gateway: place } = proxy.spec;
    const entry = state.workloadEntry(keyOf(proxy));
    const labels = entry === undefined ? {} : labelsOf(entry);
    return role === 'gateway' &&
      proxy.metadata.namespace === gateway.metadata.namespace &&
      labels[gatewayNameLabel] === gateway.metadata.name
      ? [place?.address ?? '127.0.0.1']
      : [];
  });
  return [...new Set(addresses)].sort();
}
