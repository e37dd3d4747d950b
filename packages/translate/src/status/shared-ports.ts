import { type IstioGateway, type KubeGateway, keyOf, type ProxyResource } from '../kinds.ts';
import { selects } from '../match.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { gatewaysOf } from '../to-ir/gateway-api/gateways-of.ts';
import { gatewayListeners, isOpen } from '../to-ir/gateway-api/listeners.ts';
import { listenPortOf } from '../to-ir/gateway-places.ts';
import { clientOf } from '../to-ir/workload-ir.ts';
import { gatewayProxies } from './proxies.ts';

/** The Gateway of Gateway API that has a port of a proxy for which a Gateway of Istio is, too: it goes first there (`workloadIr`). */
export function kubeGatewayWithPort(state: MeshState, gateway: IstioGateway, port: number): KubeGateway | undefined {
  for (const proxy of gatewayProxies(state)) {
    const { namespace, labels } = clientOf(state, keyOf(proxy));
    if (selects(gateway.spec?.selector, labels)) {
      const found = gatewaysOf(state, namespace, labels).find((kube) =>
        gatewayListeners(state, kube).all.some((effective) => effective.listener.port === port && isOpen(effective)),
      );
      if (found !== undefined) {
        return found;
      }
    }
  }
  return undefined;
}

/**
 * A proxy of a Gateway of Istio that listens on the number of this port for another port; undefined: they all open it, or there are none.
 * @param opened the ports of all Gateways of Istio for these proxies.
 */
export function proxyWithoutPort(
  state: MeshState,
  gateway: IstioGateway,
  port: number,
  opened: readonly number[],
): { readonly proxy: ProxyResource; readonly other: number } | undefined {
  for (const proxy of gatewayProxies(state)) {
    const mapped = proxy.spec.gateway?.ports ?? [];
    const other = mapped.find((entry) => entry.listenPort === port && opened.includes(entry.port));
    if (
      other !== undefined &&
      listenPortOf(port, mapped, opened) === undefined &&
      selects(gateway.spec?.selector, clientOf(state, keyOf(proxy)).labels)
    ) {
      return { proxy, other: other.port };
    }
  }
  return undefined;
}
