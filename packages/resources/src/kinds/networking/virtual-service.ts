import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { accepted, age, commaList, programmed } from '../../format/columns.ts';
import { list, object, text } from '../../schema/fields.ts';
import { istioStatus } from '../../schema/istio-status.ts';
import { httpRoute } from './http-route-schema.ts';
import { matchSource, weightedDestination } from './route-parts-schema.ts';
import { validateVirtualService } from './virtual-service-validation.ts';
import { warnOfVirtualService } from './virtual-service-warnings.ts';

function tlsRoute() {
  return object(
    'A rule for TLS connections that are passed through, by their server name.',
    {
      match: list(
        'Matches; one of them is enough.',
        object(
          'Conditions that a connection meets all of.',
          {
            sniHosts: list(
              'Server names (SNI); each is covered by a host of this object.',
              text('A name, or `*.` and a name.'),
            ),
            destinationSubnets: list(
              'Networks that the destination address is in.',
              text('A CIDR block or an address.'),
            ),
            ...matchSource(),
          },
          ['sniHosts'],
        ),
      ),
      route: list('Destinations among which connections are shared out by weight.', weightedDestination()),
    },
    ['match'],
  );
}

function tcpRoute() {
  return object('A rule for connections that are neither HTTP nor TLS to be passed through.', {
    match: list(
      'Matches; one of them is enough, and without any the rule takes every connection.',
      object('Conditions that a connection meets all of.', {
        destinationSubnets: list('Networks that the destination address is in.', text('A CIDR block or an address.')),
        sourceSubnet: text('Network that the client is in.'),
        ...matchSource(),
      }),
    ),
    route: list('Destinations among which connections are shared out by weight.', weightedDestination()),
  });
}

function virtualServiceSchema() {
  return object('A virtual service.', {
    spec: object('How requests and connections to the hosts are routed.', {
      hosts: list(
        'Hosts that the routes are for: names of services, DNS names, `*.` and a name. A VirtualService without hosts is only used by delegation.',
        text('A host.'),
      ),
      gateways: list(
        'Gateways and sidecars that use the routes. `mesh`, the default, is all sidecars.',
        text('Name, namespace/name, or mesh.'),
      ),
      http: list('Rules for HTTP requests, tried in this order.', httpRoute()),
      tls: list('Rules for TLS connections that are passed through, tried in this order.', tlsRoute()),
      tcp: list('Rules for other connections, tried in this order.', tcpRoute()),
      exportTo: list(
        'Namespaces that see the routes: names, `.` for the own one, `*` for all (default).',
        text('A namespace.'),
      ),
    }),
    status: istioStatus(),
  });
}

/** How requests to hosts are routed. */
export type VirtualService = ObjectOf<typeof virtualServiceSchema>;
export type VirtualServiceSpec = NonNullable<VirtualService['spec']>;
export type HttpRoute = NonNullable<VirtualServiceSpec['http']>[number];
export type HttpMatch = NonNullable<HttpRoute['match']>[number];
export type HttpRouteDestination = NonNullable<HttpRoute['route']>[number];
export type TlsRoute = NonNullable<VirtualServiceSpec['tls']>[number];
export type TlsMatch = TlsRoute['match'][number];
export type TcpRoute = NonNullable<VirtualServiceSpec['tcp']>[number];
export type TcpMatch = NonNullable<TcpRoute['match']>[number];
export type RouteDestination = NonNullable<TcpRoute['route']>[number];
export type Destination = RouteDestination['destination'];
export type StringMatch = NonNullable<HttpMatch['uri']>;

export const virtualServiceKind = declareKind<VirtualService>({
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  kind: 'VirtualService',
  plural: 'virtualservices',
  singular: 'virtualservice',
  shortNames: ['vs'],
  categories: ['istio-io', 'networking-istio-io'],
  namespaced: true,
  hasStatus: true,
  description: 'How requests and connections to hosts are routed: matches, weights, rewrites, timeouts, retries.',
  schema: virtualServiceSchema,
  validate: validateVirtualService,
  warnings: warnOfVirtualService,
  columns: [
    {
      name: 'Gateways',
      type: 'string',
      priority: 0,
      description: 'Gateways and sidecars that use the routes.',
      value: ({ spec }) => commaList(spec?.gateways),
    },
    {
      name: 'Hosts',
      type: 'string',
      priority: 0,
      description: 'Hosts that the routes are for.',
      value: ({ spec }) => commaList(spec?.hosts),
    },
    programmed,
    accepted,
    age,
  ],
});
