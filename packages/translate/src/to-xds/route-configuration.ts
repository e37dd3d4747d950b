import type { AutoUpstream, HttpUpstream, VirtualHost as VirtualHostIr } from '@weft/ir';
import { typeUrls } from '@weft/xds-types';
import { RouteConfiguration, Vhds } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { httpProxyName, parseAuthority, upstreamName } from '../names.ts';
import { fromAds } from './core.ts';
import { create, perObject, type XdsMessage, xdsMessage } from './message.ts';
import { routeMessage } from './route.ts';

/** Largest body of a direct response; Envoy's default of 4 KiB would make it refuse what Istio accepts (1 MiB). */
export const maxDirectResponseBodySizeBytes = 1024 * 1024;

/**
 * The routes of the HTTP proxy: all virtual hosts come by VHDS, one for each authority. The configuration itself never changes, so
 * an authority that was first asked for on demand can later be among those sent at once without being there twice, which Envoy
 * refuses.
 */
export const httpProxyRoutes: XdsMessage = xdsMessage(
  typeUrls.routeConfiguration,
  httpProxyName,
  RouteConfiguration,
  create(RouteConfiguration, {
    name: httpProxyName,
    vhds: create(Vhds, { configSource: fromAds }),
    validateClusters: false,
    maxDirectResponseBodySizeBytes,
  }),
  [],
);

/** The virtual host of one authority; without routes when nothing has that name, which answers 404 (`NR`). */
export const virtualHostMessage: (host: VirtualHostIr) => XdsMessage = perObject((host) => {
  const name = `${httpProxyName}/${host.authority}`;
  return xdsMessage(
    typeUrls.virtualHost,
    name,
    VirtualHost,
    create(VirtualHost, {
      name,
      domains: [domainOf(host.authority)],
      routes: (host.routes?.routes ?? []).map(routeMessage),
      includeRequestAttemptCount: true,
    }),
    host.routes?.origins ?? [],
  );
});

/**
 * A virtual host that no request has. Stock Envoy holds a listener back until the first virtual host comes: an empty answer to its
 * first VHDS request does not count, and it would wait for its timeout of 15 s.
 */
export const firstVirtualHost: XdsMessage = virtualHostMessage({ authority: 'first.invalid', routes: undefined });

/**
 * What the virtual host is found by: the authority. One that is malformed must not become a pattern (`*` would take all hosts), so it
 * gets a name that no request has; the answer by its resource name is all that the asking request needs.
 */
function domainOf(authority: string): string {
  return parseAuthority(authority) === undefined ? `${encodeURIComponent(authority)}.invalid` : authority;
}

/** The routes of a declared upstream: whatever the authority, it is this service. */
export const upstreamRoutes: (upstream: HttpUpstream | AutoUpstream) => XdsMessage = perObject((upstream) => {
  const name = upstreamName(upstream);
  return xdsMessage(
    typeUrls.routeConfiguration,
    name,
    RouteConfiguration,
    create(RouteConfiguration, {
      name,
      virtualHosts: [
        create(VirtualHost, {
          name: `${upstream.host}:${upstream.port}`,
          domains: ['*'],
          routes: upstream.routes.routes.map(routeMessage),
          includeRequestAttemptCount: true,
        }),
      ],
      validateClusters: false,
      maxDirectResponseBodySizeBytes,
    }),
    upstream.routes.origins,
  );
});
