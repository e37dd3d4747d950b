import {
  any,
  anyHost,
  type Configuration,
  chance,
  get,
  httpFilter,
  type JsonObject,
  oneOf,
  someOf,
} from './support/configuration.ts';
import { compareProxies } from './support/run.ts';

const faultType = 'envoy.extensions.filters.http.fault.v3.HTTPFault';
const all: JsonObject = { numerator: 100 };
const to = (cluster: string): JsonObject => ({ cluster });

function perRoute(name: string, config: JsonObject): JsonObject {
  return { typed_per_filter_config: { [name]: config } };
}

const grpcFields = [['content-type', 'application/grpc']] as const;

const faults: Configuration = {
  name: 'faults',
  clusters: ['one', 'two'],
  httpFilters: [
    httpFilter('fault', faultType, {
      abort: { http_status: 501, percentage: all },
      headers: [{ name: 'x-own', present_match: true }],
    }),
  ],
  routes: {
    virtual_hosts: [
      anyHost([
        {
          name: 'abort',
          match: { prefix: '/abort' },
          route: to('one'),
          ...perRoute('fault', any(faultType, { abort: { http_status: 503, percentage: all } })),
        },
        {
          name: 'grpc',
          match: { prefix: '/grpc' },
          route: to('one'),
          ...perRoute('fault', any(faultType, { abort: { grpc_status: 5, percentage: all } })),
        },
        {
          name: 'delay',
          match: { prefix: '/delay' },
          route: to('one'),
          ...perRoute('fault', any(faultType, { delay: { fixed_delay: '0.02s', percentage: all } })),
        },
        {
          name: 'both',
          match: { prefix: '/both' },
          route: to('one'),
          ...perRoute(
            'fault',
            any(faultType, {
              delay: { fixed_delay: '0.02s', percentage: all },
              abort: { http_status: 400, percentage: all },
            }),
          ),
        },
        {
          name: 'header',
          match: { prefix: '/header' },
          route: to('one'),
          ...perRoute(
            'fault',
            any(faultType, {
              delay: { header_delay: {}, percentage: all },
              abort: { header_abort: {}, percentage: all },
            }),
          ),
        },
        {
          name: 'other-cluster',
          match: { prefix: '/cluster' },
          route: to('one'),
          ...perRoute(
            'fault',
            any(faultType, { upstream_cluster: 'two', abort: { http_status: 503, percentage: all } }),
          ),
        },
        {
          name: 'this-cluster',
          match: { prefix: '/this' },
          route: to('two'),
          ...perRoute(
            'fault',
            any(faultType, { upstream_cluster: 'two', abort: { http_status: 503, percentage: all } }),
          ),
        },
        {
          name: 'nodes',
          match: { prefix: '/nodes' },
          route: to('two'),
          ...perRoute(
            'fault',
            any(faultType, { downstream_nodes: ['n1'], abort: { http_status: 503, percentage: all } }),
          ),
        },
        {
          name: 'never',
          match: { prefix: '/never' },
          route: to('two'),
          ...perRoute('fault', any(faultType, { abort: { http_status: 503 } })),
        },
        {
          name: 'max',
          match: { prefix: '/max' },
          route: to('two'),
          ...perRoute('fault', any(faultType, { max_active_faults: 0, abort: { http_status: 503, percentage: all } })),
        },
        {
          name: 'disabled',
          match: { prefix: '/disabled' },
          route: to('two'),
          ...perRoute('fault', any('envoy.config.route.v3.FilterConfig', { disabled: true })),
        },
        {
          name: 'wrapped',
          match: { prefix: '/wrapped' },
          route: to('two'),
          ...perRoute(
            'fault',
            any('envoy.config.route.v3.FilterConfig', {
              config: any(faultType, { abort: { http_status: 507, percentage: all } }),
            }),
          ),
        },
        {
          name: 'weighted',
          match: { prefix: '/weighted' },
          route: {
            weighted_clusters: {
              clusters: [
                {
                  name: 'one',
                  weight: 1,
                  ...perRoute('fault', any(faultType, { abort: { http_status: 506, percentage: all } })),
                },
              ],
            },
          },
        },
        {
          name: 'direct',
          match: { prefix: '/direct' },
          direct_response: { status: 200 },
          ...perRoute('fault', any(faultType, { abort: { http_status: 505, percentage: all } })),
        },
        {
          name: 'edited',
          match: { prefix: '/edited' },
          route: to('one'),
          response_headers_to_add: [{ header: { key: 'x-edited', value: 'yes' } }],
          ...perRoute('fault', any(faultType, { abort: { http_status: 504, percentage: all } })),
        },
        {
          name: 'timeout',
          match: { prefix: '/timeout' },
          route: { cluster: 'one', timeout: '0.8s' },
          ...perRoute('fault', any(faultType, { delay: { fixed_delay: '0.9s', percentage: all } })),
        },
        { name: 'rest', match: { prefix: '/rest' }, route: to('one') },
      ]),
    ],
  },
  share: 0.7,
  generate: (random) => ({
    method: oneOf(random, ['GET', 'POST', 'HEAD']),
    path: oneOf(random, [
      '/abort',
      '/grpc',
      '/delay',
      '/both',
      '/header',
      '/header',
      '/cluster',
      '/this',
      '/nodes',
      '/never',
      '/max',
      '/disabled',
      '/wrapped',
      '/weighted',
      '/direct',
      '/edited',
      '/timeout',
      '/rest',
      '/none',
    ]),
    host: 'shop.example',
    headers: [
      ...(chance(random, 0.3) ? grpcFields : []),
      ...(chance(random, 0.2) ? ([['x-own', '1']] as const) : []),
      ...(chance(random, 0.4) ? ([['x-envoy-downstream-service-node', oneOf(random, ['n1', 'n2'])]] as const) : []),
      ...(chance(random, 0.4)
        ? ([['x-envoy-fault-abort-request', oneOf(random, ['503', '999', 'x', '404'])]] as const)
        : []),
      ...(chance(random, 0.3)
        ? ([['x-envoy-fault-abort-grpc-request', oneOf(random, ['5', '14', '99'])]] as const)
        : []),
      ...(chance(random, 0.3) ? ([['x-envoy-fault-delay-request', oneOf(random, ['5', '0', 'x'])]] as const) : []),
      ...(chance(random, 0.2)
        ? ([['x-envoy-fault-abort-request-percentage', oneOf(random, ['0', '100', '200'])]] as const)
        : []),
    ],
  }),
};

const faultShares: Configuration = {
  name: 'fault-shares',
  clusters: ['one'],
  httpFilters: [
    httpFilter('fault', faultType, {
      delay: { fixed_delay: '0.001s', percentage: { numerator: 30 } },
      abort: { http_status: 503, percentage: { numerator: 200_000, denominator: 'MILLION' } },
    }),
  ],
  routes: { virtual_hosts: [anyHost([{ match: { prefix: '/' }, route: to('one') }])] },
  statistical: { outcome: ({ log }) => log['flags'] ?? '' },
  generate: () => get('/'),
};

const throttled: Configuration = {
  name: 'response-rate-limit',
  clusters: ['one'],
  httpFilters: [
    httpFilter('fault', faultType, { response_rate_limit: { fixed_limit: { limit_kbps: '200' }, percentage: all } }),
  ],
  routes: { virtual_hosts: [anyHost([{ match: { prefix: '/' }, route: to('one') }])] },
  share: 0.1,
  generate: (random) => get('/', [['x-backend-size', oneOf(random, ['1', '1000', '20000', '40000'])]]),
};

const corsType = 'envoy.extensions.filters.http.cors.v3.CorsPolicy';
const cors: Configuration = {
  name: 'cors',
  clusters: ['one'],
  httpFilters: [httpFilter('cors', 'envoy.extensions.filters.http.cors.v3.Cors')],
  routes: {
    virtual_hosts: [
      anyHost(
        [
          {
            name: 'full',
            match: { prefix: '/full' },
            route: to('one'),
            ...perRoute(
              'cors',
              any(corsType, {
                allow_origin_string_match: [{ exact: 'https://a.example' }, { suffix: '.b.example' }],
                allow_methods: 'GET,PUT',
                allow_headers: 'x-one,x-two',
                expose_headers: 'x-seen',
                max_age: '600',
                allow_credentials: true,
                allow_private_network_access: true,
              }),
            ),
          },
          {
            name: 'star',
            match: { prefix: '/star' },
            route: to('one'),
            ...perRoute(
              'cors',
              any(corsType, {
                allow_origin_string_match: [{ prefix: '' + 'http' }],
                allow_methods: '*',
                allow_headers: '*',
                expose_headers: '*',
              }),
            ),
          },
          {
            name: 'strict',
            match: { prefix: '/strict' },
            route: to('one'),
            ...perRoute(
              'cors',
              any(corsType, {
                allow_origin_string_match: [{ exact: 'https://a.example' }],
                forward_not_matching_preflights: false,
              }),
            ),
          },
          {
            name: 'off',
            match: { prefix: '/off' },
            route: to('one'),
            ...perRoute(
              'cors',
              any(corsType, {
                allow_origin_string_match: [{ safe_regex: { regex: '.*' } }],
                filter_enabled: { default_value: { numerator: 0 } },
              }),
            ),
          },
          {
            name: 'any',
            match: { prefix: '/any' },
            route: to('one'),
            ...perRoute('cors', any(corsType, { allow_origin_string_match: [{ exact: '*' }], allow_methods: '*' })),
          },
          {
            name: 'shadow',
            match: { prefix: '/shadow' },
            route: to('one'),
            ...perRoute(
              'cors',
              any(corsType, {
                allow_origin_string_match: [{ safe_regex: { regex: '.*' } }],
                filter_enabled: { default_value: { numerator: 0 } },
                shadow_enabled: { default_value: { numerator: 100 } },
              }),
            ),
          },
          {
            name: 'direct',
            match: { prefix: '/direct' },
            direct_response: { status: 200, body: { inline_string: 'x' } },
            ...perRoute(
              'cors',
              any(corsType, {
                allow_origin_string_match: [{ safe_regex: { regex: '.*' } }],
                expose_headers: 'x-direct',
              }),
            ),
          },
          {
            name: 'disabled',
            match: { prefix: '/disabled' },
            route: to('one'),
            ...perRoute('cors', any('envoy.config.route.v3.FilterConfig', { disabled: true })),
          },
          { name: 'missing-cluster', match: { prefix: '/nowhere' }, route: to('nobody') },
          { name: 'of-host', match: { prefix: '/host' }, route: to('one') },
        ],
        perRoute(
          'cors',
          any(corsType, { allow_origin_string_match: [{ exact: 'https://host.example' }], allow_methods: 'POST' }),
        ),
      ),
    ],
  },
  generate: (random) => ({
    method: oneOf(random, ['GET', 'OPTIONS', 'OPTIONS', 'POST']),
    path: oneOf(random, [
      '/full',
      '/star',
      '/strict',
      '/off',
      '/any',
      '/shadow',
      '/direct',
      '/disabled',
      '/nowhere',
      '/host',
      '/none',
    ]),
    host: 'shop.example',
    headers: [
      ...(chance(random, 0.85)
        ? ([
            [
              'Origin',
              oneOf(random, [
                'https://a.example',
                'http://x.b.example',
                'https://host.example',
                'null',
                '',
                'https://evil.example',
              ]),
            ],
          ] as const)
        : []),
      ...(chance(random, 0.6) ? ([['Access-Control-Request-Method', oneOf(random, ['GET', 'PUT', ''])]] as const) : []),
      ...someOf(
        random,
        [
          ['access-control-request-headers', 'x-one'],
          ['access-control-request-private-network', 'true'],
          [
            'x-backend-headers',
            'access-control-allow-origin:https://backend|access-control-expose-headers:x-backend|access-control-allow-credentials:false',
          ],
        ] as const,
        0.3,
      ),
    ],
  }),
};

const mutationType = 'envoy.extensions.filters.http.header_mutation.v3';
const append = (key: string, value: string, append_action = 'APPEND_IF_EXISTS_OR_ADD'): JsonObject => ({
  append: { header: { key, value }, append_action },
});

function mutating(name: string, mostSpecificWins: boolean): Configuration {
  const level = (text: string): JsonObject => ({
    mutations: {
      request_mutations: [
        append('x-level', text),
        append('x-last', text, 'OVERWRITE_IF_EXISTS_OR_ADD'),
        append('x-first', text, 'ADD_IF_ABSENT'),
      ],
      response_mutations: [
        append('x-level', text),
        append('x-last', text, 'OVERWRITE_IF_EXISTS_OR_ADD'),
        append('x-first', text, 'ADD_IF_ABSENT'),
      ],
    },
  });
  const perRouteLevel = (text: string): JsonObject =>
    perRoute('mutation', any(`${mutationType}.HeaderMutationPerRoute`, level(text)));
  return {
    name,
    clusters: ['one', 'two'],
    httpFilters: [
      httpFilter('mutation', `${mutationType}.HeaderMutation`, {
        mutations: {
          request_mutations: [
            append('x-own', '%REQ(x-in)%'),
            { remove: 'x-removed' },
            append('x-removed', 'again'),
            append('x-only', 'there', 'OVERWRITE_IF_EXISTS'),
            append('x-method', '%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)%'),
          ],
          response_mutations: [
            append('x-code', '%RESPONSE_CODE%'),
            { remove: 'x-from-backend' },
            append('server', 'mutated', 'OVERWRITE_IF_EXISTS_OR_ADD'),
          ],
        },
        most_specific_header_mutations_wins: mostSpecificWins,
      }),
    ],
    routes: {
      virtual_hosts: [
        anyHost(
          [
            { name: 'plain', match: { prefix: '/plain' }, route: to('one') },
            { name: 'route', match: { prefix: '/route' }, route: to('one'), ...perRouteLevel('route') },
            {
              name: 'weighted',
              match: { prefix: '/weighted' },
              route: { weighted_clusters: { clusters: [{ name: 'one', weight: 1, ...perRouteLevel('cluster') }] } },
              ...perRouteLevel('route'),
            },
            {
              name: 'disabled',
              match: { prefix: '/disabled' },
              route: to('two'),
              ...perRoute('mutation', any('envoy.config.route.v3.FilterConfig', { disabled: true })),
            },
            {
              name: 'direct',
              match: { prefix: '/direct' },
              direct_response: { status: 200 },
              ...perRouteLevel('route'),
            },
            { name: 'nobody', match: { prefix: '/nobody' }, route: to('nobody') },
          ],
          perRouteLevel('host'),
        ),
      ],
      ...perRouteLevel('table'),
    },
    generate: (random) =>
      get(oneOf(random, ['/plain', '/route', '/weighted', '/disabled', '/direct', '/nobody', '/none']), [
        ...someOf(random, [
          ['x-in', 'in'],
          ['x-removed', 'old'],
          ['x-only', 'before'],
          ['x-level', 'client'],
          ['x-first', 'client'],
          ['x-level', 'again'],
        ] as const),
        ['x-backend-headers', 'x-from-backend:yes|x-level:backend|x-first:backend'],
      ]),
  };
}

const inOrder: Configuration = {
  name: 'filter-order',
  clusters: ['one'],
  httpFilters: [
    httpFilter('fault', faultType, {
      abort: { http_status: 503, percentage: all },
      headers: [{ name: 'x-own', present_match: true }],
    }),
    httpFilter('cors', 'envoy.extensions.filters.http.cors.v3.Cors'),
    httpFilter('off', faultType, { abort: { http_status: 502, percentage: all } }),
  ].map((filter, index) => (index === 2 ? { ...filter, disabled: true } : filter)),
  routes: {
    virtual_hosts: [
      anyHost([
        {
          name: 'on',
          match: { prefix: '/on' },
          route: to('one'),
          typed_per_filter_config: {
            off: any('envoy.config.route.v3.FilterConfig', {
              config: any(faultType, { abort: { http_status: 509, percentage: all } }),
            }),
          },
        },
        {
          name: 'cors',
          match: { prefix: '/' },
          route: to('one'),
          ...perRoute(
            'cors',
            any(corsType, { allow_origin_string_match: [{ safe_regex: { regex: '.*' } }], expose_headers: 'x' }),
          ),
        },
      ]),
    ],
  },
  generate: (random) => ({
    method: oneOf(random, ['GET', 'OPTIONS']),
    path: oneOf(random, ['/', '/on']),
    host: 'shop.example',
    headers: someOf(
      random,
      [
        ['origin', 'https://a'],
        ['access-control-request-method', 'GET'],
        ['x-own', '1'],
      ] as const,
      0.5,
    ),
  }),
};

compareProxies('filters', [
  faults,
  faultShares,
  throttled,
  cors,
  mutating('header-mutation', false),
  mutating('header-mutation-most-specific', true),
  inOrder,
  { ...cors, name: 'cors-http2', downstream: 'http2', share: 0.5 },
  { ...faults, name: 'faults-http2', downstream: 'http2', share: 0.4 },
]);
