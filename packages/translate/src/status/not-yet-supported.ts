import { clientChecksInVain, concurrencyConfig, loadBalancerAnnotation } from '@weft/resources';
import {
  type DestinationRule,
  type IstioGateway,
  keyOf,
  kindNameOf,
  type MeshKindName,
  type MeshKinds,
  type PeerAuthentication,
  type ProxyConfig,
  type ProxyResource,
  type Service,
  type ServiceEntry,
  type Sidecar,
  type VirtualService,
  type WorkloadEntry,
} from '../kinds.ts';
import { selects } from '../match.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { isSelective } from '../state/peer-authentication-index.ts';
import { asksForPeakEwma, connectedAddresses, isEndpointAddress, protocolOfEntryPort } from '../state/service-model.ts';
import { sidecarListeners } from '../state/sidecar-listeners.ts';
import { mayListenOn, unnamedSocket } from '../state/unix-listener.ts';
import { distinctInbound, ownTls } from '../to-ir/inbound.ts';
import { clientOf } from '../to-ir/workload-ir.ts';
import { isReachableUnixAddress, isUnixAddress } from '../unix-address.ts';
import { fieldTrees } from './acted-upon.ts';
import { enginesOf, gatewayProxies, proxiesBelow } from './proxies.ts';
import { leftOutWithoutProxy } from './without-proxy.ts';
import { zonesLeftOut } from './zones-left-out.ts';

/** Paths of the fields of an object that nothing acts upon yet, sorted as they are written. */
export function notYetSupported(state: MeshState, object: MeshKinds[MeshKindName]): readonly string[] {
  const kind = kindNameOf(object) as MeshKindName;
  const { spec } = object as { readonly spec?: unknown };
  const paths = [...(fieldTrees.get(kind)?.unsupported({ spec }) ?? [])];
  switch (kind) {
    case 'networking.istio.io/DestinationRule':
      return [
        ...paths,
        ...zonesLeftOut(state, object as DestinationRule),
        ...leftOutWithoutProxy(state, object as DestinationRule),
      ];
    case 'networking.istio.io/VirtualService':
      return [...paths, ...leftOutWithoutProxy(state, object as VirtualService)];
    case 'networking.istio.io/ServiceEntry':
      return [
        ...paths,
        ...ofServiceEntry(object as ServiceEntry),
        ...ofPeakEwma(state, object as ServiceEntry),
        ...leftOutWithoutProxy(state, object as ServiceEntry),
      ];
    case 'networking.istio.io/Gateway':
      return [...paths, ...ofIstioGateway(state, object as IstioGateway), ...checksInVain(object as IstioGateway)];
    case '/Service':
      return [...paths, ...ofPeakEwma(state, object as Service)];
    case 'networking.istio.io/WorkloadEntry':
      return [...paths, ...ofWorkloadEntry(state, object as WorkloadEntry)];
    case 'security.istio.io/PeerAuthentication':
      return [...paths, ...ofPeerAuthentication(state, object as PeerAuthentication)];
    case 'networking.istio.io/Sidecar':
      return [...new Set([...paths, ...ofSidecar(state, object as Sidecar)])];
    case 'networking.istio.io/ProxyConfig':
      return [...paths, ...ofProxyConfig(state, object as ProxyConfig)];
    case 'weft.dev/Proxy':
      return [...paths, ...ofProxy(state, object as ProxyResource)];
    default:
      return paths;
  }
}

/** Peak EWMA is ours alone. */
function ofPeakEwma(state: MeshState, object: Service | ServiceEntry): readonly string[] {
  return asksForPeakEwma(object) === undefined
    ? []
    : enginesOf(state).flatMap((engine) =>
        engine === 'weft' ? [] : [`metadata.annotations[${loadBalancerAnnotation}] (${insteadOfEwma[engine]})`],
      );
}

const insteadOfEwma = {
  envoy: 'proxies with Envoy balance by least request',
  grpc: 'workloads without a proxy balance by turns',
} as const;

/** Whom to let in, where nobody is asked who he is. */
function checksInVain(gateway: IstioGateway): readonly string[] {
  return (gateway.spec?.servers ?? []).flatMap(({ tls = {} }, index) => {
    const { mode = 'PASSTHROUGH' } = tls;
    const so = mode.endsWith('PASSTHROUGH') ? '' : ', so connections are closed';
    return clientChecksInVain(tls).map(
      (field) => `spec.servers[${index}].tls.${field} (mode ${mode} asks clients for no certificate${so}: use MUTUAL)`,
    );
  });
}

function ofServiceEntry(entry: ServiceEntry): readonly string[] {
  const ports = (entry.spec.ports ?? []).flatMap((port, index) =>
    protocolOfEntryPort(port) === 'udp' ? [`spec.ports[${index}].protocol`] : [],
  );
  const endpoints = (entry.spec.endpoints ?? []).flatMap(({ address = '' }, index) =>
    isUnixAddress(address) && !isEndpointAddress(address) ? [`spec.endpoints[${index}].address`] : [],
  );
  // Nothing is intercepted, so that addresses count only where they are what is connected to.
  const addresses = connectedAddresses(entry).length > 0 ? [] : (entry.spec.addresses ?? []);
  return [...ports, ...endpoints, ...(addresses.length > 0 ? ['spec.addresses'] : [])];
}

/** Sockets that a proxy with Envoy does not open, as nobody on its machine has named them. */
function ofIstioGateway(state: MeshState, { spec }: IstioGateway): readonly string[] {
  const proxies = gatewayProxies(state).filter((proxy) =>
    selects(spec?.selector, clientOf(state, keyOf(proxy)).labels),
  );
  return (spec?.servers ?? []).flatMap(({ bind = '' }, index) =>
    isReachableUnixAddress(bind) && proxies.some((proxy) => !mayListenOn(proxy, bind))
      ? [`spec.servers[${index}].bind (${unnamedSocket})`]
      : [],
  );
}

/** Endpoints that are sent to proxies need an IP address or a Unix socket, names that DNS resolves are no sockets. */
function ofWorkloadEntry(state: MeshState, entry: WorkloadEntry): readonly string[] {
  const { address } = entry.spec;
  if (address === undefined) {
    return [];
  }
  const services = state.servicesOfWorkload(keyOf(entry));
  const isLeftOut = services.some(({ discovery }) =>
    discovery === 'endpoints' ? !isEndpointAddress(address) : discovery === 'dns' && isUnixAddress(address),
  );
  return isLeftOut ? ['spec.address'] : [];
}

function ofPeerAuthentication(state: MeshState, policy: PeerAuthentication): readonly string[] {
  return policy.metadata.namespace === state.settings.rootNamespace && isSelective(policy) ? ['spec.selector'] : [];
}

/** Listeners that a proxy which goes by the Sidecar cannot open. */
function ofSidecar(state: MeshState, sidecar: Sidecar): readonly string[] {
  const keys = proxiesBelow(state, sidecar.metadata.namespace ?? '').map(keyOf);
  const governed = keys.filter((key) => clientOf(state, key).scope?.sidecar === sidecar);
  return governed.flatMap((key) => {
    const { inbound = [], upstreams = [], leftOut = [] } = state.listenersOf(key) ?? {};
    const { namespace, labels } = clientOf(state, key);
    const peers = state.peerAuthenticationOf(namespace, labels);
    const withoutTls = inbound.flatMap((listener) =>
      listener.tls === undefined || ownTls(listener, peers.ports.get(listener.policyPort) ?? peers.mode) !== undefined
        ? []
        : [listener.tls.field],
    );
    const again = repeated(state, namespace, upstreams).flatMap(({ field }) => field ?? []);
    return [...leftOut, ...withoutTls, ...again];
  });
}

/** Weft's own proxy has one thread (ADR 009): another number is not what it does. */
function ofProxyConfig(state: MeshState, config: ProxyConfig): readonly string[] {
  const { concurrency } = config.spec ?? {};
  const configs = state.list('networking.istio.io/ProxyConfig');
  const isIgnored =
    concurrency !== undefined &&
    concurrency !== 1 &&
    proxiesBelow(state, config.metadata.namespace ?? '').some((proxy) => {
      const { namespace, labels } = clientOf(state, keyOf(proxy));
      const governing = concurrencyConfig(configs, { namespace, labels }, state.settings.rootNamespace);
      return proxy.spec.engine !== 'envoy' && governing === config;
    });
  return isIgnored ? ['spec.concurrency'] : [];
}

/** Listeners that have the name of another one on the wire: those are left out. */
function ofProxy(state: MeshState, proxy: ProxyResource): readonly string[] {
  const { inbound: all = [] } = sidecarListeners(proxy, undefined, undefined);
  const kept = new Set(distinctInbound(all));
  const inbound = all.flatMap((listener, index) => (kept.has(listener) ? [] : [`spec.inbound[${index}]`]));
  const upstreams = proxy.spec.upstreams ?? [];
  const again = repeated(state, proxy.metadata.namespace ?? '', upstreams);
  return [...inbound, ...again.map((upstream) => `spec.upstreams[${upstreams.indexOf(upstream)}]`)];
}

/** Upstreams for a service and port that another one before them is for: on the wire they have its name, and are left out. */
function repeated<T extends { readonly host: string; readonly port: number }>(
  state: MeshState,
  namespace: string,
  upstreams: readonly T[],
): readonly T[] {
  const seen = new Set<string>();
  return upstreams.filter(({ host, port }) => {
    const name = `${state.resolveHost(host, namespace, namespace)?.host ?? host}:${port}`;
    const again = seen.has(name);
    seen.add(name);
    return again;
  });
}
