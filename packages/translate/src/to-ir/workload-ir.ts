import {
  type GatewayListener,
  type HttpProxy,
  type Inbound,
  type ListenAddress,
  mergeOrigins,
  type OutboundCluster,
  type Upstream,
  type VirtualHost,
  type Workload,
  type WorkloadIr,
} from '@weft/ir';
import { compareText, type ProxyResource } from '../kinds.ts';
import { hostCandidates, spiffeId, upstreamName } from '../names.ts';
import { originOf } from '../origin.ts';
import { carriesHttp } from '../protocol.ts';
import { inScope } from '../state/egress-scope.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { defaultPortOf, portOf } from '../state/service-model.ts';
import type { SharedListener, UpstreamListener } from '../state/sidecar-listeners.ts';
import { mayListenOn } from '../state/unix-listener.ts';
import { labelsOf } from '../state/workload.ts';
import { isUnixAddress } from '../unix-address.ts';
import { resolveAuthority } from './authority.ts';
import { gatewaySockets } from './gateway-api/gateway-sockets.ts';
import { GatewayPlaces } from './gateway-places.ts';
import { httpRoutes } from './http-routes.ts';
import { inboundListeners } from './inbound.ts';
import { istioGatewaySockets } from './istio-gateway.ts';
import { openService } from './open-service.ts';
import { tcpDestinations } from './tcp-routes.ts';

const loopback = '127.0.0.1';

/** Who the workload of a proxy is when it calls others. */
export function clientOf(state: MeshState, proxyKey: string): Client {
  const entry = state.workloadEntry(proxyKey);
  const namespace = proxyKey.slice(0, proxyKey.indexOf('/'));
  const labels = entry === undefined ? {} : labelsOf(entry);
  const isGateway = state.proxy(proxyKey)?.spec.role === 'gateway';
  return {
    namespace,
    labels,
    locality: entry?.spec.locality,
    isGateway: state.proxy(proxyKey)?.spec.role === 'gateway',
    scope: isGateway ? undefined : state.egressScopeOf(namespace, labels),
  };
}

/**
 * Everything that one proxy is to do. The result depends on the arguments alone and is the same object as long as nothing of it
 * changes. Never throws: what does not resolve answers 503 or 404, and `resourceStatus` says so.
 * @param observedHosts authorities that the workload is known to call (`reviews:9080`), in any order, known or not; those of
 *   declared upstreams are added.
 * @returns undefined when there is no such Proxy.
 */
export function workloadIr(
  state: MeshState,
  proxyKey: string,
  observedHosts: readonly string[],
): WorkloadIr | undefined {
  const args = [observedHosts.join('\0'), state.settings.accessLogPath(proxyKey)] as const;
  return state.reads.remember(`ir|${proxyKey}`, args, () => buildIr(state, proxyKey, observedHosts, args[1]));
}

function buildIr(
  state: MeshState,
  proxyKey: string,
  observedHosts: readonly string[],
  accessLogPath: string | undefined,
): WorkloadIr | undefined {
  const proxy = state.proxy(proxyKey);
  if (proxy === undefined) {
    return undefined;
  }
  const client = clientOf(state, proxyKey);
  const entry = state.workloadEntry(proxyKey);
  const clusters = new Map<string, OutboundCluster>();
  const collect = (found: readonly OutboundCluster[]): void => {
    for (const cluster of found) {
      // A port that declares nothing speaks HTTP/2 at a gateway if one of several routes that lead to it is for gRPC.
      if (clusters.get(cluster.name)?.protocol !== 'http2') {
        clusters.set(cluster.name, cluster);
      }
    }
  };
  const listeners = state.listenersOf(proxyKey);
  const upstreams = upstreamListeners(state, client, proxyKey, listeners?.upstreams ?? [], collect);
  const isProxyless = proxy.spec.engine === 'grpc';
  const shared = isProxyless ? [] : (listeners?.shared ?? []);
  const asksForHosts = isProxyless || proxy.spec.httpProxy !== undefined || shared.length > 0;
  const virtualHosts = asksForHosts ? requestedHosts(state, client, proxy, observedHosts, collect) : [];
  const inbound = inboundListeners(state, proxyKey, listeners?.inbound ?? [], entry, client);
  const gateway = proxy.spec.role === 'gateway' ? gatewayListeners(state, client, proxyKey, proxy, collect) : [];
  const sorted = [...clusters.values()].sort((a, b) => compareText(a.name, b.name));
  return state.memo.get(
    `ir|${proxyKey}`,
    [
      proxy,
      entry,
      accessLogPath,
      client.scope,
      shared,
      upstreams.length,
      ...upstreams,
      virtualHosts.length,
      ...virtualHosts,
      inbound.length,
      ...inbound,
      gateway.length,
      ...gateway,
      ...sorted,
    ],
    (): WorkloadIr => ({
      workload: workloadOf(state, proxyKey, proxy),
      accessLogPath,
      pathNormalization: state.settings.pathNormalization,
      httpProxy: httpProxyOf(state, proxyKey, proxy, shared, virtualHosts),
      upstreams,
      inbound,
      gateway,
      grpcTargets: isProxyless ? virtualHosts : undefined,
      clusters: sorted,
      origins: mergeOrigins([
        [originOf(proxy)],
        entry === undefined ? [] : [originOf(entry)],
        ...upstreams.map((upstream) => (upstream.kind === 'tcp' ? [] : upstream.routes.origins)),
        ...upstreams.map((upstream) => (upstream.kind === 'http' ? [] : upstream.origins)),
        ...virtualHosts.map((host) => host.routes?.origins ?? []),
        ...inbound.map((listener: Inbound) => listener.origins),
        ...gateway.flatMap(({ origins, virtualHosts: hosts }) => [
          origins,
          ...hosts.map(({ routes }) => routes.origins),
        ]),
        ...sorted.map((cluster) => cluster.origins),
        client.scope === undefined ? [] : [client.scope.origin],
      ]),
    }),
  );
}

function workloadOf(state: MeshState, proxyKey: string, proxy: ProxyResource): Workload {
  const { trustDomain } = state.settings;
  const slash = proxyKey.indexOf('/');
  const namespace = proxyKey.slice(0, slash);
  return {
    engine: proxy.spec.engine ?? 'weft',
    namespace,
    name: proxyKey.slice(slash + 1),
    identity: spiffeId(trustDomain, namespace, proxy.spec.serviceAccount),
    trustDomain,
  };
}

function httpProxyOf(
  state: MeshState,
  proxyKey: string,
  proxy: ProxyResource,
  shared: readonly SharedListener[],
  virtualHosts: readonly VirtualHost[],
): HttpProxy | undefined {
  const { httpProxy } = proxy.spec;
  return httpProxy === undefined && shared.length === 0
    ? undefined
    : state.memo.get(`http-proxy|${proxyKey}`, [httpProxy, shared, ...virtualHosts], () => {
        const key = `http-proxy-listen|${proxyKey}`;
        const alsoAt = shared.map(({ listenAddress: address, listenPort }) =>
          listenAddress(state, `${key}|${address}|${listenPort}`, address, listenPort),
        );
        return {
          listen: httpProxy && listenAddress(state, key, httpProxy.address, httpProxy.port),
          ...(alsoAt.length === 0 ? {} : { alsoAt }),
          virtualHosts,
        };
      });
}

/** One virtual host; authorities that nothing in the mesh has get one without routes. */
export function virtualHostOf(
  state: MeshState,
  client: Client,
  authority: string,
  collect: (clusters: readonly OutboundCluster[]) => void,
): VirtualHost {
  const requested = resolveAuthority(state, client, authority);
  const found = requested === undefined ? undefined : httpRoutes(state, client, requested);
  collect(found?.clusters ?? []);
  return state.memo.get(
    `virtual-host|${authority}|${found === undefined ? '' : client.namespace}`,
    [authority, found?.routes] as const,
    ([name, routes]): VirtualHost => ({ authority: name, routes }),
  );
}

/** What the workload has asked for by name, and its declared upstreams. */
function requestedHosts(
  state: MeshState,
  client: Client,
  proxy: ProxyResource,
  observedHosts: readonly string[],
  collect: (clusters: readonly OutboundCluster[]) => void,
): readonly VirtualHost[] {
  const authorities = new Set(observedHosts.map((host) => host.toLowerCase()));
  for (const { host, port } of proxy.spec.upstreams ?? []) {
    authorities.add(`${host.toLowerCase()}:${port}`);
    if (port === 80) {
      authorities.add(host.toLowerCase());
    }
  }
  return [...authorities].sort(compareText).map((authority) => virtualHostOf(state, client, authority, collect));
}

function upstreamListeners(
  state: MeshState,
  client: Client,
  proxyKey: string,
  upstreams: readonly UpstreamListener[],
  collect: (clusters: readonly OutboundCluster[]) => void,
): readonly Upstream[] {
  const byName = new Map<string, Upstream>();
  for (const declared of upstreams) {
    const upstream = upstreamOf(state, client, proxyKey, declared, collect);
    const name = upstreamName(upstream);
    // The same service under two names has one listener: that of the name written first.
    if (!byName.has(name)) {
      byName.set(name, upstream);
    }
  }
  return [...byName.values()].sort((a, b) => compareText(a.host, b.host) || a.port - b.port);
}

function upstreamOf(
  state: MeshState,
  client: Client,
  proxyKey: string,
  declared: UpstreamListener,
  collect: (clusters: readonly OutboundCluster[]) => void,
): Upstream {
  const place = `${proxyKey}|${declared.listenAddress ?? ''}|${declared.listenPort}`;
  const listen = listenAddress(state, `upstream-listen|${place}`, declared.listenAddress, declared.listenPort);
  const found = state.resolveHost(declared.host, client.namespace, client.namespace);
  // A Unix socket leads where an authority without a port does.
  const number = declared.port || (found === undefined ? undefined : defaultPortOf(found)?.number) || 80;
  const model =
    found !== undefined && inScope(client.scope, found.namespace, found.host, number)
      ? found
      : openService(state, client, declared.host, number, 'auto');
  const port = model === undefined ? undefined : portOf(model, number);
  const key = `upstream|${place}`;
  const http =
    model === undefined || port === undefined || !carriesHttp(port.protocol)
      ? undefined
      : httpRoutes(state, client, {
          host: model.host,
          port: port.number,
          service: { model, port },
          // What others run is reached by its own name; the mesh's own services see the authority that the workload wrote.
          authority: model.external ? (model.alias ?? model.host) : undefined,
        });
  collect(http?.clusters ?? []);
  if (model !== undefined && http !== undefined && port?.protocol !== 'auto') {
    return state.memo.get(
      key,
      [declared, number, model.host, http.routes] as const,
      ([, , host, routes]): Upstream => ({ kind: 'http', host, port: number, listen, routes }),
    );
  }
  const host = model?.host ?? hostCandidates(declared.host, client.namespace, state.settings.clusterDomain)[0] ?? '';
  const tcp = tcpDestinations(state, client, host, number, model, port);
  collect(tcp.clusters);
  return state.memo.get(
    key,
    [declared, number, host, http?.routes, tcp.destinations, tcp.limits, tcp.byServerName, tcp.origins] as const,
    ([, , name, routes, destinations, limits, byServerName, origins]): Upstream => {
      const common = { host: name, port: number, listen, destinations, limits, byServerName, origins };
      return routes === undefined ? { kind: 'tcp', ...common } : { kind: 'auto', ...common, routes };
    },
  );
}

/** What a gateway opens to the outside. */
function gatewayListeners(
  state: MeshState,
  client: Client,
  proxyKey: string,
  proxy: ProxyResource,
  collect: (clusters: readonly OutboundCluster[]) => void,
): readonly GatewayListener[] {
  const { address, ports = [] } = proxy.spec.gateway ?? {};
  const sockets = gatewaySockets(state, client);
  const taken = new Set(sockets.map((socket) => socket.port));
  // A port that both kinds of Gateway ask for is Gateway API's.
  const istio = istioGatewaySockets(state, client, address ?? loopback).filter(
    (socket) =>
      !taken.has(socket.port) && (!isUnixAddress(socket.address ?? '') || mayListenOn(proxy, socket.address ?? '')),
  );
  const places = new GatewayPlaces(address ?? loopback, ports);
  const all = [sockets, istio]
    .flatMap((list) => places.give(list.filter(({ chains }) => chains.length > 0)))
    .sort((a, b) => a.socket.port - b.socket.port);
  return all.map(({ socket, listenPort }): GatewayListener => {
    collect(socket.clusters);
    const place = `${socket.address ?? ''}|${socket.port}`;
    const listen = listenAddress(state, `gateway-listen|${proxyKey}|${place}`, socket.address ?? address, listenPort);
    const key = `${proxyKey}|${place}`;
    // Compared by content one by one, so that a listener that did not change is not made again because a route did.
    const chains = socket.chains.map((chain) =>
      state.memo.get(`gateway-chain|${key}|${chain.name}`, [JSON.stringify(chain)], () => chain),
    );
    const origins = state.memo.get(`gateway-origins|${key}`, [JSON.stringify(socket.origins)], () => socket.origins);
    return state.memo.get(
      `gateway|${key}`,
      [listen, socket.port, socket.address, origins, chains.length, ...chains, ...socket.virtualHosts],
      (): GatewayListener => ({
        port: socket.port,
        bind: socket.address,
        listen,
        proxyProtocol: false,
        trustedHops: 0,
        chains,
        virtualHosts: socket.virtualHosts,
        origins,
      }),
    );
  });
}

/** The same object for the same socket, so that a listener is not made again because its routes changed. */
function listenAddress(state: MeshState, key: string, address: string | undefined, port: number): ListenAddress {
  return state.memo.get(key, [address, port] as const, ([ip, number]) => ({ address: ip ?? loopback, port: number }));
}
