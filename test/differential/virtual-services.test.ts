import {
  chance,
  type GeneratedRequest,
  get,
  type MeshCase,
  type Observation,
  oneOf,
  someOf,
} from './support/configuration.ts';
import { fromOutside } from './support/from-outside.ts';
import { compareSidecars } from './support/run.ts';

/** Istio's resources, through the control plane, to a sidecar of each engine. */

type Field = readonly [string, string];

const versions = ['v1', 'v2', 'v3'] as const;

/** A DestinationRule with a subset for each version. */
function subsets(name: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}}
spec:
  host: ${name}
  subsets: [${versions.map((version) => `{name: ${version}, labels: {version: ${version}}}`).join(', ')}]`;
}

function virtualService(name: string, http: string, more = ''): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}}
spec:
  hosts: [${name}]${more}
  http:
${http}`;
}

/** Requests go to one subset of a service. */
const to = (name: string, version: (typeof versions)[number]): string =>
  `route: [{destination: {host: ${name}, subset: ${version}}}]`;

function split(name: string, http: string): Pick<MeshCase, 'name' | 'services' | 'manifest'> {
  return {
    name,
    services: { [name]: versions },
    manifest: `${subsets(name)}\n---${virtualService(name, http)}`,
  };
}

const paths = [
  '/',
  '/a',
  '/a/',
  '/A',
  '/ab',
  '/a/b',
  '/a/b?x=1',
  '/b',
  '/api/v1/x',
  '/api/v22/x',
  '/exact',
  '/exact/',
  '/EXACT',
];

const uris: MeshCase = {
  ...split(
    'uris',
    `
  - name: exact
    match: [{uri: {exact: /exact}}]
    ${to('uris', 'v2')}
  - name: no-case
    match: [{uri: {exact: /exact}, ignoreUriCase: true}, {uri: {prefix: /A/}, ignoreUriCase: true}]
    ${to('uris', 'v3')}
  - name: regex
    match: [{uri: {regex: "/api/v[0-9]+/.*"}}]
    ${to('uris', 'v2')}
  - name: prefix
    match: [{uri: {prefix: /a}}]
    ${to('uris', 'v3')}
  - ${to('uris', 'v1')}`,
  ),
  generate: (random) =>
    get(
      oneOf(random, paths),
      fromOutside(random),
      oneOf(random, ['uris', 'uris:80', 'uris.default', 'uris.default.svc', 'uris.default.svc.cluster.local', 'URIS']),
    ),
};

const conditions: MeshCase = {
  ...split(
    'conditions',
    `
  - name: user
    match:
    - headers: {x-user: {exact: jason}}
      withoutHeaders: {x-off: {}}
    ${to('conditions', 'v2')}
  - name: prefix-or-regex
    match: [{headers: {x-user: {prefix: ja}}, method: {exact: GET}}, {headers: {x-user: {regex: "[0-9]+"}}}]
    ${to('conditions', 'v3')}
  - name: present
    match: [{headers: {x-flag: {}}}]
    ${to('conditions', 'v2')}
  - name: query
    match:
    - queryParams: {q: {exact: one}}
    - queryParams: {q: {prefix: t}, r: {regex: "[a-z]+"}}
    ${to('conditions', 'v3')}
  - name: method
    match: [{method: {regex: "PUT|DELETE"}}]
    ${to('conditions', 'v2')}
  - name: authority
    match: [{authority: {prefix: conditions.d}}]
    ${to('conditions', 'v3')}
  - name: not-two
    match: [{withoutHeaders: {x-two: {exact: "2"}}, uri: {prefix: /w}}]
    ${to('conditions', 'v2')}
  - ${to('conditions', 'v1')}`,
  ),
  generate: (random) => ({
    ...get(
      oneOf(random, ['/', '/w', '/?q=one', '/?q=two&r=abc', '/?q=two&r=1', '/w?q=', '/?q=one&q=two', '/?Q=one']),
      someOf<Field>(
        random,
        [
          ['x-user', oneOf(random, ['jason', 'james', '12', 'Jason', ''])],
          ['x-off', '1'],
          ['x-flag', oneOf(random, ['', 'on'])],
          ['x-two', oneOf(random, ['2', '22'])],
          ['x-user', '7'],
        ],
        0.35,
      ),
      oneOf(random, ['conditions', 'conditions.default', 'conditions.default.svc.cluster.local:80']),
    ),
    method: oneOf(random, ['GET', 'GET', 'PUT', 'DELETE', 'POST', 'HEAD']),
  }),
};

const rewrites: MeshCase = {
  ...split(
    'rewrites',
    `
  - match: [{uri: {prefix: /strip/}}, {uri: {prefix: /strip}}]
    rewrite: {uri: /}
    ${to('rewrites', 'v1')}
  - match: [{uri: {exact: /one}}]
    rewrite: {uri: /two, authority: other.example}
    ${to('rewrites', 'v2')}
  - match: [{uri: {prefix: /regex}}]
    rewrite: {uriRegexRewrite: {match: "^/regex/([^/]+)/(.*)$", rewrite: "/\\\\2/of/\\\\1"}}
    ${to('rewrites', 'v3')}
  - match: [{uri: {prefix: /api}}]
    rewrite: {uri: /internal/api}
    ${to('rewrites', 'v1')}
  - rewrite: {authority: named.example}
    ${to('rewrites', 'v1')}`,
  ),
  generate: (random) =>
    get(
      oneOf(random, [
        '/strip',
        '/strip/',
        '/strip/a',
        '/stripped',
        '/one',
        '/one?q=1',
        '/regex/a/b',
        '/regex/a/b/c?x',
        '/regex/',
        '/api',
        '/api/x',
        '/apix',
        '/z',
      ]),
      [],
      'rewrites',
    ),
};

const redirects: MeshCase = {
  ...split(
    'redirects',
    `
  - match: [{uri: {exact: /old}}]
    redirect: {uri: /new}
  - match: [{uri: {prefix: /host}}]
    redirect: {authority: other.example, redirectCode: 308}
  - match: [{uri: {prefix: /both}}]
    redirect: {uri: /there, authority: other.example:8443, scheme: https, redirectCode: 307}
  - match: [{uri: {prefix: /port}}]
    redirect: {port: 8080}
  - match: [{uri: {prefix: /derived}}]
    redirect: {derivePort: FROM_PROTOCOL_DEFAULT, scheme: https}
  - match: [{uri: {prefix: /tea}}]
    directResponse: {status: 418, body: {string: "short and stout"}}
  - match: [{uri: {prefix: /bytes}}]
    directResponse: {status: 200, body: {bytes: aGVsbG8=}}
  - match: [{uri: {prefix: /empty}}]
    directResponse: {status: 204}
  - match: [{uri: {prefix: /headed}}]
    directResponse: {status: 404}
    headers: {response: {set: {x-made: here}, add: {x-two: a}}}
  - ${to('redirects', 'v1')}`,
  ),
  generate: (random) => ({
    ...get(
      oneOf(random, [
        '/old',
        '/old?q=1',
        '/host',
        '/host/a?b=c',
        '/both/x',
        '/port',
        '/port/x?y',
        '/derived',
        '/tea',
        '/tea/x',
        '/bytes',
        '/empty',
        '/headed',
        '/z',
      ]),
      [],
      oneOf(random, ['redirects', 'redirects:80', 'redirects.default']),
    ),
    method: oneOf(random, ['GET', 'GET', 'POST', 'HEAD']),
  }),
};

const headers: MeshCase = {
  ...split(
    'headers',
    `
  - match: [{uri: {prefix: /r}}]
    headers:
      request: {set: {x-set: one, x-ua: "%REQ(x-in)%"}, add: {x-add: two}, remove: [x-gone]}
      response: {set: {x-back: three}, add: {x-more: four}, remove: [server, x-hidden]}
    route:
    - destination: {host: headers, subset: v2}
      headers:
        request: {set: {x-set: inner, x-inner: five}, remove: [x-in]}
        response: {add: {x-more: six}}
  - match: [{uri: {prefix: /h}}]
    headers: {request: {set: {host: set.example}}}
    ${to('headers', 'v3')}
  - match: [{uri: {prefix: /p}}]
    headers: {request: {set: {x-percent: "100%"}}}
    ${to('headers', 'v3')}
  - ${to('headers', 'v1')}`,
  ),
  generate: (random) =>
    get(
      oneOf(random, ['/r', '/r/x', '/h', '/p', '/n']),
      [
        ...someOf<Field>(random, [
          ['x-set', 'mine'],
          ['x-add', 'mine'],
          ['x-gone', 'here'],
          ['X-Gone', 'too'],
          ['x-in', oneOf(random, ['in', 'a,b', ''])],
        ]),
        ...(chance(random, 0.5)
          ? ([['x-backend-headers', 'x-hidden:1|x-more:0|X-Back:0|server:theirs']] as const)
          : []),
      ],
      'headers',
    ),
};

const origins = ['https://a.example', 'https://b.shop.example', 'https://evil.example', 'http://a.example', 'null'];

const cors: MeshCase = {
  ...split(
    'cors',
    `
  - match: [{uri: {prefix: /open}}]
    corsPolicy:
      allowOrigins: [{exact: "https://a.example"}, {regex: "https://.*[.]shop[.]example"}]
      allowMethods: [GET, PUT]
      allowHeaders: [x-token, content-type]
      exposeHeaders: [x-seen]
      maxAge: 24h
      allowCredentials: true
    ${to('cors', 'v1')}
  - match: [{uri: {prefix: /any}}]
    corsPolicy: {allowOrigins: [{prefix: "https://"}], allowMethods: [POST], unmatchedPreflights: IGNORE}
    ${to('cors', 'v2')}
  - ${to('cors', 'v3')}`,
  ),
  generate: (random) => {
    const preflight = chance(random, 0.5);
    return {
      ...get(
        oneOf(random, ['/open', '/open/x', '/any', '/none']),
        [
          ...(chance(random, 0.9) ? ([['origin', oneOf(random, origins)]] as const) : []),
          ...(preflight ? ([['access-control-request-method', oneOf(random, ['GET', 'PUT', 'PATCH'])]] as const) : []),
        ],
        'cors',
      ),
      method: preflight ? 'OPTIONS' : oneOf(random, ['GET', 'PUT']),
    };
  },
};

const faults: MeshCase = {
  ...split(
    'faults',
    `
  - match: [{uri: {prefix: /abort}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    ${to('faults', 'v1')}
  - match: [{uri: {prefix: /grpc}}]
    fault: {abort: {grpcStatus: UNAVAILABLE, percentage: {value: 100}}}
    ${to('faults', 'v1')}
  - match: [{uri: {prefix: /delay}}]
    fault: {delay: {fixedDelay: 60ms, percentage: {value: 100}}}
    ${to('faults', 'v2')}
  - match: [{uri: {prefix: /both}}]
    fault: {delay: {fixedDelay: 30ms, percentage: {value: 100}}, abort: {httpStatus: 500, percentage: {value: 100}}}
    ${to('faults', 'v2')}
  - match: [{uri: {prefix: /never}}]
    fault: {abort: {httpStatus: 500, percentage: {value: 0}}}
    ${to('faults', 'v3')}
  - ${to('faults', 'v1')}`,
  ),
  share: 0.5,
  generate: (random) => ({
    ...get(
      oneOf(random, ['/abort', '/grpc', '/delay', '/both', '/never', '/z']),
      chance(random, 0.3) ? [['content-type', 'application/grpc']] : [],
      'faults',
    ),
    method: oneOf(random, ['GET', 'POST']),
  }),
};

const faultShares: MeshCase = {
  ...split(
    'fault-shares',
    `
  - fault: {abort: {httpStatus: 429, percentage: {value: 30}}}
    ${to('fault-shares', 'v1')}`,
  ),
  statistical: { outcome: ({ status }) => String(status) },
  generate: () => get('/', [], 'fault-shares'),
};

const weights: MeshCase = {
  ...split(
    'weights',
    `
  - match: [{uri: {prefix: /half}}]
    route:
    - {destination: {host: weights, subset: v1}, weight: 50}
    - {destination: {host: weights, subset: v2}, weight: 50}
  - route:
    - {destination: {host: weights, subset: v1}, weight: 80}
    - {destination: {host: weights, subset: v2}, weight: 20}
    - {destination: {host: weights, subset: v3}, weight: 0}`,
  ),
  statistical: { outcome: (seen: Observation) => `${seen.body} ${seen.backends[0]?.path}` },
  generate: (random) => get(oneOf(random, ['/half', '/rest']), [], 'weights'),
};

const timeouts: MeshCase = {
  ...split(
    'timeouts',
    `
  - match: [{uri: {prefix: /short}}]
    timeout: 1s
    ${to('timeouts', 'v1')}
  - match: [{uri: {prefix: /try}}]
    timeout: 9s
    retries: {attempts: 2, perTryTimeout: 1s, retryOn: "5xx,reset"}
    ${to('timeouts', 'v2')}
  - match: [{uri: {prefix: /none}}]
    ${to('timeouts', 'v3')}
  - ${to('timeouts', 'v1')}`,
  ),
  share: 0.1,
  generate: (random) =>
    get(
      oneOf(random, ['/short', '/try', '/none', '/z']),
      chance(random, 0.5) ? [['x-backend-delay', oneOf(random, ['0', '10', '2500', '2500,0', '2500,2500,0'])]] : [],
      'timeouts',
    ),
};

const retries: MeshCase = {
  ...split(
    'retries',
    `
  - match: [{uri: {prefix: /default}}]
    ${to('retries', 'v1')}
  - match: [{uri: {prefix: /off}}]
    retries: {attempts: 0}
    ${to('retries', 'v1')}
  - match: [{uri: {prefix: /five}}]
    retries: {attempts: 3, retryOn: "5xx", backoff: 25ms}
    ${to('retries', 'v2')}
  - match: [{uri: {prefix: /gateway}}]
    retries: {attempts: 2, retryOn: "gateway-error,reset,connect-failure", backoff: 25ms}
    ${to('retries', 'v2')}
  - match: [{uri: {prefix: /codes}}]
    retries: {attempts: 2, retryOn: "409,retriable-4xx,refused-stream", backoff: 25ms}
    ${to('retries', 'v3')}
  - match: [{uri: {prefix: /no-host}}]
    retries: {attempts: 1, retryOn: "503", retryIgnorePreviousHosts: false, backoff: 25ms}
    ${to('retries', 'v3')}
  - ${to('retries', 'v1')}`,
  ),
  share: 0.7,
  generate: (random) => {
    const fields = someOf<Field>(
      random,
      [
        [
          'x-backend-status',
          oneOf(random, ['500', '503', '502,200', '504,504,200', '409', '429', '409,200', '503,500,200']),
        ],
        ['x-backend-reset', oneOf(random, ['1', '1,0', '1,1,0'])],
      ],
      0.45,
    );
    const path = oneOf(random, ['/default', '/off', '/five', '/gateway', '/codes', '/no-host']);
    // Idempotent requests whose kept connection closes are sent again by ours whatever the policy is (docs/proxy.md).
    const isReset = fields.some(([name]) => name === 'x-backend-reset');
    return { ...get(path, fields, 'retries'), method: isReset ? 'POST' : oneOf(random, ['GET', 'GET', 'POST', 'PUT']) };
  },
};

const mirrors: MeshCase = {
  name: 'mirroring-of-services',
  services: { mirrored: versions, copies: ['v1'], more: ['v1'] },
  manifest: `${subsets('mirrored')}
---${virtualService(
    'mirrored',
    `
  - match: [{uri: {prefix: /one}}]
    mirror: {host: copies}
    ${to('mirrored', 'v1')}
  - match: [{uri: {prefix: /two}}]
    mirrors: [{destination: {host: copies}}, {destination: {host: more}, percentage: {value: 100}}]
    ${to('mirrored', 'v2')}
  - match: [{uri: {prefix: /never}}]
    mirror: {host: copies}
    mirrorPercentage: {value: 0}
    ${to('mirrored', 'v3')}
  - ${to('mirrored', 'v1')}`,
  )}`,
  generate: (random) => {
    const path = oneOf(random, ['/one', '/two', '/two/x?y=1', '/never', '/z']);
    const request: GeneratedRequest = get(path, someOf<Field>(random, [['x-in', 'in']]), 'mirrored');
    return chance(random, 0.4)
      ? { ...request, method: 'POST', body: 'b'.repeat(Math.floor(random() * 2_000)) }
      : request;
  },
};

/** The parts of a host that two namespaces would have: a delegate says the routes below a prefix. */
const delegation: MeshCase = {
  name: 'delegated',
  services: { delegated: versions },
  manifest: `${subsets('delegated')}
---${virtualService(
    'delegated',
    `
  - name: root
    match: [{uri: {prefix: /shop}, headers: {x-part: {exact: shop}}}]
    delegate: {name: shop-part}
    timeout: 3s
  - name: strict
    match: [{uri: {prefix: /strict}}]
    delegate: {name: strict-part}
  - name: nobody
    match: [{uri: {prefix: /nobody}}]
    delegate: {name: nobody-part}
  - ${to('delegated', 'v1')}`,
  )}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop-part}
spec:
  http:
  - match: [{uri: {prefix: /shop/cart}}]
    rewrite: {uri: /cart}
    ${to('delegated', 'v2')}
  - ${to('delegated', 'v3')}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: strict-part}
spec:
  http:
  - match: [{uri: {exact: /strict/x}, method: {exact: GET}}, {uri: {prefix: /elsewhere}}]
    ${to('delegated', 'v2')}`,
  generate: (random) => ({
    ...get(
      oneOf(random, [
        '/shop',
        '/shop/cart',
        '/shop/cart/1',
        '/strict',
        '/strict/x',
        '/strict/xy',
        '/nobody',
        '/elsewhere',
        '/z',
      ]),
      chance(random, 0.7) ? [['x-part', 'shop']] : [],
      'delegated',
    ),
    method: oneOf(random, ['GET', 'GET', 'POST']),
  }),
};

/** Hosts and ports that do not exist, subsets that nobody declares or that select nobody. */
const unresolved: MeshCase = {
  ...split(
    'unresolved',
    `
  - match: [{uri: {prefix: /host}}]
    route: [{destination: {host: nobody}}]
  - match: [{uri: {prefix: /subset}}]
    route: [{destination: {host: unresolved, subset: undeclared}}]
  - match: [{uri: {prefix: /port}}]
    route: [{destination: {host: unresolved, port: {number: 81}}}]
  - match: [{uri: {prefix: /some}}]
    route:
    - {destination: {host: unresolved, subset: v1}, weight: 0}
    - {destination: {host: nobody}, weight: 100}
  - ${to('unresolved', 'v1')}`,
  ),
  generate: (random) => get(oneOf(random, ['/host', '/subset', '/port', '/some', '/z']), [], 'unresolved'),
};

/** Where a hash chooses, both choose the same endpoint. */
function hashed(name: string, consistentHash: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}}
spec: {host: ${name}, trafficPolicy: {loadBalancer: {consistentHash: ${consistentHash}}}}`;
}

const many = Array.from({ length: 7 }, (_, index) => `v${index}`);
const user = (random: () => number): Field => ['x-user', `user-${Math.floor(random() * 60)}`];

const ringHash: MeshCase = {
  name: 'hash-header',
  services: { 'hash-header': many },
  manifest: hashed('hash-header', '{httpHeaderName: x-user}'),
  generate: (random) => get('/', [user(random)], 'hash-header'),
};

const maglev: MeshCase = {
  name: 'hash-maglev',
  services: { 'hash-maglev': many },
  manifest: hashed('hash-maglev', '{httpHeaderName: x-user, maglev: {tableSize: 251}}'),
  generate: (random) => get('/', [user(random)], 'hash-maglev'),
};

const hashQuery: MeshCase = {
  name: 'hash-query',
  services: { 'hash-query': many },
  manifest: hashed('hash-query', '{httpQueryParameterName: user, ringHash: {minimumRingSize: 512}}'),
  generate: (random) => get(`/?user=${Math.floor(random() * 60)}&x=${Math.floor(random() * 1000)}`, [], 'hash-query'),
};

const hashCookie: MeshCase = {
  name: 'hash-cookie',
  services: { 'hash-cookie': many },
  manifest: hashed('hash-cookie', '{httpCookie: {name: session, ttl: 0s, path: /}}'),
  generate: (random) => get('/', [['cookie', `a=b; session=${Math.floor(random() * 60)}; c=d`]], 'hash-cookie'),
};

/** What several VirtualServices and a host without any come to. */
const overlapping: MeshCase = {
  name: 'overlapping',
  services: { overlapping: versions, 'without-rules': ['v1'] },
  manifest: `${subsets('overlapping')}
---${virtualService('overlapping', `  - ${to('overlapping', 'v2')}`)}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: overlapping-too}
spec:
  hosts: [overlapping.default.svc.cluster.local, made-up.example]
  http:
  - match: [{port: 80, sourceLabels: {app: caller}, sourceNamespace: default}]
    ${to('overlapping', 'v3')}
  - ${to('overlapping', 'v1')}`,
  generate: (random) =>
    get(
      '/x',
      [],
      oneOf(random, [
        'overlapping',
        'overlapping:80',
        'without-rules',
        'made-up.example',
        'made-up.example:80',
        'nowhere.example',
        'overlapping:81',
      ]),
    ),
};

const policies: MeshCase = {
  name: 'route-action-policies',
  services: { acted: versions },
  manifest: `${subsets('acted')}
---${virtualService(
    'acted',
    `
  - name: aborted
    match: [{uri: {prefix: /aborted}}]
    ${to('acted', 'v1')}
  - name: delayed
    match: [{uri: {prefix: /delayed}}]
    ${to('acted', 'v2')}
  - name: retried
    match: [{uri: {prefix: /retried}}]
    ${to('acted', 'v3')}
  - name: rest
    ${to('acted', 'v1')}`,
  )}
---
apiVersion: weft.dev/v1alpha1
kind: RouteActionPolicy
metadata: {name: aborted}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: acted, sectionName: aborted}]
  fault: {abort: {httpStatus: 420, percentage: {value: 100}}}
---
apiVersion: weft.dev/v1alpha1
kind: RouteActionPolicy
metadata: {name: delayed}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: acted, sectionName: delayed}]
  fault: {delay: {fixedDelay: 40ms, percentage: {value: 100}}}
---
apiVersion: weft.dev/v1alpha1
kind: RouteActionPolicy
metadata: {name: retried}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: acted, sectionName: retried}]
  retries: {attempts: 2, retryOn: "5xx", backoff: 25ms}`,
  share: 0.5,
  generate: (random) =>
    get(
      oneOf(random, ['/aborted', '/delayed', '/retried', '/z']),
      chance(random, 0.5) ? [['x-backend-status', oneOf(random, ['500', '500,200', '503,503,200', '404'])]] : [],
      'acted',
    ),
};

/** Where workloads are, and how much each takes. The caller is in `here/a`. */
function located(
  name: string,
  trafficPolicy: string,
  services: MeshCase['services'][string],
): Pick<MeshCase, 'name' | 'services' | 'manifest' | 'generate'> {
  return {
    name,
    services: { [name]: services },
    manifest: `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}}
spec:
  host: ${name}
  trafficPolicy: ${trafficPolicy}`,
    generate: () => get('/', [], name),
  };
}

const places = [
  { version: 'v1', locality: 'here/a' },
  { version: 'v2', locality: 'here/b' },
  { version: 'v3', locality: 'there/a' },
] as const;
const byBackend = { outcome: (seen: Observation) => `${seen.status} ${seen.body}` };

/** The nearest alone are used while they are well. */
const failover: MeshCase = located(
  'failover',
  '{outlierDetection: {consecutive5xxErrors: 100}, loadBalancer: {simple: ROUND_ROBIN}}',
  places,
);

const failoverByLabels: MeshCase = located(
  'failover-labels',
  '{outlierDetection: {consecutive5xxErrors: 100}, loadBalancer: {simple: ROUND_ROBIN, localityLbSetting: {enabled: true, failoverPriority: [tier]}}}',
  [
    { version: 'v1', labels: { tier: 'silver' } },
    { version: 'v2', labels: { tier: 'gold' } },
  ],
);

const failoverToRegion: MeshCase = located(
  'failover-region',
  '{outlierDetection: {consecutive5xxErrors: 100}, loadBalancer: {simple: ROUND_ROBIN, localityLbSetting: {enabled: true, failover: [{from: here, to: there}]}}}',
  [
    { version: 'v1', locality: 'elsewhere/a' },
    { version: 'v2', locality: 'there/a' },
  ],
);

const distributed: MeshCase = {
  ...located(
    'distributed',
    '{loadBalancer: {simple: ROUND_ROBIN, localityLbSetting: {enabled: true, distribute: [{from: here/*, to: {"here/a/*": 20, "here/b/*": 50, "there/*": 30}}]}}}',
    places,
  ),
  statistical: byBackend,
};

const weighted: MeshCase = {
  ...located('weighted', '{loadBalancer: {simple: ROUND_ROBIN}}', [
    { version: 'v1', weight: 1 },
    { version: 'v2', weight: 2 },
    { version: 'v3', weight: 5 },
  ]),
  statistical: byBackend,
};

const leastRequest: MeshCase = {
  ...located('least-request', '{loadBalancer: {simple: LEAST_REQUEST}}', ['v1', 'v2', 'v3']),
  statistical: byBackend,
};

const random: MeshCase = {
  ...located('random', '{loadBalancer: {simple: RANDOM}}', ['v1', 'v2', 'v3', 'v4']),
  statistical: byBackend,
};

compareSidecars('VirtualServices and DestinationRules', [
  uris,
  conditions,
  rewrites,
  redirects,
  headers,
  cors,
  faults,
  faultShares,
  weights,
  timeouts,
  retries,
  mirrors,
  delegation,
  unresolved,
  ringHash,
  maglev,
  hashQuery,
  hashCookie,
  overlapping,
  policies,
  failover,
  failoverByLabels,
  failoverToRegion,
  distributed,
  weighted,
  leastRequest,
  random,
]);
