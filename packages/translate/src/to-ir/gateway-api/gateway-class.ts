import type { GatewayClass, KubeGateway } from '../../kinds.ts';
import type { MeshState } from '../../state/mesh-state.ts';

/** What a GatewayClass must name for us to act upon its Gateways. */
export const controllerName = 'weft.dev/gateway-controller';

/** The class that is there without anybody writing it down, so that a Gateway works on an empty mesh. */
const builtInClass = 'weft';

/** Whether a Gateway is of a class of ours. */
export function isOurs(state: MeshState, gateway: KubeGateway): boolean {
  const declared = classOf(state, gateway);
  return declared === undefined
    ? gateway.spec.gatewayClassName === builtInClass
    : declared.spec.controllerName === controllerName;
}

function classOf(state: MeshState, gateway: KubeGateway): GatewayClass | undefined {
  return state.object('gateway.networking.k8s.io/GatewayClass', `/${gateway.spec.gatewayClassName}`);
}

/** Why what a class refers to for parameters cannot be acted upon; undefined: it refers to nothing. */
export function classParametersProblem({ spec }: GatewayClass): string | undefined {
  return spec.parametersRef === undefined ? undefined : noParameters('spec.parametersRef', spec.parametersRef.kind);
}

/** The same of a Gateway, and of its class. Such a Gateway is not served: nobody knows how it was to be. */
export function parametersProblem(state: MeshState, gateway: KubeGateway): string | undefined {
  const own = gateway.spec.infrastructure?.parametersRef;
  const declared = own === undefined ? classOf(state, gateway) : undefined;
  const ofClass = declared === undefined ? undefined : classParametersProblem(declared);
  return own === undefined
    ? ofClass && `GatewayClass ${gateway.spec.gatewayClassName}: ${ofClass}`
    : noParameters('spec.infrastructure.parametersRef', own.kind);
}

function noParameters(field: string, kind: string): string {
  return `${field} names a ${kind}, and Weft has no kind of parameters: flags of weft gateway say how it runs`;
}
