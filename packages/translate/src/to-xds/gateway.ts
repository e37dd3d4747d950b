import type { GatewayChain, GatewayListener, GatewayVirtualHost } from '@weft/ir';
import { typeUrls } from '@weft/xds-types';
import { TrafficDirection } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import {
  type Filter,
  FilterChain,
  FilterChainMatch,
} from '@weft/xds-types/envoy/config/listener/v3/listener_components.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { VirtualHost, VirtualHost_TlsRequirementType } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { gatewayListenerName, gatewayRoutesName } from '../names.ts';
import { duration, listeningAddress } from './core.ts';
import { gatewayTls } from './gateway-tls.ts';
import { gatewayHttpFilter } from './http-connection-manager.ts';
import { proxyProtocol, tlsInspector } from './listener-filters.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { create, once, perObject, withMessages, type XdsMessage, xdsMessage } from './message.ts';
import { chainHeader, misdirectedRoutes, tellsChains } from './misdirected.ts';
import { routeMessage } from './route.ts';
import { maxDirectResponseBodySizeBytes } from './route-configuration.ts';
import { tcpProxyFilter } from './tcp-proxy.ts';

/** How long a client of a gateway may take for its ClientHello or PROXY header. Envoy's default. */
const inspectionTimeoutMs = 15_000;

/** One socket of a gateway, without its routes. */
export function gatewayListenerMessage(
  listener: GatewayListener,
  trustDomain: string,
  settings: ListenerSettings,
): XdsMessage {
  const { listen, origins } = listener;
  const name = gatewayListenerName(listen);
  const inspected = listener.chains.some(({ serverNames, tls }) => tls !== undefined || serverNames.length > 0);
  const message = create(Listener, {
    name,
    address: listeningAddress(listen),
    trafficDirection: TrafficDirection.OUTBOUND,
    listenerFilters: [...(listener.proxyProtocol ? [proxyProtocol] : []), ...(inspected ? [tlsInspector] : [])],
    listenerFiltersTimeout: duration(inspectionTimeoutMs),
    filterChains: listener.chains.map((chain) => chainMessage(name, chain, listener, trustDomain, settings)),
  });
  return xdsMessage(typeUrls.listener, name, Listener, message, origins);
}

/** Whether a socket refers to a route configuration. */
export function hasRoutes({ chains }: GatewayListener): boolean {
  return chains.some(({ traffic }) => traffic.kind === 'http');
}

/** A chain that leads nowhere takes its connections all the same: left out, they would come to a chain for more names. No cluster has this name. */
const nowhere = [{ cluster: 'nowhere', weight: 1 }];

function chainMessage(
  listenerName: string,
  chain: GatewayChain,
  listener: GatewayListener,
  trustDomain: string,
  settings: ListenerSettings,
): FilterChain {
  const { serverNames, tls, traffic } = chain;
  const statPrefix = `${listenerName}|${chain.name}`;
  const isSecured = tls !== undefined || serverNames.length > 0;
  const filter: Filter =
    traffic.kind === 'tcp'
      ? tcpProxyFilter(
          statPrefix,
          traffic.destinations.length === 0 ? nowhere : traffic.destinations,
          settings.accessLogPath,
          traffic.limits,
        )
      : gatewayHttpFilter(statPrefix, { rds: gatewayRoutesName(listener) }, settings, {
          trustedHops: listener.trustedHops,
          chain: tellsChains(listener) ? chain.name : undefined,
          clientCertificates: tls !== undefined && tls.client.kind === 'verified',
        });
  return create(FilterChain, {
    name: chain.name,
    filterChainMatch: isSecured
      ? create(FilterChainMatch, { serverNames: serverNames.map(serverNamePattern), transportProtocol: 'tls' })
      : undefined,
    transportSocket: tls === undefined ? undefined : gatewayTls(tls, trustDomain, traffic.kind === 'http'),
    filters: [filter],
  });
}

/** Envoy writes the names below a domain with a star, too; a star alone is any name, which it writes as none. */
function serverNamePattern(name: string): string {
  return name.toLowerCase();
}

/** The route configuration of all chains of a socket. What it has of a virtual host that did not change is not made or encoded again. */
export function gatewayRoutesMessage(listener: GatewayListener): XdsMessage {
  const name = gatewayRoutesName(listener);
  const hosts = listener.virtualHosts.map(virtualHost);
  const head = create(RouteConfiguration, {
    name,
    // The port that a client writes is the gateway's, whichever port it reached it by.
    ignorePortInHostMatching: true,
    requestHeadersToRemove: tellsChains(listener) ? [chainHeader] : [],
    validateClusters: false,
    maxDirectResponseBodySizeBytes,
  });
  return {
    typeUrl: typeUrls.routeConfiguration,
    name,
    message: { ...head, virtualHosts: hosts.map(({ message }) => message) },
    origins: listener.virtualHosts.flatMap(({ routes }) => routes.origins),
    encode: once(() =>
      withMessages(
        RouteConfiguration.encode(head).finish(),
        virtualHostsField,
        hosts.map((host) => host.encode()),
      ),
    ),
  };
}

/** `virtual_hosts` of a RouteConfiguration. */
const virtualHostsField = 2;

interface Piece {
  readonly message: VirtualHost;
  encode(): Uint8Array;
}

const virtualHost: (host: GatewayVirtualHost) => Piece = perObject((host) => {
  const message = create(VirtualHost, {
    name: host.name,
    domains: [...host.domains],
    routes: [...misdirectedRoutes(host), ...host.routes.routes.map(routeMessage)],
    includeRequestAttemptCount: true,
    requireTls: host.httpsRedirect ? VirtualHost_TlsRequirementType.ALL : VirtualHost_TlsRequirementType.NONE,
  });
  return { message, encode: once(() => VirtualHost.encode(message).finish()) };
});
