import { type Destination, type Inbound, type ListenAddress, noHeaderEdits, type OriginRef } from '@weft/ir';
import { packAny, typeUrls } from '@weft/xds-types';
import { TrafficDirection } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import {
  type Filter,
  FilterChain,
  FilterChainMatch,
  ListenerFilter,
} from '@weft/xds-types/envoy/config/listener/v3/listener_components.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { TlsInspector } from '@weft/xds-types/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.ts';
import { httpProxyName, inboundClusterName, inboundListenerName } from '../names.ts';
import { socketAddress } from './core.ts';
import { inboundHttpFilter, outboundHttpFilter } from './http-connection-manager.ts';
import { create, type XdsMessage, xdsMessage } from './message.ts';
import { routeMessage } from './route.ts';
import { tcpProxyFilter } from './tcp-proxy.ts';
import { downstreamTls } from './tls.ts';

const tlsInspector: ListenerFilter = create(ListenerFilter, {
  name: 'envoy.filters.listener.tls_inspector',
  configType: {
    $case: 'typedConfig',
    value: packAny(
      'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
      TlsInspector,
      create(TlsInspector, {}),
    ),
  },
});

function listenerMessage(
  name: string,
  fields: Partial<Listener>,
  listen: ListenAddress,
  origins: readonly OriginRef[],
): XdsMessage {
  const listener = create(Listener, { name, address: socketAddress(listen.address, listen.port), ...fields });
  return xdsMessage(typeUrls.listener, name, Listener, listener, origins);
}

function outboundListener(
  name: string,
  listen: ListenAddress,
  filter: Filter,
  origins: readonly OriginRef[],
): XdsMessage {
  return listenerMessage(
    name,
    { trafficDirection: TrafficDirection.OUTBOUND, filterChains: [create(FilterChain, { filters: [filter] })] },
    listen,
    origins,
  );
}

/** The explicit HTTP proxy of the workload. */
export function httpProxyListener(listen: ListenAddress, accessLogPath: string | undefined): XdsMessage {
  const filter = outboundHttpFilter(httpProxyName, { rds: httpProxyName }, accessLogPath, true);
  return outboundListener(httpProxyName, listen, filter, []);
}

/**
 * The local port of a declared upstream.
 * @param name of the listener and of its route configuration.
 * @param destinations of TCP connections; undefined = it speaks HTTP, and routes decide.
 */
export function upstreamListener(
  name: string,
  listen: ListenAddress,
  destinations: readonly Destination[] | undefined,
  origins: readonly OriginRef[],
  accessLogPath: string | undefined,
): XdsMessage {
  const filter =
    destinations === undefined
      ? outboundHttpFilter(name, { rds: name }, accessLogPath, false)
      : tcpProxyFilter(name, destinations, accessLogPath);
  return outboundListener(name, listen, filter, origins);
}

/** A port that peers connect to: a chain for mutual TLS, one for plaintext, or both, as PeerAuthentication says. */
export function inboundListener(inbound: Inbound, trustDomain: string, accessLogPath: string | undefined): XdsMessage {
  const name = inboundListenerName(inbound.listen.port);
  const filter =
    inbound.protocol === 'http'
      ? inboundHttpFilter(name, { inline: inboundRoutes(inbound) }, accessLogPath)
      : tcpProxyFilter(name, [{ cluster: inboundClusterName(inbound.app.port), weight: 1 }], accessLogPath);
  const mutual = create(FilterChain, {
    name: `${name}|mtls`,
    filterChainMatch: create(FilterChainMatch, { transportProtocol: 'tls' }),
    transportSocket: downstreamTls(trustDomain, inbound.protocol),
    filters: [filter],
  });
  const plain = (match: Partial<FilterChainMatch> | undefined): FilterChain =>
    create(FilterChain, {
      name: `${name}|plaintext`,
      filterChainMatch: match === undefined ? undefined : create(FilterChainMatch, match),
      filters: [filter],
    });
  const fields: Partial<Listener> =
    inbound.mutualTls === 'disabled'
      ? { filterChains: [plain(undefined)] }
      : {
          listenerFilters: [tlsInspector],
          filterChains:
            inbound.mutualTls === 'strict' ? [mutual] : [mutual, plain({ transportProtocol: 'raw_buffer' })],
        };
  return listenerMessage(
    name,
    { ...fields, trafficDirection: TrafficDirection.INBOUND },
    inbound.listen,
    inbound.origins,
  );
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
              kind: 'forward',
              destinations: [
                {
                  cluster: inboundClusterName(inbound.app.port),
                  weight: 1,
                  resolved: true,
                  headers: noHeaderEdits,
                },
              ],
              pathRewrite: undefined,
              hostRewrite: undefined,
              timeoutMs: 0,
              retry: { attempts: 2, perTryTimeoutMs: 0, on: ['reset-before-request'], statusCodes: [] },
            },
            headers: noHeaderEdits,
          }),
        ],
      }),
    ],
  });
}
