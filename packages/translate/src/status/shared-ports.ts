import { type IstioGateway, type KubeGateway, keyOf } from '../kinds.ts';
import { selects } from '../match.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { gatewaysOf } from '../to-ir/gateway-api/gateways-of.ts';
import { gatewayListeners, isOpen } from '../to-ir/gateway-api/listeners.ts';
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
