import type { KubeListener } from '@weft/resources';
import { byAge, type KubeGateway, keyOf } from '../../kinds.ts';
import type { MeshState } from '../../state/mesh-state.ts';
import { type RouteAtListener, routeKindsOf, routesByListener } from './attachment.ts';
import { type CertificateProblem, listenerCertificates } from './certificates.ts';
import { isOurs } from './gateway-class.ts';

/** Why a listener is not opened; the reasons of Gateway API (conditions `Conflicted`, `Accepted`, `ResolvedRefs`). */
export type ListenerProblem =
  | { readonly kind: 'conflict'; readonly reason: 'ProtocolConflict' | 'HostnameConflict'; readonly message: string }
  | { readonly kind: 'protocol'; readonly message: string }
  | { readonly kind: 'client-certificates'; readonly message: string };

/** A listener as it stands: what it takes, what it shows, what is attached. */
export interface EffectiveListener {
  readonly gateway: KubeGateway;
  readonly listener: KubeListener;
  readonly problem: ListenerProblem | undefined;
  readonly supportedKinds: readonly string[];
  readonly invalidKinds: readonly string[];
  /** Names of secrets; empty where TLS does not end at the listener. */
  readonly certificates: readonly string[];
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

/** The listeners of one Gateway. */
export function effectiveListeners(state: MeshState, gateway: KubeGateway): readonly EffectiveListener[] {
  const routes = routesByListener(state, gateway);
  return gateway.spec.listeners.map((listener, index) => {
    const kinds = routeKindsOf(listener);
    const { names, problems } = endsTls(listener)
      ? listenerCertificates(state, gateway, listener.tls?.certificateRefs ?? [])
      : { names: [], problems: [] };
    return {
      gateway,
      listener,
      problem: problemOf(gateway.spec.listeners, index) ?? clientCertificateProblem(gateway, listener),
      supportedKinds: kinds.taken,
      invalidKinds: kinds.invalid,
      certificates: names,
      certificateProblems: problems,
      routes: routes.get(listener.name) ?? [],
    };
  });
}

const protocols: ReadonlySet<string> = new Set(['HTTP', 'HTTPS', 'TLS', 'TCP']);

/** What shares a port: HTTP with HTTP, what begins with a ClientHello with its like, TCP with nothing. */
function family({ protocol }: KubeListener): string {
  return protocol === 'HTTPS' || protocol === 'TLS' ? 'TLS' : protocol;
}

/** Of listeners that cannot be told apart none is opened: which one was meant cannot be known (as Gateway API has it). */
function problemOf(listeners: readonly KubeListener[], index: number): ListenerProblem | undefined {
  const listener = listeners[index] as KubeListener;
  if (!protocols.has(listener.protocol)) {
    return { kind: 'protocol', message: `protocol ${listener.protocol} is not supported` };
  }
  for (const [other, rival] of listeners.entries()) {
    if (other === index || rival.port !== listener.port) {
      continue;
    }
    if (family(rival) !== family(listener)) {
      const message = `listener ${rival.name} has protocol ${rival.protocol} on port ${rival.port}`;
      return { kind: 'conflict', reason: 'ProtocolConflict', message };
    }
    const sameHost = (rival.hostname ?? '*').toLowerCase() === (listener.hostname ?? '*').toLowerCase();
    if (sameHost) {
      const message = `listener ${rival.name} has the same host on port ${rival.port}`;
      return { kind: 'conflict', reason: 'HostnameConflict', message };
    }
  }
  return undefined;
}

/** Clients whose certificates are to be checked must not come in unchecked: where nothing does it, nothing is opened. */
function clientCertificateProblem(gateway: KubeGateway, { protocol, port }: KubeListener): ListenerProblem | undefined {
  const { frontend } = gateway.spec.tls ?? {};
  const validation = frontend?.perPort?.find((entry) => entry.port === port)?.tls ?? frontend?.default;
  return protocol === 'HTTPS' && validation?.validation !== undefined
    ? { kind: 'client-certificates', message: 'spec.tls.frontend: client certificates are not checked yet' }
    : undefined;
}

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
  return gateway === undefined || !isOurs(state, gateway) ? [] : [gateway].sort(byAge);
}

/** Names a listener on the wire and in metrics. */
export function listenerLabel({ gateway, listener }: EffectiveListener): string {
  return `${keyOf(gateway)}/${listener.name}`;
}
