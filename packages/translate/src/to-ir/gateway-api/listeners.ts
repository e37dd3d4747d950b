import type { GatewayClientCertificates } from '@weft/ir';
import type { KubeListener } from '@weft/resources';
import { type KubeGateway, keyOf, type ListenerSet } from '../../kinds.ts';
import type { MeshState } from '../../state/mesh-state.ts';
import { type RouteAtListener, routeKindsOf, routesByListener } from './attachment.ts';
import { type CertificateProblem, listenerCertificates } from './certificates.ts';
import { clientValidation } from './client-validation.ts';
import { type ListenerConflict, ListenerPlaces } from './listener-conflicts.ts';
import { type ListenerOwner, ownerKey } from './listener-owner.ts';
import { allowedSets, allowsSet } from './listener-sets.ts';

/** Why a listener is not opened; the reasons of Gateway API (conditions `Conflicted`, `Accepted`, `ResolvedRefs`). */
export type ListenerProblem =
  | ListenerConflict
  | { readonly kind: 'protocol'; readonly message: string }
  | { readonly kind: 'client-certificates'; readonly message: string };

/** A listener as it stands: what it takes, what it shows, what is attached. */
export interface EffectiveListener {
  readonly gateway: KubeGateway;
  /** The Gateway, or the ListenerSet that adds the listener to it. */
  readonly owner: ListenerOwner;
  readonly listener: KubeListener;
  readonly problem: ListenerProblem | undefined;
  readonly supportedKinds: readonly string[];
  readonly invalidKinds: readonly string[];
  /** Names of secrets; empty where TLS does not end at the listener. */
  readonly certificates: readonly string[];
  readonly client: GatewayClientCertificates;
  readonly certificateProblems: readonly CertificateProblem[];
  readonly routes: readonly RouteAtListener[];
}

/** Whether the listener is opened at the gateway's proxies. */
export function isOpen(effective: EffectiveListener): boolean {
  const needsCertificate = endsTls(effective.listener);
  return effective.problem === undefined && (!needsCertificate || effective.certificates.length > 0);
}

/** Whether TLS ends at the listener. */
export function endsTls({ protocol, tls }: KubeListener): boolean {
  return protocol === 'HTTPS' || (protocol === 'TLS' && tls?.mode !== 'Passthrough');
}

/** The listeners of one Gateway: its own, then those that ListenerSets add. */
export interface GatewayListeners {
  /** {@link areAccepted} of its own: only then may others add some. */
  readonly accepted: boolean;
  readonly all: readonly EffectiveListener[];
  /** By {@link ownerKey}; ListenerSets that add none are not there. */
  readonly byOwner: ReadonlyMap<string, readonly EffectiveListener[]>;
}

/** The listeners of one Gateway; the same object until they change. */
export function gatewayListeners(state: MeshState, gateway: KubeGateway): GatewayListeners {
  return state.reads.remember(`gateway-listeners|${keyOf(gateway)}`, [gateway], () => {
    const places = new ListenerPlaces();
    const own = listenersOf(state, gateway, gateway, places);
    const accepted = areAccepted(own);
    const byOwner = new Map([[ownerKey(gateway), own]]);
    for (const set of accepted ? allowedSets(state, gateway) : []) {
      byOwner.set(ownerKey(set), listenersOf(state, gateway, set, places));
    }
    return { accepted, all: [...byOwner.values()].flat(), byOwner };
  });
}

/** Whether there is nothing to be said against a listener. */
export function isValid({ problem, invalidKinds, certificateProblems }: EffectiveListener): boolean {
  return problem === undefined && invalidKinds.length === 0 && certificateProblems.length === 0;
}

/**
 * Whether a ListenerSet has a place in a Gateway, whatever becomes of its listeners. Of less than {@link gatewayListeners}, so that what asks
 * need not be asked again whenever any listener of the Gateway changes.
 */
export function isAttached(state: MeshState, gateway: KubeGateway, set: ListenerSet): boolean {
  return (
    allowsSet(state, gateway, set) &&
    state.reads.remember(`gateway-accepted|${keyOf(gateway)}`, [gateway], () =>
      areAccepted(listenersOf(state, gateway, gateway, new ListenerPlaces())),
    )
  );
}

/** Whether what has these listeners is accepted: none is invalid, or at least one can be opened. */
export function areAccepted(listeners: readonly EffectiveListener[]): boolean {
  return listeners.every(isValid) || listeners.some(isOpen);
}

function listenersOf(
  state: MeshState,
  gateway: KubeGateway,
  owner: ListenerOwner,
  places: ListenerPlaces,
): readonly EffectiveListener[] {
  const { listeners } = owner.spec;
  const routes = routesByListener(state, owner);
  // What is not opened is in nobody's way, and UDP has ports of its own anyhow.
  const known = listeners.filter((listener) => protocolProblem(listener) === undefined);
  const taken = places.take(known);
  const conflicts = new Map(known.map((listener, index) => [listener, taken[index]]));
  return listeners.map((listener) => {
    const kinds = routeKindsOf(listener);
    const { names, problems } = endsTls(listener)
      ? listenerCertificates(state, owner, listener.tls?.certificateRefs ?? [])
      : { names: [], problems: [] };
    const validation = clientValidation(state, gateway, listener);
    return {
      gateway,
      owner,
      listener,
      problem:
        protocolProblem(listener) ??
        conflicts.get(listener) ??
        (validation.client === undefined ? unchecked : undefined),
      supportedKinds: kinds.taken,
      invalidKinds: kinds.invalid,
      certificates: names,
      client: validation.client ?? { kind: 'none' },
      certificateProblems: [...problems, ...validation.problems],
      routes: routes.get(listener.name) ?? [],
    };
  });
}

const protocols: ReadonlySet<string> = new Set(['HTTP', 'HTTPS', 'TLS', 'TCP']);

function protocolProblem({ protocol }: KubeListener): ListenerProblem | undefined {
  return protocols.has(protocol) ? undefined : { kind: 'protocol', message: `protocol ${protocol} is not supported` };
}

/** Clients whose certificates are to be checked must not come in unchecked: where nothing can, nothing is opened. */
const unchecked: ListenerProblem = {
  kind: 'client-certificates',
  message: 'spec.tls.frontend asks for certificates of clients, and none of its caCertificateRefs is valid',
};

/** Names a listener on the wire and in metrics. */
export function listenerLabel({ gateway, owner, listener }: EffectiveListener): string {
  return `${owner === gateway ? keyOf(gateway) : ownerKey(owner)}/${listener.name}`;
}
