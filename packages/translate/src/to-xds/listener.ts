import {
  type Destination,
  type Inbound,
  type ListenAddress,
  noHeaderEdits,
  type OriginRef,
  type ProxyEngine,
  plainForward,
  type ServerNameRoute,
  type TcpLimits,
} from '@weft/ir';
import { typeUrls } from '@weft/xds-types';
import { TrafficDirection, type TransportSocket } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import {
  type Filter,
  FilterChain,
  FilterChainMatch,
  type ListenerFilter,
} from '@weft/xds-types/envoy/config/listener/v3/listener_components.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { httpProxyName, inboundClusterName, inboundListenerName } from '../names.ts';
import { acceptedProtocols, httpProtocols, inspectedHttp } from './alpn.ts';
import { duration, listeningAddress } from './core.ts';
import { gatewayTls } from './gateway-tls.ts';
import { inboundHttpFilter, outboundHttpFilter } from './http-connection-manager.ts';
import { httpInspector, tlsInspector } from './listener-filters.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { create, type XdsMessage, xdsMessage } from './message.ts';
import { routeMessage } from './route.ts';
import { tcpProxyFilter } from './tcp-proxy.ts';
import { downstreamTls } from './tls.ts';

/**
 * How long a connection of an application may say nothing before it is taken for one in which the server speaks first. A client that
 * is slower is carried as opaque TCP.
 */
const sniffTimeoutMs = 100;

/**
 * The same where a peer's TLS may come as well as plaintext: its ClientHello follows at once, but a TLS connection that is taken for
 * plaintext breaks, so that there is time for a machine that is busy.
 */
const permissiveTimeoutMs = 1_000;

/** Inspection that ends: then the chain for what was not recognised takes the connection. */
function inspection(filters: readonly ListenerFilter[], timeoutMs: number): Partial<Listener> {
  return {
    listenerFilters: [...filters],
    listenerFiltersTimeout: duration(timeoutMs),
    continueOnListenerFiltersTimeout: true,
  };
}

function listenerMessage(
  name: string,
  fields: Partial<Listener>,
  listen: ListenAddress,
  origins: readonly OriginRef[],
): XdsMessage {
  const listener = create(Listener, { name, address: listeningAddress(listen), ...fields });
  return xdsMessage(typeUrls.listener, name, Listener, listener, origins);
}

/** A chain without a match takes what no other chain of the listener matches. */
function chain(name: string, filter: Filter, match?: Partial<FilterChainMatch>, tls?: TransportSocket): FilterChain {
  return create(FilterChain, {
    name,
    filterChainMatch: match === undefined ? undefined : create(FilterChainMatch, match),
    transportSocket: tls,
    filters: [filter],
  });
}

function outboundListener(
  name: string,
  listen: ListenAddress,
  fields: Partial<Listener>,
  origins: readonly OriginRef[],
): XdsMessage {
  return listenerMessage(name, { trafficDirection: TrafficDirection.OUTBOUND, ...fields }, listen, origins);
}

/** The explicit HTTP proxy of the workload. @param name of the listener: it may have several, with the same routes. */
export function httpProxyListener(name: string, listen: ListenAddress, settings: ListenerSettings): XdsMessage {
  const filter = outboundHttpFilter(httpProxyName, { rds: httpProxyName }, settings, true);
  return outboundListener(name, listen, { filterChains: [chain('', filter)] }, []);
}

/**
 * The local port of a declared upstream.
 * @param name of the listener and of its route configuration.
 * @param kind `http`: routes decide, whichever HTTP the workload speaks; `tcp`: the destinations; `auto`: the first bytes say which.
 * @param destinations of TCP connections.
 * @param limits of TCP connections.
 * @param byServerName TLS connections that go elsewhere.
 */
export function upstreamListener(
  name: string,
  listen: ListenAddress,
  kind: 'http' | 'tcp' | 'auto',
  destinations: readonly Destination[],
  limits: TcpLimits | undefined,
  byServerName: readonly ServerNameRoute[],
  origins: readonly OriginRef[],
  settings: ListenerSettings,
): XdsMessage {
  const named = byServerName.map((route, index) =>
    chain(`${name}|tls#${index}`, tcpProxyFilter(name, route.destinations, settings.accessLogPath, route.limits), {
      serverNames: [...route.serverNames],
      transportProtocol: 'tls',
    }),
  );
  const inspectors = [...(named.length === 0 ? [] : [tlsInspector]), ...(kind === 'auto' ? [httpInspector] : [])];
  const http = (): Filter => outboundHttpFilter(name, { rds: name }, settings, false);
  const tcp = (): Filter => tcpProxyFilter(name, destinations, settings.accessLogPath, limits);
  const fields: Partial<Listener> =
    kind === 'auto'
      ? {
          ...inspection(inspectors, sniffTimeoutMs),
          filterChains: [
            ...named,
            chain(`${name}|http`, http(), { applicationProtocols: [...inspectedHttp] }),
            chain(`${name}|tcp`, tcp()),
          ],
        }
      : {
          ...(inspectors.length === 0 ? {} : inspection(inspectors, sniffTimeoutMs)),
          filterChains: [...named, chain('', kind === 'http' ? http() : tcp())],
        };
  return outboundListener(name, listen, fields, origins);
}

/** Whose port it is. */
interface InboundOwner {
  readonly trustDomain: string;
  readonly engine: ProxyEngine;
}

/** A port that peers connect to: chains for mutual TLS, for plaintext, or for both, as PeerAuthentication says. */
export function inboundListener(inbound: Inbound, workload: InboundOwner, settings: ListenerSettings): XdsMessage {
  const fields = inboundChains(inbound, workload, settings);
  return listenerMessage(
    inboundListenerName(inbound.listen.port),
    { ...fields, trafficDirection: TrafficDirection.INBOUND },
    inbound.listen,
    inbound.origins,
  );
}

function inboundChains(inbound: Inbound, workload: InboundOwner, settings: ListenerSettings): Partial<Listener> {
  const filters = inboundFilters(inbound, settings);
  const name = inboundListenerName(inbound.listen.port);
  const mutual = mutualTlsChains(name, filters, workload);
  const isOpaque = filters.tcp !== undefined;
  const sniffed = filters.http !== undefined && isOpaque ? [httpInspector] : [];
  switch (inbound.mutualTls) {
    case 'strict':
      return { listenerFilters: [tlsInspector], filterChains: mutual };
    case 'permissive':
      return {
        // Of HTTP the client is the first to speak: it can be waited for.
        ...(isOpaque
          ? inspection([tlsInspector, ...sniffed], permissiveTimeoutMs)
          : { listenerFilters: [tlsInspector] }),
        filterChains: [...mutual, ...plaintextChains(name, filters, { transportProtocol: 'raw_buffer' })],
      };
    case 'disabled':
      if (inbound.tls !== undefined) {
        const socket = gatewayTls(inbound.tls, workload.trustDomain, filters.http !== undefined);
        const filter = filters.http ?? filters.tcp;
        const match = { transportProtocol: 'tls' };
        const chains = filter === undefined ? [] : [chain(`${name}|tls`, filter, match, socket)];
        return { listenerFilters: [tlsInspector], filterChains: chains };
      }
      return {
        ...(sniffed.length > 0 ? inspection(sniffed, sniffTimeoutMs) : {}),
        filterChains: plaintextChains(name, filters, undefined),
      };
  }
}

/** One filter for a port that is declared, both where it is found out for each connection. */
interface InboundFilters {
  readonly http: Filter | undefined;
  readonly tcp: Filter | undefined;
}

function inboundFilters(inbound: Inbound, settings: ListenerSettings): InboundFilters {
  const { protocol, listen, app } = inbound;
  const name = inboundListenerName(listen.port);
  return {
    http: protocol === 'tcp' ? undefined : inboundHttpFilter(inbound, { inline: inboundRoutes(inbound) }, settings),
    tcp:
      protocol === 'tcp' || protocol === 'auto'
        ? tcpProxyFilter(
            name,
            [{ cluster: inboundClusterName(app.port), weight: 1 }],
            settings.accessLogPath,
            inbound.pool?.tcp,
          )
        : undefined,
  };
}

function mutualTlsChains(
  name: string,
  { http, tcp }: InboundFilters,
  { trustDomain, engine }: InboundOwner,
): FilterChain[] {
  const match = { transportProtocol: 'tls' };
  const opaque = tcp === undefined ? [] : [chain(`${name}|mtls`, tcp, match, downstreamTls(trustDomain, []))];
  if (http === undefined) {
    return opaque;
  }
  const tls = downstreamTls(trustDomain, acceptedProtocols(engine));
  return tcp === undefined
    ? [chain(`${name}|mtls`, http, match, tls)]
    : [chain(`${name}|mtls|http`, http, { ...match, applicationProtocols: [...httpProtocols] }, tls), ...opaque];
}

function plaintextChains(
  name: string,
  { http, tcp }: InboundFilters,
  match: Partial<FilterChainMatch> | undefined,
): FilterChain[] {
  const opaque = tcp === undefined ? [] : [chain(`${name}|plaintext`, tcp, match)];
  if (http === undefined) {
    return opaque;
  }
  return tcp === undefined
    ? [chain(`${name}|plaintext`, http, match)]
    : [chain(`${name}|plaintext|http`, http, { ...match, applicationProtocols: [...inspectedHttp] }), ...opaque];
}

/** Everything goes to the application; a request that never left this proxy is tried again (a connection that it had just closed). */
function inboundRoutes(inbound: Inbound): RouteConfiguration {
  const name = `inbound|${inbound.app.port}`;
  return create(RouteConfiguration, {
    name,
    validateClusters: false,
    virtualHosts: [
      create(VirtualHost, {
        name: `inbound|http|${inbound.app.port}`,
        domains: ['*'],
        routes: [
          routeMessage({
            name: 'default',
            match: { path: { kind: 'prefix', value: '/', ignoreCase: false }, headers: [], query: [] },
            action: {
              ...plainForward,
              destinations: [
                {
                  cluster: inboundClusterName(inbound.app.port),
                  weight: 1,
                  resolved: true,
                  headers: noHeaderEdits,
                },
              ],
              retry: { attempts: 2, perTryTimeoutMs: 0, on: ['reset-before-request'], statusCodes: [] },
            },
            headers: noHeaderEdits,
            fault: undefined,
            cors: undefined,
          }),
        ],
      }),
    ],
  });
}
