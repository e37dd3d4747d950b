import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age } from '../../format/columns.ts';
import { list, object } from '../../schema/fields.ts';
import { sectionName } from './names-schema.ts';
import { gatewayGroup, weightedBackend } from './references-schema.ts';
import { atomic, hostnames, parentRefs, routeStatus } from './route-parts-schema.ts';
import { validateTcpRoute, validateTlsRoute } from './stream-routes-validation.ts';

/** Routes of connections: by the server name, or by the port alone. */

function rules(max: number) {
  return list(
    'Where connections go.',
    object(
      'A rule.',
      {
        name: sectionName('Name of the rule, unique in the route.'),
        backendRefs: list(
          'Backends among which connections are shared out by weight.',
          weightedBackend(),
          { min: 1, max: 16 },
          atomic,
        ),
      },
      ['backendRefs'],
    ),
    { min: 1, max },
    atomic,
  );
}

function tlsRouteSchema() {
  return object(
    'A TLS route.',
    {
      spec: object(
        'What connections the route takes, and where they go.',
        {
          ...parentRefs(),
          hostnames: hostnames('Server names (SNI) that the route is for; a listener’s host must cover one of them.', {
            min: 1,
          }),
          rules: rules(1),
        },
        ['hostnames', 'rules'],
      ),
      status: routeStatus(),
    },
    ['spec'],
  );
}

function tcpRouteSchema() {
  return object(
    'A TCP route.',
    {
      spec: object('Where connections go.', { ...parentRefs(), rules: rules(16) }, ['rules']),
      status: routeStatus(),
    },
    ['spec'],
  );
}

/** How TLS connections that are passed through a Gateway are routed, by their server name. */
export type KubeTlsRoute = ObjectOf<typeof tlsRouteSchema>;
/** How connections to a port of a Gateway, or of a Service of the mesh, are routed. */
export type KubeTcpRoute = ObjectOf<typeof tcpRouteSchema>;
export type KubeTcpRouteRule = KubeTcpRoute['spec']['rules'][number];
export type KubeBackendRef = KubeTcpRouteRule['backendRefs'][number];
export type KubeParentRef = NonNullable<KubeTcpRoute['spec']['parentRefs']>[number];
export type KubeRouteStatus = NonNullable<KubeTcpRoute['status']>;

export const kubeTlsRouteKind = declareKind<KubeTlsRoute>({
  group: gatewayGroup,
  versions: ['v1', 'v1alpha3', 'v1alpha2'],
  deprecatedVersions: ['v1alpha3', 'v1alpha2'],
  kind: 'TLSRoute',
  plural: 'tlsroutes',
  singular: 'tlsroute',
  shortNames: [],
  categories: ['gateway-api'],
  namespaced: true,
  hasStatus: true,
  description: 'How TLS connections to a Gateway are routed by their server name.',
  schema: tlsRouteSchema,
  structuralDefaults: true,
  validate: validateTlsRoute,
  columns: [age],
});

export const kubeTcpRouteKind = declareKind<KubeTcpRoute>({
  group: gatewayGroup,
  versions: ['v1alpha2'],
  kind: 'TCPRoute',
  plural: 'tcproutes',
  singular: 'tcproute',
  shortNames: [],
  categories: ['gateway-api'],
  namespaced: true,
  hasStatus: true,
  description: 'How connections to a port of a Gateway, or of a Service of the mesh, are routed.',
  schema: tcpRouteSchema,
  structuralDefaults: true,
  validate: validateTcpRoute,
  columns: [age],
});
