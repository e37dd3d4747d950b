import type { Inbound } from '@weft/ir';
import { packAny } from '@weft/xds-types';
import { Filter } from '@weft/xds-types/envoy/config/listener/v3/listener_components.ts';
import type { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { Cors } from '@weft/xds-types/envoy/extensions/filters/http/cors/v3/cors.ts';
import { HTTPFault } from '@weft/xds-types/envoy/extensions/filters/http/fault/v3/fault.ts';
import { GrpcWeb } from '@weft/xds-types/envoy/extensions/filters/http/grpc_web/v3/grpc_web.ts';
import { OnDemand } from '@weft/xds-types/envoy/extensions/filters/http/on_demand/v3/on_demand.ts';
import { Router } from '@weft/xds-types/envoy/extensions/filters/http/router/v3/router.ts';
import { StatefulSession } from '@weft/xds-types/envoy/extensions/filters/http/stateful_session/v3/stateful_session.ts';
import {
  HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManager_ServerHeaderTransformation,
  HttpConnectionManager_SetCurrentClientCertDetails,
  HttpConnectionManager_UpgradeConfig,
  HttpFilter,
  Rds,
} from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { inboundListenerName } from '../names.ts';
import { accessLogs } from './access-log.ts';
import { duration, fromAds } from './core.ts';
import { healthAnswerFilter } from './health-answer.ts';
import { downstreamHttp2Options, http1Options } from './http-options.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { create } from './message.ts';
import { sayChain } from './misdirected.ts';
import { pathFields } from './path-normalization.ts';
import { filterNames } from './route-filters.ts';

export const routerFilter: HttpFilter = create(HttpFilter, {
  name: 'envoy.filters.http.router',
  configType: {
    $case: 'typedConfig',
    value: packAny('envoy.extensions.filters.http.router.v3.Router', Router, create(Router, {})),
  },
});

const grpcWebFilter: HttpFilter = create(HttpFilter, {
  name: 'envoy.filters.http.grpc_web',
  configType: {
    $case: 'typedConfig',
    value: packAny('envoy.extensions.filters.http.grpc_web.v3.GrpcWeb', GrpcWeb, create(GrpcWeb, {})),
  },
});

/** Does nothing until a route says so. */
export const faultFilter: HttpFilter = create(HttpFilter, {
  name: filterNames.fault,
  configType: {
    $case: 'typedConfig',
    value: packAny('envoy.extensions.filters.http.fault.v3.HTTPFault', HTTPFault, create(HTTPFault, {})),
  },
});

/** Filters that do nothing until a route says so: which routes there will be is not known when the listener is made. Istio's order. */
const byRouteFilters: readonly HttpFilter[] = [
  create(HttpFilter, {
    name: filterNames.cors,
    configType: {
      $case: 'typedConfig',
      value: packAny('envoy.extensions.filters.http.cors.v3.Cors', Cors, create(Cors, {})),
    },
  }),
  faultFilter,
  create(HttpFilter, {
    name: filterNames.session,
    configType: {
      $case: 'typedConfig',
      value: packAny(
        'envoy.extensions.filters.http.stateful_session.v3.StatefulSession',
        StatefulSession,
        create(StatefulSession, {}),
      ),
    },
  }),
];

const onDemandFilter: HttpFilter = create(HttpFilter, {
  name: 'envoy.filters.http.on_demand',
  configType: {
    $case: 'typedConfig',
    value: packAny('envoy.extensions.filters.http.on_demand.v3.OnDemand', OnDemand, create(OnDemand, {})),
  },
});

const streamIdleTimeoutMs = 3_600_000;
const requestHeadersTimeoutMs = 15_000;

/** Routes by RDS under a name, or written in. */
export type RouteSource = { readonly rds: string } | { readonly inline: RouteConfiguration };

/** What is the same in both directions; from Istio's generated configuration unless said otherwise. */
function common(statPrefix: string, routes: RouteSource, settings: ListenerSettings): Partial<HttpConnectionManager> {
  return {
    statPrefix,
    routeSpecifier:
      'rds' in routes
        ? {
            $case: 'rds',
            value: create(Rds, { configSource: fromAds, routeConfigName: routes.rds }),
          }
        : { $case: 'routeConfig', value: routes.inline },
    useRemoteAddress: false,
    ...pathFields[settings.pathNormalization],
    // The id that the application or the downstream sidecar gave goes through the whole mesh.
    preserveExternalRequestId: true,
    // As the idle timeout of connections and of TCP (Envoy's defaults): a stream may be silent for as long as a raw connection may, and
    // a client that stops in the middle of a body, or takes no answer, is not held for ever. Istio has it off.
    streamIdleTimeout: duration(streamIdleTimeoutMs),
    httpProtocolOptions: http1Options,
    http2ProtocolOptions: downstreamHttp2Options,
    // Envoy has none: a client that sends a head byte by byte would hold its connection as long as it likes.
    requestHeadersTimeout: duration(requestHeadersTimeoutMs),
    upgradeConfigs: [create(HttpConnectionManager_UpgradeConfig, { upgradeType: 'websocket' })],
    accessLog: accessLogs(settings.accessLogPath),
  };
}

function managerFilter(manager: HttpConnectionManager): Filter {
  return create(Filter, {
    name: 'envoy.filters.network.http_connection_manager',
    configType: {
      $case: 'typedConfig',
      value: packAny(
        'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
        HttpConnectionManager,
        manager,
      ),
    },
  });
}

/** @param onDemand whether virtual hosts that are not known are asked for. */
export function outboundHttpFilter(
  statPrefix: string,
  routes: RouteSource,
  settings: ListenerSettings,
  onDemand: boolean,
): Filter {
  return managerFilter(
    create(HttpConnectionManager, {
      ...common(statPrefix, routes, settings),
      serverName: 'weft',
      // What an application says about client certificates is not ours to vouch for.
      forwardClientCertDetails: HttpConnectionManager_ForwardClientCertDetails.SANITIZE,
      httpFilters: [...(onDemand ? [onDemandFilter] : []), ...byRouteFilters, routerFilter],
    }),
  );
}

export interface GatewayHttpOptions {
  /** Proxies in front of the gateway whose `x-forwarded-for` is believed. */
  readonly trustedHops: number;
  /** Whether clients show certificates, which the application is told of. */
  readonly clientCertificates: boolean;
  /** The filter chain, where routes ask for it. */
  readonly chain: string | undefined;
}

/** The edge of the mesh: what clients say about themselves is not believed. */
export function gatewayHttpFilter(
  statPrefix: string,
  routes: RouteSource,
  settings: ListenerSettings,
  { trustedHops, clientCertificates, chain }: GatewayHttpOptions,
): Filter {
  const { SANITIZE, SANITIZE_SET } = HttpConnectionManager_ForwardClientCertDetails;
  return managerFilter(
    create(HttpConnectionManager, {
      ...common(statPrefix, routes, settings),
      useRemoteAddress: true,
      xffNumTrustedHops: trustedHops,
      preserveExternalRequestId: false,
      serverName: 'weft',
      forwardClientCertDetails: clientCertificates ? SANITIZE_SET : SANITIZE,
      setCurrentClientCertDetails: clientCertificates
        ? create(HttpConnectionManager_SetCurrentClientCertDetails, { subject: true, dns: true, uri: true, cert: true })
        : undefined,
      earlyHeaderMutationExtensions: chain === undefined ? [] : [sayChain(chain)],
      httpFilters: [grpcWebFilter, ...byRouteFilters, routerFilter],
    }),
  );
}

/** On a port of gRPC-Web, what browsers send becomes gRPC for the application; gRPC itself passes. */
export function inboundHttpFilter(
  { protocol, listen, tls, healthAnswers = [] }: Pick<Inbound, 'protocol' | 'listen' | 'tls' | 'healthAnswers'>,
  routes: RouteSource,
  settings: ListenerSettings,
): Filter {
  const { APPEND_FORWARD, SANITIZE_SET } = HttpConnectionManager_ForwardClientCertDetails;
  return managerFilter(
    create(HttpConnectionManager, {
      ...common(inboundListenerName(listen.port), routes, settings),
      serverHeaderTransformation: HttpConnectionManager_ServerHeaderTransformation.PASS_THROUGH,
      serverName: 'weft',
      // Peers tell whom they speak for; clients that are not of the mesh are not believed.
      forwardClientCertDetails: tls === undefined ? APPEND_FORWARD : SANITIZE_SET,
      setCurrentClientCertDetails: create(HttpConnectionManager_SetCurrentClientCertDetails, {
        subject: true,
        dns: true,
        uri: true,
      }),
      httpFilters: [
        ...healthAnswers.map(healthAnswerFilter),
        ...(protocol === 'grpc-web' ? [grpcWebFilter] : []),
        routerFilter,
      ],
    }),
  );
}
