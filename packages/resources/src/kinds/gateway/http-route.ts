import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age, commaList } from '../../format/columns.ts';
import { choice, integer, list, object, text } from '../../schema/fields.ts';
import { httpRouteFilter, httpRouteMethods } from './http-filter-schema.ts';
import { validateHttpRoute } from './http-route-validation.ts';
import { warnOfHttpRoute } from './http-route-warnings.ts';
import { gatewayDuration, headerName, headerValue, sectionName } from './names-schema.ts';
import { backendReferenceFields, backendWeight, gatewayGroup } from './references-schema.ts';
import {
  atomic,
  byName,
  headerMatchType,
  hostnames,
  parentRefs,
  routeStatus,
  sessionPersistence,
} from './route-parts-schema.ts';

const everyPath = { type: 'PathPrefix', value: '/' };

function match() {
  return object('Conditions that a request meets all of.', {
    path: object(
      'The path of the request, without its query.',
      {
        type: choice(
          'Exact: the whole path. PathPrefix: whole elements at its beginning. RegularExpression: an expression (RE2 syntax) that the whole path matches.',
          ['Exact', 'PathPrefix', 'RegularExpression'],
          { default: 'PathPrefix' },
        ),
        value: text('What the path is compared with.', { max: 1024 }, { default: '/' }),
      },
      [],
      { default: everyPath },
    ),
    headers: list(
      'Header fields that the request has; of two entries for one field the first counts.',
      object(
        'A header field and its value.',
        {
          type: headerMatchType(),
          name: headerName('Name of the field, in any case.'),
          value: headerValue('What the value is compared with.'),
        },
        ['name', 'value'],
      ),
      { max: 16 },
      byName,
    ),
    queryParams: list(
      'Query parameters that the request has; of two entries for one parameter the first counts.',
      object(
        'A query parameter and its value.',
        {
          type: headerMatchType(),
          name: headerName('Name of the parameter, in exactly this case.'),
          value: text('What the value is compared with.', { min: 1, max: 1024 }),
        },
        ['name', 'value'],
      ),
      { max: 16 },
      byName,
    ),
    method: choice('Method of the request.', httpRouteMethods),
  });
}

function retry() {
  return object('What to do when a request fails.', {
    codes: list(
      'Statuses of the response after which the request is tried again.',
      integer('A status.', { min: 400, max: 599 }),
      {},
      atomic,
    ),
    attempts: integer('How often a request is tried again at most.'),
    backoff: gatewayDuration('Smallest wait between tries.'),
  });
}

function rule(filter: ReturnType<typeof httpRouteFilter>) {
  return object('A rule: what it matches, what it changes, and where requests go.', {
    name: sectionName('Name of the rule, unique in the route.'),
    matches: list(
      'Matches; one of them is enough. Default: every path.',
      match(),
      { max: 64 },
      { ...atomic, default: [{ path: everyPath }] },
    ),
    filters: list('Steps on requests and responses of the rule.', filter, { max: 16 }, atomic),
    backendRefs: list(
      'Backends among which requests are shared out by weight.',
      object(
        'One backend, its share, and its own steps.',
        {
          ...backendReferenceFields(),
          weight: backendWeight(),
          filters: list('Steps on requests and responses of this backend only.', filter, { max: 16 }, atomic),
        },
        ['name'],
      ),
      { max: 16 },
      atomic,
    ),
    timeouts: object('How long things may take. Zero switches a timeout off.', {
      request: gatewayDuration('Longest wait of the client for the whole response, retries included.'),
      backendRequest: gatewayDuration('Longest wait for the response of a backend, for each try.'),
    }),
    retry: retry(),
    sessionPersistence: sessionPersistence(),
  });
}

function httpRouteSchema() {
  return object(
    'An HTTP route.',
    {
      spec: object('What requests the route takes, and where they go.', {
        ...parentRefs(),
        hostnames: hostnames(
          'Hosts that the route is for; a parent’s host must cover one of them. Default: those of the parent.',
        ),
        rules: list(
          'Rules; the most specific match of all rules decides.',
          rule(httpRouteFilter()),
          { min: 1, max: 16 },
          { ...atomic, default: [{ matches: [{ path: everyPath }] }] },
        ),
      }),
      status: routeStatus(),
    },
    ['spec'],
  );
}

/** How HTTP requests to Gateways, or to Services of the mesh, are routed (Gateway API). */
export type KubeHttpRoute = ObjectOf<typeof httpRouteSchema>;
export type KubeHttpRouteRule = NonNullable<KubeHttpRoute['spec']['rules']>[number];
export type KubeHttpRouteMatch = NonNullable<KubeHttpRouteRule['matches']>[number];
export type KubeHttpRouteFilter = NonNullable<KubeHttpRouteRule['filters']>[number];
export type KubeHttpBackendRef = NonNullable<KubeHttpRouteRule['backendRefs']>[number];

export const kubeHttpRouteKind = declareKind<KubeHttpRoute>({
  group: gatewayGroup,
  versions: ['v1', 'v1beta1'],
  kind: 'HTTPRoute',
  plural: 'httproutes',
  singular: 'httproute',
  shortNames: [],
  categories: ['gateway-api'],
  namespaced: true,
  hasStatus: true,
  description: 'How HTTP requests that arrive at a Gateway, or at a Service of the mesh, are routed.',
  schema: httpRouteSchema,
  structuralDefaults: true,
  validate: validateHttpRoute,
  warnings: warnOfHttpRoute,
  columns: [
    {
      name: 'Hostnames',
      type: 'string',
      priority: 0,
      description: 'Hosts that the route is for.',
      value: ({ spec }) => commaList(spec.hostnames),
    },
    age,
  ],
});
