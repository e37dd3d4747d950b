import type {
  Destination,
  Fault,
  ForwardAction,
  HeaderMatch,
  HttpMatch,
  HttpRoute,
  RetryPolicy,
  VirtualHost as VirtualHostIr,
} from '@weft/ir';
import { packAny, typeUrls } from '@weft/xds-types';
import { ApiListener } from '@weft/xds-types/envoy/config/listener/v3/api_listener.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import {
  HeaderMatcher,
  type RetryPolicy as RetryMessage,
  Route,
  RouteAction,
  RouteAction_MaxStreamDuration,
  RouteMatch,
  VirtualHost,
  WeightedCluster,
  WeightedCluster_ClusterWeight,
} from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { duration } from '../core.ts';
import { faultFilter, routerFilter } from '../http-connection-manager.ts';
import { create, perObject, type XdsMessage, xdsMessage } from '../message.ts';
import { hashPolicy, retryMessage } from '../route.ts';
import { faultConfig, filterNames } from '../route-filters.ts';
import { regex } from '../string-match.ts';
import { grpcMatch, grpcRetryConditions, isGrpcHash } from './abilities.ts';
import { nowhereName } from './nowhere.ts';

/** The listener of a name as it is dialled (`xds:///echo:80`), with its routes; one that leads nowhere when nothing has the name, so that calls fail at once. */
export const grpcTargetMessage: (target: VirtualHostIr) => XdsMessage = perObject(({ authority, routes }) => {
  const table = create(RouteConfiguration, {
    name: authority,
    virtualHosts: [
      create(VirtualHost, {
        name: authority,
        domains: ['*'],
        routes: routes === undefined ? [nowhere] : grpcRoutes(routes.routes, authority),
      }),
    ],
  });
  const manager = create(HttpConnectionManager, {
    statPrefix: authority,
    routeSpecifier: { $case: 'routeConfig', value: table },
    httpFilters: [faultFilter, routerFilter],
  });
  const listener = create(Listener, {
    name: authority,
    apiListener: create(ApiListener, {
      apiListener: packAny(
        'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
        HttpConnectionManager,
        manager,
      ),
    }),
  });
  return xdsMessage(typeUrls.listener, authority, Listener, listener, routes?.origins ?? []);
});

/**
 * Calls are UNAVAILABLE at once. Not by `non_forwarding_action`, which is there for it: grpc-js 1.14 ends its process at that (tried). Nor by
 * a table without routes, which C-core refuses.
 */
const leadsNowhere: Route['action'] = {
  $case: 'route',
  value: create(RouteAction, { clusterSpecifier: { $case: 'cluster', value: nowhereName } }),
};

const nowhere: Route = create(Route, {
  match: create(RouteMatch, { pathSpecifier: { $case: 'prefix', value: '/' } }),
  action: leadsNowhere,
});

/** Those that a call can take. A table without any would be refused. */
function grpcRoutes(routes: readonly HttpRoute[], authority: string): Route[] {
  const taken = routes.flatMap((route) => {
    const match = grpcMatch(route.match, authority);
    return match === undefined ? [] : [grpcRoute(route, match)];
  });
  return taken.length === 0 ? [nowhere] : taken;
}

function grpcRoute({ name, action, fault }: HttpRoute, match: HttpMatch): Route {
  const leads = action.kind === 'forward' && action.destinations.some(({ resolved }) => resolved);
  return create(Route, {
    name,
    match: create(RouteMatch, {
      pathSpecifier: pathSpecifier(match.path),
      caseSensitive: match.path.kind !== 'regex' && match.path.ignoreCase ? false : undefined,
      headers: match.headers.map(grpcHeaderMatcher),
    }),
    // A redirect and an answer of the proxy's own are no gRPC, and a cluster that does not exist would be waited for.
    action: leads ? { $case: 'route', value: grpcRouteAction(action) } : leadsNowhere,
    typedPerFilterConfig: fault === undefined ? {} : grpcFault(fault),
  });
}

/** Of faults gRPC's libraries make delays and aborts. */
function grpcFault({ delay, abort }: Fault): Route['typedPerFilterConfig'] {
  return delay === undefined && abort === undefined ? {} : { [filterNames.fault]: faultConfig({ delay, abort }) };
}

/** gRPC has no matching by segments. */
function pathSpecifier({ kind, value }: HttpRoute['match']['path']): RouteMatch['pathSpecifier'] {
  switch (kind) {
    case 'exact':
      return { $case: 'path', value };
    case 'prefix':
      return { $case: 'prefix', value };
    case 'segments':
      return { $case: 'safeRegex', value: regex(`${escapeRegex(value)}(/.*)?`) };
    case 'regex':
      return { $case: 'safeRegex', value: regex(value) };
  }
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The older fields: every version of gRPC reads those, `string_match` only the newest. */
function grpcHeaderMatcher({ name, match, invert }: HeaderMatch): HeaderMatcher {
  const cases = { exact: 'exactMatch', prefix: 'prefixMatch' } as const;
  switch (match.kind) {
    case 'present':
      return create(HeaderMatcher, {
        name,
        invertMatch: invert,
        headerMatchSpecifier: { $case: 'presentMatch', value: true },
      });
    case 'regex':
      return create(HeaderMatcher, {
        name,
        invertMatch: invert,
        headerMatchSpecifier: { $case: 'safeRegexMatch', value: regex(match.value) },
      });
    default:
      return create(HeaderMatcher, {
        name,
        invertMatch: invert,
        headerMatchSpecifier: { $case: cases[match.kind], value: match.value },
      });
  }
}

function grpcRouteAction({ destinations, timeoutMs, retry, hashes }: ForwardAction): RouteAction {
  const [only] = destinations;
  return create(RouteAction, {
    clusterSpecifier:
      destinations.length === 1 && only !== undefined
        ? { $case: 'cluster', value: only.cluster }
        : {
            $case: 'weightedClusters',
            value: create(WeightedCluster, {
              clusters: weights(destinations),
            }),
          },
    maxStreamDuration:
      timeoutMs === 0 ? undefined : create(RouteAction_MaxStreamDuration, { maxStreamDuration: duration(timeoutMs) }),
    retryPolicy: retry === undefined ? undefined : retries(retry),
    hashPolicy: hashes.filter(isGrpcHash).map(hashPolicy),
  });
}

function retries(retry: RetryPolicy): RetryMessage | undefined {
  const on = grpcRetryConditions(retry);
  return on.length === 0 ? undefined : retryMessage({ ...retry, on });
}

/** Shares that lead nowhere are one cluster: those that do not exist would be waited for. */
function weights(destinations: readonly Destination[]): WeightedCluster_ClusterWeight[] {
  const lost = destinations.reduce((sum, { resolved, weight }) => sum + (resolved ? 0 : weight), 0);
  return [
    ...destinations.flatMap(({ cluster, weight, resolved }) => (resolved ? [{ name: cluster, weight }] : [])),
    ...(lost === 0 ? [] : [{ name: nowhereName, weight: lost }]),
  ].map((share) => create(WeightedCluster_ClusterWeight, share));
}
