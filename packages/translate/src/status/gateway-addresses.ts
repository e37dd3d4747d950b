import { type KubeGateway, keyOf, type ProxyResource } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { labelsOf } from '../state/workload.ts';
import { gatewayNameLabel } from '../to-ir/gateway-api/gateways-of.ts';
import { gatewayListeners, isOpen } from '../to-ir/gateway-api/listeners.ts';
import { listenPortOf } from '../to-ir/gateway-places.ts';
import { proxiesOf } from './proxies.ts';

/** The proxies that serve a Gateway. */
function servingProxies(state: MeshState, gateway: KubeGateway): readonly ProxyResource[] {
  return proxiesOf(state, gateway.metadata.namespace ?? '').filter((proxy) => {
    const entry = proxy.spec.role === 'gateway' ? state.workloadEntry(keyOf(proxy)) : undefined;
    return entry !== undefined && labelsOf(entry)[gatewayNameLabel] === gateway.metadata.name;
  });
}

/** The addresses of the proxies that serve a Gateway, sorted. */
export function gatewayAddresses(state: MeshState, gateway: KubeGateway): readonly string[] {
  const addresses = servingProxies(state, gateway).map(({ spec }) => spec.gateway?.address ?? '127.0.0.1');
  return [...new Set(addresses)].sort();
}

/** The ports of a Gateway that some proxy opens, as far as they have listeners that can be opened. */
export function servedPorts(state: MeshState, gateway: KubeGateway): ReadonlySet<number> {
  const wanted = gatewayListeners(state, gateway).all.filter(isOpen);
  const ports = [...new Set(wanted.map(({ listener }) => listener.port))];
  return new Set(
    servingProxies(state, gateway).flatMap(({ spec }) =>
      ports.filter((port) => listenPortOf(port, spec.gateway?.ports ?? [], ports) !== undefined),
    ),
  );
}
