import { type Inbound, mergeOrigins } from '@weft/ir';
import type { ProxyInbound, ProxyResource, WorkloadEntry } from '../kinds.ts';
import { originOf } from '../origin.ts';
import { protocolOfPort } from '../protocol.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { EffectivePeerAuthentication } from '../state/peer-authentication-index.ts';
import type { ServiceModel } from '../state/service-model.ts';

const loopback = '127.0.0.1';

/** The inbound listeners of a proxy, sorted by port. */
export function inboundListeners(
  state: MeshState,
  proxyKey: string,
  proxy: ProxyResource,
  entry: WorkloadEntry | undefined,
  client: Client,
): readonly Inbound[] {
  const services = state.servicesOfWorkload(proxyKey);
  const peers = state.peerAuthenticationOf(client.namespace, client.labels);
  return distinctInbound(proxy)
    .toSorted((a, b) => a.port - b.port)
    .map((listener) => {
      const serving = services.filter((service) => servesPort(service, entry, listener));
      return state.memo.get(
        `inbound|${proxyKey}|${listener.port}`,
        [listener, peers.ports.get(listener.appPort) ?? peers.mode, serving[0], ...peers.policies] as const,
        () => buildInbound(listener, peers, serving[0]),
      );
    });
}

/**
 * The listeners that can be told apart on the wire, where they have the name of their port and the application that of its own: of
 * two with one port the first counts, and an application port has the address written first.
 */
export function distinctInbound(proxy: ProxyResource): readonly ProxyInbound[] {
  const ports = new Set<number>();
  const apps = new Map<number, string>();
  return (proxy.spec.inbound ?? []).filter(({ port, appPort, appAddress = loopback }) => {
    const address = apps.get(appPort) ?? appAddress;
    if (ports.has(port) || address !== appAddress) {
      return false;
    }
    ports.add(port);
    apps.set(appPort, address);
    return true;
  });
}

function buildInbound(
  listener: ProxyInbound,
  peers: EffectivePeerAuthentication,
  service: ServiceModel | undefined,
): Inbound {
  return {
    name: listener.name,
    protocol: protocolOfPort(listener.protocol ?? 'http', undefined, undefined).kind === 'http' ? 'http' : 'tcp',
    listen: { address: listener.address ?? loopback, port: listener.port },
    app: { address: listener.appAddress ?? loopback, port: listener.appPort },
    mutualTls: peers.ports.get(listener.appPort) ?? peers.mode,
    service:
      service === undefined ? undefined : { host: service.host, name: service.name, namespace: service.namespace },
    origins: mergeOrigins([peers.policies.map(originOf), service === undefined ? [] : [service.origin]]),
  };
}

/** Whether one of the service's ports is served by this listener of the workload. */
function servesPort(service: ServiceModel, entry: WorkloadEntry | undefined, listener: ProxyInbound): boolean {
  return service.ports.some((port) => (entry?.spec.ports?.[port.name] ?? port.targetPort) === listener.port);
}
