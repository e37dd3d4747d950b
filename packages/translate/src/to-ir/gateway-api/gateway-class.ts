import type { KubeGateway } from '../../kinds.ts';
import type { MeshState } from '../../state/mesh-state.ts';

/** What a GatewayClass must name for us to act upon its Gateways. */
export const controllerName = 'weft.dev/gateway-controller';

/** The class that is there without anybody writing it down, so that a Gateway works on an empty mesh. */
const builtInClass = 'weft';

/** Whether a Gateway is of a class of ours. */
export function isOurs(state: MeshState, gateway: KubeGateway): boolean {
  const name = gateway.spec.gatewayClassName;
  const declared = state.object('gateway.networking.k8s.io/GatewayClass', `/${name}`);
  return declared === undefined ? name === builtInClass : declared.spec.controllerName === controllerName;
}
