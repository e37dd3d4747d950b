import { anyHost, type Configuration, chance, get, type JsonObject, oneOf, someOf } from './support/configuration.ts';
import { compareProxies } from './support/run.ts';

const actions = [
  'APPEND_IF_EXISTS_OR_ADD',
  'ADD_IF_ABSENT',
  'OVERWRITE_IF_EXISTS_OR_ADD',
  'OVERWRITE_IF_EXISTS',
] as const;

const add = (key: string, value: string, fields: JsonObject = {}): JsonObject => ({
  header: { key, value },
  ...fields,
});

/** Edits that show in what order levels are done. */
function level(name: string): JsonObject {
  const edits = actions.map((append_action, index) => add(`x-action-${index}`, name, { append_action }));
  return {
    request_headers_to_add: [...edits, add('x-removed-below', name)],
    request_headers_to_remove: [`x-remove-${name}`],
    response_headers_to_add: [...edits, add(`x-from-${name}`, '%RESPONSE_CODE%')],
    response_headers_to_remove: [`x-remove-${name}`, 'x-envoy-upstream-service-time'],
  };
}

function levels(name: string, mostSpecificWins: boolean): Configuration {
  return {
    name,
    clusters: ['one', { name: 'refused', refuses: true }],
    routes: {
      most_specific_header_mutations_wins: mostSpecificWins,
      ...level('table'),
      virtual_hosts: [
        anyHost(
          [
            { name: 'route', match: { prefix: '/route' }, route: { cluster: 'one' }, ...level('route') },
            {
              name: 'weighted',
              match: { prefix: '/weighted' },
              route: { weighted_clusters: { clusters: [{ name: 'one', weight: 1, ...level('cluster') }] } },
              ...level('route'),
            },
            {
              name: 'direct',
              match: { prefix: '/direct' },
              direct_response: { status: 200, body: { inline_string: 'x' } },
              ...level('route'),
            },
            {
              name: 'redirect',
              match: { prefix: '/redirect' },
              redirect: { host_redirect: 'other' },
              ...level('route'),
            },
            { name: 'nobody', match: { prefix: '/nobody' }, route: { cluster: 'nobody' }, ...level('route') },
            { name: 'refused', match: { prefix: '/refused' }, route: { cluster: 'refused' }, ...level('route') },
            {
              name: 'slow',
              match: { prefix: '/slow' },
              route: { cluster: 'one', timeout: '0.4s' },
              ...level('route'),
            },
          ],
          level('host'),
        ),
      ],
    },
    share: 0.6,
    generate: (random) =>
      get(oneOf(random, ['/route', '/weighted', '/direct', '/redirect', '/nobody', '/refused', '/slow', '/none']), [
        ...someOf(random, [
          ['x-action-0', 'client'],
          ['x-action-1', 'client'],
          ['x-action-2', 'client'],
          ['X-Action-3', 'client'],
          ['x-action-3', 'again'],
          ['x-remove-table', '1'],
          ['x-remove-route', '1'],
          ['X-Remove-Host', '1'],
          ['x-remove-cluster', '1'],
        ] as const),
        [
          'x-backend-headers',
          'x-action-0:backend|x-action-1:backend|x-action-2:backend|x-action-3:backend|x-remove-route:1|x-remove-table:1|x-remove-host:1',
        ],
        ...(chance(random, 0.05) ? ([['x-backend-delay', '900']] as const) : []),
      ]),
  };
}

const commands = [
  'plain text',
  '100%%',
  '%REQ(X-IN)%',
  '%REQ(X-MISSING?X-IN)%',
  '%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)% %REQ(:SCHEME)%',
  '%REQ(X-IN):2%',
  '%PROTOCOL%',
  '%ROUTE_NAME%',
  '%UPSTREAM_CLUSTER%',
  '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
  '%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%',
  '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
  '%REQUESTED_SERVER_NAME%',
  '%DOWNSTREAM_TLS_VERSION%',
  '%BYTES_RECEIVED%',
  '<%REQ(X-MISSING)%>',
  '%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
] as const;

const responseCommands = [
  ...commands,
  '%RESPONSE_CODE%',
  '%RESPONSE_FLAGS%',
  '%RESP(X-BACK)%',
  '%RESP(X-MISSING?X-BACK)%',
  '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  '%RESPONSE_CODE_DETAILS%',
] as const;

const formatted: Configuration = {
  name: 'header-formats',
  clusters: ['one'],
  routes: {
    virtual_hosts: [
      anyHost(
        [
          { name: 'named route', match: { prefix: '/route' }, route: { cluster: 'one', prefix_rewrite: '/rewritten' } },
          { name: 'direct', match: { prefix: '/direct' }, direct_response: { status: 200 } },
        ],
        {
          request_headers_to_add: [
            ...commands.map((text, index) => add(`x-format-${index}`, text)),
            add('x-empty', '%REQ(X-MISSING)%'),
            add('x-kept-empty', '%REQ(X-MISSING)%', { keep_empty_value: true }),
            add('X-Mixed-Case', 'v'),
            add('user-agent', 'ours', { append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }),
          ],
          response_headers_to_add: responseCommands.map((text, index) => add(`x-format-${index}`, text)),
        },
      ),
    ],
  },
  generate: (random) =>
    get(oneOf(random, ['/route', '/route?q=1', '/direct', '/none']), [
      ...someOf(
        random,
        [
          ['x-in', 'value'],
          ['x-in', 'second'],
          ['user-agent', 'client'],
        ] as const,
        0.5,
      ),
      ['x-backend-headers', oneOf(random, ['x-back:yes', 'x-other:no', 'x-back:one|x-back:two'])],
    ]),
};

const attemptCounts: Configuration = {
  name: 'attempt-counts',
  clusters: [{ name: 'retried', fields: { circuit_breakers: { thresholds: [{ max_retries: 100 }] } } }],
  routes: {
    virtual_hosts: [
      anyHost(
        [
          {
            name: 'r',
            match: { prefix: '/' },
            route: { cluster: 'retried', retry_policy: { retry_on: '5xx', num_retries: 2 } },
          },
        ],
        { include_request_attempt_count: true, include_attempt_count_in_response: true },
      ),
    ],
  },
  share: 0.4,
  generate: (random) =>
    get('/', [
      ['x-backend-status', oneOf(random, ['200', '503,200', '503,503,200', '503', '404'])],
      ...(chance(random, 0.3) ? ([['x-envoy-attempt-count', '9']] as const) : []),
    ]),
};

compareProxies('header edits', [
  levels('edit-levels', false),
  levels('edit-levels-most-specific', true),
  formatted,
  attemptCounts,
]);
