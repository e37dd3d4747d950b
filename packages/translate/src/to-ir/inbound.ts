import { type GatewayTls, type Inbound, mergeOrigins, type Protocol } from '@weft/ir';
import type { WorkloadEntry } from '../kinds.ts';
import { originOf } from '../origin.ts';
import { protocolOfPort } from '../protocol.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { EffectivePeerAuthentication } from '../state/peer-authentication-index.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import type { InboundListener } from '../state/sidecar-listeners.ts';
import { type HealthAnswers, healthAnswers } from './health-answers.ts';
import { tlsOfFiles } from './server-tls.ts';
import { inboundPool } from './traffic-policy.ts';

const loopback = '127.0.0.1';

/** The inbound listeners of a proxy, sorted by port. */
export function inboundListeners(
  state: MeshState,
  proxyKey: string,
  listeners: readonly InboundListener[],
  entry: WorkloadEntry | undefined,
  client: Client,
): readonly Inbound[] {
  const services = state.servicesOfWorkload(proxyKey);
  const peers = state.peerAuthenticationOf(client.namespace, client.labels);
  return distinctInbound(listeners)
    .toSorted((a, b) => a.port - b.port)
    .map((listener) => {
      const serving = services.find((service) => service.ports.some((port) => isServedBy(port, entry, listener)));
      const protocol = protocolOf(listener, entry, serving);
      const health = healthAnswers(state, services, (port) => isServedBy(port, entry, listener));
      const mode = peers.ports.get(listener.policyPort) ?? peers.mode;
      const answers = JSON.stringify(health.answers);
      return state.memo.get(
        `inbound|${proxyKey}|${listener.port}`,
        [listener, protocol, mode, serving, answers, ...health.policies, ...peers.policies] as const,
        () => buildInbound(listener, protocol, peers, serving, health),
      );
    });
}

/**
 * The listeners that can be told apart on the wire, where they have the name of their port and the application that of its own: of
 * two with one port the first counts, and an application port has the address written first.
 */
export function distinctInbound(listeners: readonly InboundListener[]): readonly InboundListener[] {
  const ports = new Set<number>();
  const apps = new Map<number, string>();
  return listeners.filter(({ port, appPort, appAddress = loopback }) => {
    const address = apps.get(appPort) ?? appAddress;
    if (ports.has(port) || address !== appAddress) {
      return false;
    }
    ports.add(port);
    apps.set(appPort, address);
    return true;
  });
}

/** What the workload said; where that is nothing, what its service says of the port. */
function protocolOf(
  listener: InboundListener,
  entry: WorkloadEntry | undefined,
  service: ServiceModel | undefined,
): Protocol {
  const said = protocolOfPort(listener.protocol ?? 'http', undefined, undefined, undefined);
  const declared = said === 'auto' ? service?.ports.find((port) => isServedBy(port, entry, listener))?.protocol : said;
  return declared === undefined || declared === 'udp' ? 'auto' : declared;
}

function buildInbound(
  listener: InboundListener,
  protocol: Protocol,
  peers: EffectivePeerAuthentication,
  service: ServiceModel | undefined,
  health: HealthAnswers,
): Inbound {
  const mode = peers.ports.get(listener.policyPort) ?? peers.mode;
  const tls = ownTls(listener, mode);
  return {
    name: listener.name,
    protocol,
    listen: { address: listener.address ?? loopback, port: listener.port },
    app: { address: listener.appAddress ?? loopback, port: listener.appPort },
    // Where TLS is asked for and cannot be had nobody but peers gets in, and they not in the clear.
    mutualTls: listener.tls !== undefined && tls === undefined ? 'strict' : mode,
    ...(tls === undefined ? {} : { tls }),
    service:
      service === undefined ? undefined : { host: service.host, name: service.name, namespace: service.namespace },
    ...(listener.connectionPool === undefined ? {} : { pool: inboundPool(listener.connectionPool) }),
    ...(health.answers.length === 0 || protocol === 'tcp' ? {} : { healthAnswers: health.answers }),
    origins: mergeOrigins([
      peers.policies.map(originOf),
      service === undefined ? [] : [service.origin],
      health.policies.map(originOf),
    ]),
  };
}

/** TLS that a Sidecar asks for, which takes the place of plaintext; undefined: none, or it cannot be had beside the mutual TLS of peers. */
export function ownTls({ tls }: InboundListener, mode: EffectivePeerAuthentication['mode']): GatewayTls | undefined {
  return tls === undefined || mode !== 'disabled' ? undefined : tlsOfFiles(tls.spec);
}

/** Whether a service's port is served by this listener of the workload. */
function isServedBy(port: ServicePortModel, entry: WorkloadEntry | undefined, listener: InboundListener): boolean {
  return (entry?.spec.ports?.[port.name] ?? port.targetPort) === listener.port;
}
