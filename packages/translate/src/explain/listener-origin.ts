import type { GatewayChain, GatewayListener } from '@weft/ir';
import type { MeshState } from '../state/mesh-state.ts';
import { gatewayListeners, listenerLabel } from '../to-ir/gateway-api/listeners.ts';
import { serverLabel } from '../to-ir/istio-gateway.ts';
import { originText, refTexts } from './effective.ts';

/**
 * Where the listeners stand that a socket of a gateway was made of.
 * @param chain those of one chain alone, where it has one of its own; undefined: all.
 */
export function listenerOrigin(
  state: MeshState,
  { origins, port }: GatewayListener,
  chain: GatewayChain | undefined,
): string {
  const gateways = origins.filter(({ kind }) => kind === 'Gateway');
  const all = gateways
    .flatMap(({ group, namespace, name }) => placesOf(state, group, `${namespace}/${name}`))
    .filter((place) => place.port === port);
  const own = all.filter(({ label }) => chain?.name === label || chain?.name.startsWith(`${label}|`) === true);
  const places = own.length > 0 ? own : all;
  return places.length === 0 ? refTexts(gateways) : places.map(({ origin }) => origin).join(', ');
}

interface Place {
  readonly port: number;
  readonly origin: string;
  /** As chains are named after it. */
  readonly label: string;
}

function placesOf(state: MeshState, group: string, key: string): readonly Place[] {
  const istio = group === 'networking.istio.io' ? state.object('networking.istio.io/Gateway', key) : undefined;
  if (istio !== undefined) {
    return (istio.spec?.servers ?? []).map((server, index) => ({
      port: server.port.number,
      origin: originText(istio, `spec.servers[${index}]`),
      label: serverLabel({ gateway: istio, server, index }),
    }));
  }
  const gateway = state.object('gateway.networking.k8s.io/Gateway', key);
  return (gateway === undefined ? [] : gatewayListeners(state, gateway).all).map((effective) => ({
    port: effective.listener.port,
    origin: originText(
      effective.owner,
      `spec.listeners[${(effective.owner.spec.listeners ?? []).findIndex(({ name }) => name === effective.listener.name)}]`,
    ),
    label: listenerLabel(effective),
  }));
}
