import { type KubeGateway, keyOf } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { labelsOf } from '../state/workload.ts';
import { gatewayNameLabel } from '../to-ir/gateway-api/gateways-of.ts';
import { proxiesOf } from './proxies.ts';

/** The addresses of the proxies that serve a Gateway, sorted. */
export function gatewayAddresses(state: MeshState, gateway: KubeGateway): readonly string[] {
  const addresses = proxiesOf(state, gateway.metadata.namespace ?? '').flatMap((proxy) => {
    const { role, gateway: place } = proxy.spec;
    const entry = role === 'gateway' ? state.workloadEntry(keyOf(proxy)) : undefined;
    return entry !== undefined && labelsOf(entry)[gatewayNameLabel] === gateway.metadata.name
      ? [place?.address ?? '127.0.0.1']
      : [];
  });
  return [...new Set(addresses)].sort();
}
