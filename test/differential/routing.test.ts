import {
  any,
  anyHost,
  type Configuration,
  chance,
  type GeneratedRequest,
  get,
  type JsonObject,
  oneOf,
  someOf,
} from './support/configuration.ts';
import { compareProxies } from './support/run.ts';

const paths = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/ab',
  '/A/B',
  '/a?x=1',
  '/static/img.png',
  '/api/v1/users/12',
  '/exact',
  '/Exact',
  '/exact/',
  '/exact?q',
  '/api/v1/users/12?x=/a',
] as const;

const pathMatching: Configuration = {
  name: 'path-matching',
  clusters: ['one', 'two', 'three', 'four', 'five'],
  routes: {
    virtual_hosts: [
      anyHost([
        { name: 'exact', match: { path: '/exact' }, route: { cluster: 'one' } },
        { name: 'insensitive', match: { path: '/exact', case_sensitive: false }, route: { cluster: 'two' } },
        { name: 'separated', match: { path_separated_prefix: '/a' }, route: { cluster: 'three' } },
        { name: 'regex', match: { safe_regex: { regex: '/api/v[0-9]+/users/[0-9]+' } }, route: { cluster: 'four' } },
        { name: 'prefix', match: { prefix: '/a' }, route: { cluster: 'five' } },
        { name: 'prefix-insensitive', match: { prefix: '/a', case_sensitive: false }, route: { cluster: 'one' } },
        {
          name: 'static',
          match: { prefix: '/static' },
          direct_response: { status: 201, body: { inline_string: 'made here' } },
        },
      ]),
    ],
  },
  generate: (random) =>
    get(oneOf(random, paths) + (chance(random, 0.2) ? oneOf(random, ['/', 'x', '?y=2', '/api/v2/users/1']) : '')),
};

/** Enough routes that ours looks them up in an index. */
const manyRoutes: Configuration = {
  name: 'many-routes',
  clusters: ['one', 'two', 'three'],
  routes: {
    virtual_hosts: [
      anyHost(
        Array.from({ length: 120 }, (_, index): JsonObject => {
          const segment = `/s${index % 17}`;
          const kinds: JsonObject[] = [
            { prefix: segment },
            { path: `${segment}/x` },
            { path_separated_prefix: `${segment}/y` },
            { prefix: `${segment}/Z`, case_sensitive: false },
            { safe_regex: { regex: `${segment}/[a-c]+` } },
            { path: `${segment}/Exact`, case_sensitive: false },
          ];
          const kind = kinds[(index * 7) % kinds.length] as JsonObject;
          const match =
            index % 4 === 0
              ? { ...kind, headers: [{ name: 'x-pick', string_match: { exact: String(index % 3) } }] }
              : kind;
          return {
            name: `r${index}`,
            match,
            route: { cluster: oneOf(() => (index % 3) / 3, ['one', 'two', 'three']) },
          };
        }),
      ),
    ],
  },
  generate: (random) =>
    get(
      `/s${Math.floor(random() * 19)}${oneOf(random, ['', '/x', '/y', '/y/z', '/yz', '/z', '/Zebra', '/abc', '/exact', '/EXACT', '/x?q=1', '/d'])}`,
      chance(random, 0.5) ? [['x-pick', String(Math.floor(random() * 4))]] : [],
    ),
};

const domains: Configuration = {
  name: 'domains',
  clusters: ['one'],
  routes: {
    virtual_hosts: (
      [
        ['exact', ['books.shop.example', 'books:8080', '[::1]:80']],
        ['suffix', ['*.shop.example', '*-eu.example']],
        ['longer-suffix', ['*.eu.shop.example']],
        ['prefix', ['shop.*', 'api-*']],
        ['upper', ['UPPER.example']],
      ] as const
    ).map(([name, list]) => ({
      name,
      domains: list,
      routes: [{ name, match: { prefix: '/' }, route: { cluster: 'one' } }],
    })),
  },
  generate: (random) =>
    get(
      '/',
      [],
      oneOf(random, [
        'books.shop.example',
        'BOOKS.shop.EXAMPLE',
        'books:8080',
        'books',
        'a.shop.example',
        'a.eu.shop.example',
        '.shop.example',
        'shop.example',
        'shop.org',
        'shop.',
        'api-1',
        'x-eu.example',
        'upper.example',
        'UPPER.EXAMPLE',
        '[::1]:80',
        'books.shop.example:80',
        'a.shop.example:8443',
      ]),
    ),
};

const domainsWithoutPort: Configuration = {
  ...domains,
  name: 'domains-without-port',
  routes: { ...domains.routes, ignore_port_in_host_matching: true },
};

const headerMatchers: readonly JsonObject[] = [
  { name: 'x-a', string_match: { exact: 'one' } },
  { name: 'x-a', string_match: { exact: 'TWO', ignore_case: true } },
  { name: 'x-a', string_match: { prefix: 'pre' } },
  { name: 'x-a', string_match: { suffix: 'fix' } },
  { name: 'x-a', string_match: { contains: 'mid' } },
  { name: 'x-a', string_match: { safe_regex: { regex: '[0-9]{3}' } } },
  { name: 'x-a', string_match: { exact: 'one,two' } },
  { name: 'x-n', range_match: { start: '10', end: '20' } },
  { name: 'x-n', range_match: { start: '-5', end: '0' }, invert_match: true },
  { name: 'x-p', present_match: true },
  { name: 'x-p', present_match: false },
  { name: 'x-p', present_match: true, invert_match: true },
  { name: 'x-b', string_match: { exact: 'v' }, invert_match: true },
  { name: 'x-b', string_match: { exact: 'v' }, invert_match: true, treat_missing_header_as_empty: true },
  { name: 'x-b', string_match: { exact: '' }, treat_missing_header_as_empty: true },
  { name: 'x-b', string_match: { safe_regex: { regex: '.*' } }, treat_missing_header_as_empty: true },
  { name: 'x-p', present_match: true, treat_missing_header_as_empty: true },
  { name: 'x-p', present_match: false, treat_missing_header_as_empty: true },
  { name: 'x-n', range_match: { start: '0', end: '5' }, treat_missing_header_as_empty: true },
  { name: ':method', string_match: { exact: 'POST' } },
  { name: ':path', string_match: { contains: 'x=1' } },
  { name: ':authority', string_match: { suffix: '.example' } },
  { name: 'host', string_match: { exact: 'other' } },
  { name: ':scheme', string_match: { exact: 'http' } },
  { name: 'cookie', string_match: { contains: 'a=1' } },
  { name: 'X-A', string_match: { exact: 'one' } },
];

const generateHeaders = (random: () => number): (readonly [string, string])[] => [
  ...someOf(random, ['one', 'two', 'prefix', 'amidst', '123', '', 'one,two'], 0.15).map(
    (value) => ['x-a', value] as const,
  ),
  ...(chance(random, 0.5)
    ? ([['X-N', oneOf(random, ['15', '10', '20', '-3', '0', '+12', 'x', '3.5', '', '99999999999999999999'])]] as const)
    : []),
  ...(chance(random, 0.3) ? ([['x-p', oneOf(random, ['', 'y'])]] as const) : []),
  ...(chance(random, 0.4) ? ([['x-b', oneOf(random, ['v', 'w', ''])]] as const) : []),
  ...(chance(random, 0.2)
    ? ([
        ['cookie', 'b=2'],
        ['cookie', 'a=1'],
      ] as const)
    : []),
];

/** Lines of one field, each matcher on each combination. */
const severalValues: readonly (readonly string[])[] = [
  ['one', 'two'],
  ['two', 'one'],
  ['prefix', 'one'],
  ['one', 'prefix'],
  ['one', '123'],
  ['two', 'prefix', '123'],
  ['a', 'suffix'],
  ['suffix', 'a'],
  ['123', '456'],
];

/** One route for each matcher: `/mN` asks matcher N, `/all` those behind the first that fits. */
const headers: Configuration = {
  name: 'header-matchers',
  clusters: ['one', 'two'],
  routes: {
    virtual_hosts: [
      anyHost([
        ...headerMatchers.flatMap((matcher, index): JsonObject[] => [
          { name: `yes${index}`, match: { path: `/m${index}`, headers: [matcher] }, route: { cluster: 'one' } },
          { name: `no${index}`, match: { path: `/m${index}` }, route: { cluster: 'two' } },
        ]),
        {
          name: 'two-of-them',
          match: { prefix: '/', headers: headerMatchers.slice(8, 10) },
          route: { cluster: 'one' },
        },
        { name: 'rest', match: { prefix: '/' }, route: { cluster: 'two' } },
      ]),
    ],
  },
  fixed: severalValues.flatMap((values) =>
    headerMatchers.slice(0, 7).map((_, index) =>
      get(
        `/m${index}`,
        values.map((value) => ['x-a', value] as const),
      ),
    ),
  ),
  generate: (random) => ({
    method: oneOf(random, ['GET', 'POST', 'PUT']),
    path: `/m${Math.floor(random() * (headerMatchers.length + 1))}${chance(random, 0.2) ? '?x=1' : ''}`,
    host: oneOf(random, ['shop.example', 'other']),
    headers: generateHeaders(random),
  }),
};

const queryMatchers: readonly JsonObject[] = [
  { name: 'a', string_match: { exact: '1' } },
  { name: 'a', string_match: { prefix: 'x' } },
  { name: 'a', string_match: { safe_regex: { regex: '[a-z]+' } } },
  { name: 'b', present_match: true },
  { name: 'b', present_match: false },
  { name: 'b' },
  { name: 'c d', string_match: { exact: 'e f' } },
  { name: 'c%20d', string_match: { exact: 'e%20f' } },
  { name: 'a', string_match: { exact: '' } },
];

const query: Configuration = {
  name: 'query-matchers',
  clusters: ['one', 'two'],
  routes: {
    virtual_hosts: [
      anyHost(
        queryMatchers.flatMap((matcher, index): JsonObject[] => [
          {
            name: `yes${index}`,
            match: { path: `/m${index}`, query_parameters: [matcher] },
            route: { cluster: 'one' },
          },
          { name: `no${index}`, match: { path: `/m${index}` }, route: { cluster: 'two' } },
        ]),
      ),
    ],
  },
  generate: (random) =>
    get(
      `/m${Math.floor(random() * queryMatchers.length)}?${someOf(random, ['a=1', 'a=xy', 'a', 'a=', 'b', 'b=2', 'c%20d=e%20f', 'c+d=e+f', '', 'a=%31', '%61=1', 'a=1=2', 'a=1&a=2'], 0.25).join('&')}`,
    ),
};

const grpcAndOthers: Configuration = {
  name: 'grpc-match',
  clusters: ['one', 'two'],
  routes: {
    virtual_hosts: [
      anyHost([
        { name: 'grpc', match: { prefix: '/', grpc: {} }, route: { cluster: 'one' } },
        { name: 'tls', match: { prefix: '/tls', tls_context: { presented: true } }, route: { cluster: 'one' } },
        { name: 'no-tls', match: { prefix: '/tls', tls_context: { presented: false } }, route: { cluster: 'two' } },
        { name: 'validated', match: { prefix: '/val', tls_context: { validated: false } }, route: { cluster: 'two' } },
        {
          name: 'never',
          match: { prefix: '/', runtime_fraction: { default_value: { numerator: 0 }, runtime_key: 'k' } },
          route: { cluster: 'one' },
        },
        {
          name: 'always',
          match: { prefix: '/', runtime_fraction: { default_value: { numerator: 100 } } },
          route: { cluster: 'two' },
        },
      ]),
    ],
  },
  generate: (random) => ({
    ...get(
      oneOf(random, ['/', '/tls', '/val', '/pkg.Svc/Method']),
      chance(random, 0.6)
        ? [
            [
              'content-type',
              oneOf(random, [
                'application/grpc',
                'application/grpc+proto',
                'application/grpc-web',
                'application/json',
                'application/grpcx',
              ]),
            ],
          ]
        : [],
    ),
    method: 'POST',
    body: 'x',
  }),
};

const templates: readonly (readonly [template: string, rewrite: string | undefined])[] = [
  ['/videos/{lang=lang/*}/*', '/{lang}'],
  ['/{one}/{two}', '/{two}/{one}'],
  ['/media/*/*.m4s', undefined],
  ['/content/**.mpd', '/all.mpd'],
  ['/content/{format}/{lang}/{id}/{file}.vtt', '/{lang}/{format}/{file}.vtt'],
  ['/any/{rest=**}', '/moved/{rest}'],
];

const template: Configuration = {
  name: 'path-templates',
  clusters: ['one', 'two'],
  routes: {
    virtual_hosts: [
      anyHost([
        ...templates.map(
          ([path_template, rewrite], index): JsonObject => ({
            name: `t${index}`,
            match: {
              path_match_policy: {
                name: 'match',
                typed_config: any('envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig', {
                  path_template,
                }),
              },
            },
            route: {
              cluster: 'one',
              ...(rewrite === undefined
                ? {}
                : {
                    path_rewrite_policy: {
                      name: 'rewrite',
                      typed_config: any('envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig', {
                        path_template_rewrite: rewrite,
                      }),
                    },
                  }),
            },
          }),
        ),
        { name: 'rest', match: { prefix: '/' }, route: { cluster: 'two' } },
      ]),
    ],
  },
  generate: (random) =>
    get(
      oneOf(random, [
        '/videos/lang/en/video.m4s',
        '/videos/en/x',
        '/cat/dog',
        '/cat',
        '/cat/',
        '/media/a/b.m4s',
        '/media/a/.m4s',
        '/content/a/b/c.mpd',
        '/content/.mpd',
        '/content/hls/en-us/12345/en_193913.vtt',
        '/any',
        '/any/',
        '/any/a/b/c',
        '/any/a%20b',
        '/a=b/c',
        '/*/c',
        '/~/!',
      ]) + (chance(random, 0.3) ? '?q=/x' : ''),
    ),
};

const clusterHeader: Configuration = {
  name: 'cluster-header',
  clusters: ['one', 'two'],
  routes: {
    virtual_hosts: [
      anyHost([
        { name: 'by-header', match: { prefix: '/h' }, route: { cluster_header: 'x-cluster' } },
        {
          name: 'not-found',
          match: { prefix: '/404' },
          route: { cluster: 'nobody', cluster_not_found_response_code: 'NOT_FOUND' },
        },
        {
          name: 'not-found-500',
          match: { prefix: '/500' },
          route: { cluster: 'nobody', cluster_not_found_response_code: 'INTERNAL_SERVER_ERROR' },
        },
        {
          name: 'weighted-header',
          match: { prefix: '/w' },
          route: { weighted_clusters: { clusters: [{ cluster_header: 'X-Cluster', weight: 1 }] } },
        },
        {
          name: 'random-header',
          match: { prefix: '/r' },
          route: {
            weighted_clusters: {
              header_name: 'x-random',
              clusters: [
                { name: 'one', weight: 30, host_rewrite_literal: 'first' },
                { name: 'two', weight: 70, request_headers_to_add: [{ header: { key: 'x-two', value: 'yes' } }] },
              ],
            },
            host_rewrite_literal: 'of-route',
          },
        },
        { name: 'by-host', match: { prefix: '/' }, route: { cluster_header: ':authority' } },
      ]),
    ],
  },
  generate: (random) =>
    get(
      oneOf(random, ['/h', '/404', '/500', '/w', '/r', '/']),
      [
        ...someOf(random, ['one', 'two', 'nobody', ''], 0.3).map((name) => ['x-cluster', name] as const),
        ['x-random', String(Math.floor(random() * 1000))],
      ],
      oneOf(random, ['one', 'two', 'nobody']),
    ),
};

const weighted: Configuration = {
  name: 'weighted',
  clusters: ['one', 'two', 'three'],
  routes: {
    virtual_hosts: [
      anyHost([
        {
          name: 'split',
          match: { prefix: '/' },
          route: {
            weighted_clusters: {
              runtime_key_prefix: 'k',
              clusters: [
                { name: 'one', weight: 90 },
                { name: 'two', weight: 10 },
                { name: 'three', weight: 0 },
              ],
            },
          },
        },
      ]),
    ],
  },
  statistical: { outcome: ({ log }) => log['cluster'] ?? '' },
  generate: () => get('/'),
};

const fraction: Configuration = {
  name: 'runtime-fraction',
  clusters: ['one', 'two'],
  routes: {
    virtual_hosts: [
      anyHost([
        {
          name: 'some',
          match: { prefix: '/', runtime_fraction: { default_value: { numerator: 2500, denominator: 'TEN_THOUSAND' } } },
          route: { cluster: 'one' },
        },
        { name: 'rest', match: { prefix: '/' }, route: { cluster: 'two' } },
      ]),
    ],
  },
  statistical: { outcome: ({ log }) => log['route'] ?? '' },
  generate: () => get('/'),
};

const rewritten: Configuration = {
  name: 'rewrites',
  clusters: ['one', 'two'],
  routes: {
    virtual_hosts: [
      anyHost([
        { name: 'prefix', match: { prefix: '/p/' }, route: { cluster: 'one', prefix_rewrite: '/q/' } },
        {
          name: 'prefix-insensitive',
          match: { prefix: '/PI', case_sensitive: false },
          route: { cluster: 'one', prefix_rewrite: '/x' },
        },
        { name: 'exact', match: { path: '/e' }, route: { cluster: 'one', prefix_rewrite: '/exact' } },
        { name: 'separated', match: { path_separated_prefix: '/s' }, route: { cluster: 'one', prefix_rewrite: '/t' } },
        {
          name: 'regex-matched',
          match: { safe_regex: { regex: '/r/.*' } },
          route: { cluster: 'one', prefix_rewrite: '/whole' },
        },
        { name: 'same', match: { prefix: '/same' }, route: { cluster: 'one', prefix_rewrite: '/same' } },
        {
          name: 'regex',
          match: { prefix: '/g' },
          route: {
            cluster: 'one',
            regex_rewrite: { pattern: { regex: '^/g/([^/]+)/(.*)$' }, substitution: '/\\2/with/\\1' },
          },
        },
        {
          name: 'regex-all',
          match: { prefix: '/o' },
          route: { cluster: 'one', regex_rewrite: { pattern: { regex: 'o' }, substitution: '0' } },
        },
        {
          name: 'literal',
          match: { prefix: '/hl' },
          route: { cluster: 'one', host_rewrite_literal: 'literal.example', append_x_forwarded_host: true },
        },
        {
          name: 'header',
          match: { prefix: '/hh' },
          route: { cluster: 'one', host_rewrite_header: 'x-host', append_x_forwarded_host: true },
        },
        {
          name: 'path-regex',
          match: { prefix: '/hp/' },
          route: {
            cluster: 'one',
            prefix_rewrite: '/short/',
            host_rewrite_path_regex: { pattern: { regex: '^/hp/([^/]+).*$' }, substitution: '\\1.example' },
          },
        },
        {
          name: 'auto',
          match: { prefix: '/ha' },
          route: { cluster: 'one', auto_host_rewrite: true, append_x_forwarded_host: true },
        },
        { name: 'rest', match: { prefix: '/' }, route: { cluster: 'two', append_x_forwarded_host: true } },
      ]),
    ],
  },
  generate: (random) =>
    get(
      oneOf(random, [
        '/p/a',
        '/p/',
        '/pi/a',
        '/PIx',
        '/e',
        '/s',
        '/s/a',
        '/r/x/y',
        '/same/a',
        '/g/one/two',
        '/g/one',
        '/o/foo',
        '/hl',
        '/hh',
        '/hp/a/b',
        '/ha',
        '/',
      ]) + (chance(random, 0.3) ? '?p=/p/&o=o' : ''),
      [
        ...(chance(random, 0.5) ? ([['x-host', oneOf(random, ['from.header', '', 'shop.example'])]] as const) : []),
        ...(chance(random, 0.3)
          ? ([['x-forwarded-host', oneOf(random, ['before', 'shop.example', 'x, y'])]] as const)
          : []),
        ...(chance(random, 0.2) ? ([['x-envoy-original-path', '/fake']] as const) : []),
        ...(chance(random, 0.2) ? ([['x-envoy-original-host', 'fake']] as const) : []),
      ],
      oneOf(random, ['shop.example', 'shop.example:8080', 'literal.example']),
    ),
};

const redirects: readonly (readonly [match: JsonObject, redirect: JsonObject])[] = [
  [{ prefix: '/r0' }, { host_redirect: 'other.example' }],
  [{ prefix: '/r1' }, { https_redirect: true }],
  [{ prefix: '/r2' }, { scheme_redirect: 'HTTPS', port_redirect: 8443 }],
  [{ prefix: '/r3' }, { path_redirect: '/new' }],
  [{ prefix: '/r4' }, { path_redirect: '/new?with=query' }],
  [{ prefix: '/r5' }, { prefix_rewrite: '/pre', strip_query: true }],
  [{ prefix: '/r6/' }, { prefix_rewrite: '/' }],
  [
    { prefix: '/r7' },
    { regex_rewrite: { pattern: { regex: '/r7/(.*)' }, substitution: '/seven/\\1' }, response_code: 'FOUND' },
  ],
  [{ prefix: '/r8' }, { host_redirect: 'h', path_redirect: '/p', response_code: 'SEE_OTHER' }],
  [{ prefix: '/r9' }, { port_redirect: 9000, response_code: 'TEMPORARY_REDIRECT' }],
  [{ prefix: '/ra' }, { host_redirect: 'h:1', port_redirect: 2, response_code: 'PERMANENT_REDIRECT' }],
  [{ path: '/rb' }, { prefix_rewrite: '/b' }],
  [{ safe_regex: { regex: '/rc/.*' } }, { prefix_rewrite: '/c' }],
  [{ path_separated_prefix: '/rd' }, { prefix_rewrite: '/d' }],
  [{ prefix: '/re' }, { strip_query: true, https_redirect: true }],
  [{ prefix: '/rf' }, { path_redirect: '/new?with=query', strip_query: true }],
];

const redirecting: Configuration = {
  name: 'redirects',
  clusters: ['one'],
  routes: {
    virtual_hosts: [
      anyHost([
        ...redirects.map(
          ([match, redirect], index): JsonObject => ({
            name: `redirect${index}`,
            match,
            redirect,
            response_headers_to_add: [{ header: { key: 'x-route', value: `%ROUTE_NAME%` } }],
          }),
        ),
        ...[200, 204, 304, 301, 404, 503].map(
          (status): JsonObject => ({
            name: `direct${status}`,
            match: { prefix: `/d${status}` },
            direct_response: {
              status,
              ...(status === 204 || status === 304 ? {} : { body: { inline_string: `body of ${status}` } }),
            },
          }),
        ),
        { name: 'empty', match: { prefix: '/dempty' }, direct_response: { status: 418 } },
      ]),
    ],
  },
  generate: (random) => ({
    method: oneOf(random, ['GET', 'GET', 'POST', 'HEAD']),
    path:
      (chance(random, 0.7)
        ? `/r${oneOf(random, [...'0123456789abcdef'])}`
        : `/d${oneOf(random, [200, 204, 304, 301, 404, 503, 'empty'])}`) +
      oneOf(random, ['', '/', '/x', '/x/y']) +
      oneOf(random, ['', '', '?a=b', '?']),
    host: oneOf(random, [
      'shop.example',
      'shop.example:80',
      'shop.example:443',
      'shop.example:8080',
      '[::1]',
      '[::1]:80',
    ]),
    headers: chance(random, 0.3) ? [['x-forwarded-proto', oneOf(random, ['https', 'http'])]] : [],
  }),
};

const requireTls: Configuration = {
  name: 'require-tls',
  clusters: ['one'],
  routes: {
    virtual_hosts: [
      {
        name: 'all',
        domains: ['all'],
        require_tls: 'ALL',
        routes: [{ match: { prefix: '/' }, route: { cluster: 'one' } }],
      },
      {
        name: 'external',
        domains: ['external'],
        require_tls: 'EXTERNAL_ONLY',
        routes: [{ match: { prefix: '/' }, route: { cluster: 'one' } }],
      },
    ],
  },
  generate: (random): GeneratedRequest => ({
    ...get(
      oneOf(random, ['/', '/a?b=c']),
      chance(random, 0.5) ? [['x-forwarded-proto', oneOf(random, ['https', 'http', 'HTTPS'])]] : [],
      oneOf(random, ['all', 'external']),
    ),
    method: oneOf(random, ['GET', 'POST']),
  }),
};

const overHttp2: readonly Configuration[] = [headers, rewritten, redirecting].map((configuration) => ({
  ...configuration,
  name: `${configuration.name}-http2`,
  downstream: 'http2',
  share: 0.5,
}));

compareProxies('routing', [
  pathMatching,
  manyRoutes,
  domains,
  domainsWithoutPort,
  headers,
  query,
  grpcAndOthers,
  template,
  clusterHeader,
  weighted,
  fraction,
  rewritten,
  redirecting,
  requireTls,
  ...overHttp2,
]);
