import {
  any,
  anyHost,
  type Configuration,
  chance,
  get,
  type JsonObject,
  oneOf,
  someOf,
} from './support/configuration.ts';
import { compareProxies } from './support/run.ts';

const routes: JsonObject = {
  virtual_hosts: [
    anyHost([
      {
        name: 'https',
        match: { prefix: '/scheme', headers: [{ name: ':scheme', string_match: { exact: 'https' } }] },
        route: { cluster: 'two' },
      },
      { name: 'redirect', match: { prefix: '/redirect' }, redirect: { path_redirect: '/there' } },
      {
        name: 'echo',
        match: { prefix: '/echo' },
        direct_response: { status: 200, body: { inline_string: 'x' } },
        response_headers_to_add: [{ header: { key: 'x-client', value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' } }],
      },
      { name: 'all', match: { prefix: '/' }, route: { cluster: 'one' } },
    ]),
  ],
  internal_only_headers: ['x-secret'],
};

const uuid = '11111111-2222-4333-8444-555555555555';

function clientFields(random: () => number): (readonly [string, string])[] {
  return [
    ...(chance(random, 0.5)
      ? ([
          [
            'X-Forwarded-For',
            oneOf(random, [
              '10.0.0.1',
              '203.0.113.5',
              '203.0.113.5,10.0.0.1',
              '203.0.113.5, 10.0.0.1',
              'not-an-address',
              '',
              '10.0.0.1,',
              '2001:db8::1',
              'fd00::1',
            ]),
          ],
        ] as const)
      : []),
    ...(chance(random, 0.1) ? ([['x-forwarded-for', '198.51.100.7']] as const) : []),
    ...(chance(random, 0.3) ? ([['x-forwarded-proto', oneOf(random, ['http', 'https', 'ftp'])]] as const) : []),
    ...(chance(random, 0.3) ? ([['x-forwarded-port', oneOf(random, ['1234', ''])]] as const) : []),
    ...(chance(random, 0.4) ? ([['x-request-id', oneOf(random, [uuid, 'mine', ''])]] as const) : []),
    ...someOf(
      random,
      [
        ['x-envoy-internal', 'true'],
        ['x-envoy-external-address', '1.2.3.4'],
        ['x-envoy-decorator-operation', 'op'],
        ['x-envoy-downstream-service-cluster', 'c'],
        ['x-envoy-downstream-service-node', 'n'],
        ['x-envoy-expected-rq-timeout-ms', '5'],
        ['x-envoy-retriable-header-names', 'x'],
        ['x-envoy-ip-tags', 't'],
        ['x-envoy-force-trace', 'y'],
        ['x-envoy-original-url', 'u'],
        ['x-envoy-original-path', '/mine'],
        ['x-envoy-original-host', 'mine.example'],
        ['x-envoy-attempt-count', '7'],
        ['x-envoy-upstream-alt-stat-name', 'alt'],
        ['x-secret', 's'],
        ['via', '1.1 before'],
        ['te', 'trailers, gzip'],
        ['x-backend-headers', 'server:mine|via:1.1 backend|x-request-id:fromupstream'],
      ] as const,
      0.2,
    ),
  ];
}

function manager(name: string, fields: JsonObject, overrides: Partial<Configuration> = {}): Configuration {
  return {
    name,
    clusters: ['one', 'two'],
    manager: fields,
    routes,
    generate: (random) =>
      get(oneOf(random, ['/', '/', '/scheme', '/redirect', '/echo', '/none']), clientFields(random)),
    ...overrides,
  };
}

const loopback: JsonObject = {
  cidr_ranges: [
    { address_prefix: '127.0.0.0', prefix_len: 8 },
    { address_prefix: '10.0.0.0', prefix_len: 8 },
    { address_prefix: 'fd00::', prefix_len: 8 },
  ],
};

const paths = [
  '/a//b',
  '/a/./b',
  '/a/../b',
  '/a%2Fb',
  '/a%2fb/..',
  '/a%5Cb',
  '/a\\b',
  '/%61',
  '/a/%2e%2e/b',
  '/..',
  '/a/b/..',
  '/a//',
  '//a',
  '/a?x=//..',
  '/%zz',
  '/a%00b',
  '/a/%2E/b',
  '/a%20b',
  '/~a',
  '/%7Ea',
  '/a;x=1/../b',
] as const;

function normalisation(name: string, fields: JsonObject): Configuration {
  return manager(name, fields, {
    generate: (random) => get(oneOf(random, paths) + (chance(random, 0.3) ? oneOf(random, paths) : '')),
  });
}

const hosts = [
  'shop.example',
  'shop.example:80',
  'shop.example.',
  'shop.example.:80',
  'SHOP.example',
  '[::1]:80',
  '[::1]',
  'other:8080',
] as const;
const byHost: JsonObject = {
  virtual_hosts: [
    {
      name: 'shop',
      domains: ['shop.example', 'shop.example.'],
      routes: [{ name: 'shop', match: { prefix: '/' }, route: { cluster: 'one' } }],
    },
    anyHost([{ name: 'any', match: { prefix: '/' }, route: { cluster: 'two' } }]),
  ],
};

function hostStripping(name: string, fields: JsonObject): Configuration {
  return manager(name, fields, { routes: byHost, generate: (random) => get('/', [], oneOf(random, hosts)) });
}

function underscores(name: string, action: string): Configuration {
  return manager(
    name,
    { common_http_protocol_options: { headers_with_underscores_action: action } },
    {
      unlogged: action === 'REJECT_REQUEST',
      generate: (random) =>
        get(
          '/',
          someOf(
            random,
            [
              ['x_a', '1'],
              ['x-a', '2'],
              ['y-z_', '3'],
            ] as const,
            0.3,
          ),
        ),
    },
  );
}

const timeouts: Configuration = {
  name: 'timeouts-of-requests',
  clusters: [{ name: 'retried', fields: { circuit_breakers: { thresholds: [{ max_retries: 100 }] } } }],
  manager: { internal_address_config: loopback, use_remote_address: true },
  routes: {
    virtual_hosts: [
      anyHost([
        { name: 'long', match: { prefix: '/long' }, route: { cluster: 'retried', timeout: '4s' } },
        { name: 'none', match: { prefix: '/none' }, route: { cluster: 'retried', timeout: '0s' } },
        {
          name: 'tries',
          match: { prefix: '/tries' },
          route: {
            cluster: 'retried',
            timeout: '4s',
            retry_policy: { retry_on: '5xx', num_retries: 1, per_try_timeout: '0.7s' },
          },
        },
      ]),
    ],
  },
  share: 0.15,
  generate: (random) =>
    get(oneOf(random, ['/long', '/none', '/tries']), [
      ...(chance(random, 0.6)
        ? ([['x-envoy-upstream-rq-timeout-ms', oneOf(random, ['600', '0', 'x', '3000'])]] as const)
        : []),
      ...(chance(random, 0.4)
        ? ([['x-envoy-upstream-rq-per-try-timeout-ms', oneOf(random, ['600', '5000'])]] as const)
        : []),
      ...(chance(random, 0.3) ? ([['x-backend-delay', '1200']] as const) : []),
      ...(chance(random, 0.3) ? ([['x-backend-status', '503,200']] as const) : []),
      ...(chance(random, 0.3)
        ? ([
            ['x-envoy-retry-on', '5xx'],
            ['x-envoy-max-retries', '2'],
          ] as const)
        : []),
    ]),
};

compareProxies('connection manager', [
  timeouts,
  manager('hcm-defaults', {}),
  manager('hcm-one-trusted-hop', { xff_num_trusted_hops: 1 }),
  manager('hcm-edge', { use_remote_address: true }),
  manager('hcm-edge-one-hop', { use_remote_address: true, xff_num_trusted_hops: 1 }),
  manager('hcm-edge-two-hops', { use_remote_address: true, xff_num_trusted_hops: 2, skip_xff_append: true }),
  manager('hcm-internal', { internal_address_config: loopback }),
  manager('hcm-edge-internal', {
    use_remote_address: true,
    internal_address_config: loopback,
    append_x_forwarded_port: true,
  }),
  manager('hcm-forwarded-port', { append_x_forwarded_port: true }),
  manager('hcm-xff-extension', {
    original_ip_detection_extensions: [
      {
        name: 'xff',
        typed_config: any('envoy.extensions.http.original_ip_detection.xff.v3.XffConfig', { xff_num_trusted_hops: 1 }),
      },
    ],
  }),
  manager('hcm-request-id', {
    use_remote_address: true,
    preserve_external_request_id: true,
    always_set_request_id_in_response: true,
  }),
  manager('hcm-no-request-id', { generate_request_id: false, always_set_request_id_in_response: true }),
  manager('hcm-via', { via: '1.1 weft', server_name: 'named', server_header_transformation: 'APPEND_IF_ABSENT' }),
  manager('hcm-pass-through', { server_header_transformation: 'PASS_THROUGH' }),
  manager('hcm-scheme', { scheme_header_transformation: { scheme_to_overwrite: 'https' } }),
  manager(
    'hcm-http2',
    { internal_address_config: loopback },
    {
      downstream: 'http2',
      share: 0.5,
      generate: (random) =>
        get(
          oneOf(random, ['/', '/scheme', '/redirect', '/echo']),
          clientFields(random).filter(([name]) => name !== 'te'),
        ),
    },
  ),
  hostStripping('strip-any-port', { strip_any_host_port: true }),
  hostStripping('strip-matching-port', { strip_matching_host_port: true }),
  hostStripping('strip-dot', { strip_trailing_host_dot: true }),
  hostStripping('strip-dot-and-port', { strip_trailing_host_dot: true, strip_any_host_port: true }),
  underscores('underscores-allowed', 'ALLOW'),
  underscores('underscores-rejected', 'REJECT_REQUEST'),
  underscores('underscores-dropped', 'DROP_HEADER'),
  normalisation('paths-none', {}),
  normalisation('paths-base', { normalize_path: true }),
  normalisation('paths-merge-slashes', { normalize_path: true, merge_slashes: true }),
  normalisation('paths-decode-and-merge', {
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD',
  }),
  normalisation('paths-redirect', { normalize_path: true, path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT' }),
  normalisation('paths-reject', { normalize_path: true, path_with_escaped_slashes_action: 'REJECT_REQUEST' }),
]);
