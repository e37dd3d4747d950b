import { byAge, type KubeGateway } from '../../kinds.ts';
import type { MeshState } from '../../state/mesh-state.ts';
import { isOurs, parametersProblem } from './gateway-class.ts';

/** Label of workloads by which a Gateway of Gateway API finds its proxies, in its own namespace. */
export const gatewayNameLabel = 'gateway.networking.k8s.io/gateway-name';

/** The Gateways that a proxy with these labels serves, the oldest first. */
export function gatewaysOf(
  state: MeshState,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): readonly KubeGateway[] {
  const name = labels[gatewayNameLabel];
  const gateway =
    name === undefined ? undefined : state.object('gateway.networking.k8s.io/Gateway', `${namespace}/${name}`);
  return gateway === undefined || !isOurs(state, gateway) || parametersProblem(state, gateway) !== undefined
    ? []
    : [gateway].sort(byAge);
}
