import { chance, get, type MeshCase, oneOf, someOf } from './support/configuration.ts';
import { compareSidecars } from './support/run.ts';

/** HTTPRoutes of Services, through the control plane, to a sidecar of each engine. */

type Field = readonly [string, string];

/** A route for a Service; those that it leads to are `<name>-a` and `<name>-b`, each with one backend. */
function routed(
  name: string,
  rules: string,
  rest: Omit<MeshCase, 'name' | 'services' | 'manifest'>,
  more = '',
): MeshCase {
  return {
    name,
    services: { [name]: ['v1'], [`${name}-a`]: ['v1'], [`${name}-b`]: ['v1'] },
    manifest: `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}}
spec:
  parentRefs: [{group: "", kind: Service, name: ${name}, port: 80}]
  rules:
${rules}${more}`,
    ...rest,
  };
}

const to = (name: string): string => `backendRefs: [{name: ${name}, port: 80}]`;

const matches = routed(
  'route-matches',
  `
  - name: exact
    matches: [{path: {type: Exact, value: /one}}]
    ${to('route-matches-a')}
  - name: prefix
    matches: [{path: {type: PathPrefix, value: /one}}, {path: {type: PathPrefix, value: /two/}}]
    ${to('route-matches-b')}
  - name: regex
    matches: [{path: {type: RegularExpression, value: "/v[0-9]+/.*"}}]
    ${to('route-matches-a')}
  - name: fields
    matches:
    - headers: [{name: x-user, value: jason}, {name: X-Kind, type: RegularExpression, value: "[a-c]+"}]
    - queryParams: [{name: q, value: one}, {name: r, type: RegularExpression, value: "[0-9]+"}]
    - method: DELETE
      path: {type: PathPrefix, value: /gone}
    ${to('route-matches-b')}
  - name: longer
    matches: [{path: {type: PathPrefix, value: /one/longer}}]
    ${to('route-matches-a')}
  - name: rest
    matches: [{path: {type: PathPrefix, value: /rest}}]
    ${to('route-matches-a')}`,
  {
    generate: (random) => ({
      ...get(
        oneOf(random, [
          '/one',
          '/one/',
          '/one/x',
          '/one/longer',
          '/one/longer/x',
          '/oneself',
          '/two',
          '/two/x',
          '/v1/x',
          '/v/x',
          '/?q=one&r=12',
          '/?q=one',
          '/gone/x',
          '/rest',
          '/nothing',
          '/One',
        ]),
        someOf<Field>(
          random,
          [
            ['x-user', oneOf(random, ['jason', 'james'])],
            ['x-kind', oneOf(random, ['abc', 'abcd', 'a'])],
          ],
          0.6,
        ),
        oneOf(random, ['route-matches', 'route-matches:80', 'route-matches.default.svc.cluster.local']),
      ),
      method: oneOf(random, ['GET', 'GET', 'DELETE', 'POST', 'HEAD']),
    }),
  },
);

const filters = routed(
  'route-filters',
  `
  - matches: [{path: {type: PathPrefix, value: /headers}}]
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set: [{name: x-set, value: one}]
        add: [{name: x-add, value: two}, {name: x-percent, value: "100%"}]
        remove: [x-gone]
    - type: ResponseHeaderModifier
      responseHeaderModifier:
        set: [{name: x-back, value: three}]
        add: [{name: x-more, value: four}]
        remove: [x-hidden]
    ${to('route-filters-a')}
  - matches: [{path: {type: PathPrefix, value: /prefix}}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}}]
    ${to('route-filters-a')}
  - matches: [{path: {type: PathPrefix, value: /strip}}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]
    ${to('route-filters-b')}
  - matches: [{path: {type: PathPrefix, value: /full}}]
    filters: [{type: URLRewrite, urlRewrite: {hostname: other.example, path: {type: ReplaceFullPath, replaceFullPath: /all}}}]
    ${to('route-filters-b')}
  - matches: [{path: {type: PathPrefix, value: /single}}]
    backendRefs:
    - name: route-filters-a
      port: 80
      filters:
      - type: RequestHeaderModifier
        requestHeaderModifier: {set: [{name: x-single, value: "yes"}]}`,
  {
    generate: (random) =>
      get(
        oneOf(random, [
          '/headers',
          '/headers/x',
          '/prefix',
          '/prefix/',
          '/prefix/x?y=1',
          '/prefixed',
          '/strip',
          '/strip/',
          '/strip/x',
          '/full/x?y',
          '/single',
          '/nothing',
        ]),
        [
          ...someOf<Field>(random, [
            ['x-set', 'mine'],
            ['x-add', 'mine'],
            ['x-gone', 'here'],
            ['x-single', 'no'],
          ]),
          ...(chance(random, 0.4) ? ([['x-backend-headers', 'x-hidden:1|x-more:0|x-back:0']] as const) : []),
        ],
        'route-filters',
      ),
  },
);

const mirrors = routed(
  'mirroring-of-routes',
  `
  - matches: [{path: {type: PathPrefix, value: /mirror}}]
    filters: [{type: RequestMirror, requestMirror: {backendRef: {name: mirroring-of-routes-b, port: 80}}}]
    ${to('mirroring-of-routes-a')}
  - matches: [{path: {type: PathPrefix, value: /never}}]
    filters: [{type: RequestMirror, requestMirror: {backendRef: {name: mirroring-of-routes-b, port: 80}, percent: 0}}]
    ${to('mirroring-of-routes-a')}
  - ${to('mirroring-of-routes-a')}`,
  {
    generate: (random) => {
      const request = get(oneOf(random, ['/mirror', '/mirror?x=1', '/never', '/z']), [], 'mirroring-of-routes');
      return chance(random, 0.4)
        ? { ...request, method: 'POST', body: 'b'.repeat(Math.floor(random() * 999)) }
        : request;
    },
  },
);

const redirects = routed(
  'route-redirects',
  `
  - matches: [{path: {type: PathPrefix, value: /host}}]
    filters: [{type: RequestRedirect, requestRedirect: {hostname: other.example, statusCode: 301}}]
  - matches: [{path: {type: PathPrefix, value: /scheme}}]
    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 308}}]
  - matches: [{path: {type: PathPrefix, value: /port}}]
    filters: [{type: RequestRedirect, requestRedirect: {port: 8443, scheme: https}}]
  - matches: [{path: {type: PathPrefix, value: /prefix}}]
    filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}, statusCode: 307}}]
  - matches: [{path: {type: PathPrefix, value: /full}}]
    filters: [{type: RequestRedirect, requestRedirect: {hostname: other.example, path: {type: ReplaceFullPath, replaceFullPath: /all}, statusCode: 303}}]
  - ${to('route-redirects-a')}`,
  {
    generate: (random) => ({
      ...get(
        oneOf(random, [
          '/host',
          '/host/x?y=1',
          '/scheme/x',
          '/port',
          '/prefix',
          '/prefix/x?y',
          '/prefixed',
          '/full/x?y',
          '/z',
        ]),
        [],
        oneOf(random, ['route-redirects', 'route-redirects:80', 'route-redirects.default']),
      ),
      method: oneOf(random, ['GET', 'POST', 'HEAD']),
    }),
  },
);

const origins = ['https://a.example', 'https://b.shop.example', 'https://evil.example', 'http://a.example'];

const cors = routed(
  'route-cors',
  `
  - matches: [{path: {type: PathPrefix, value: /open}}]
    filters:
    - type: CORS
      cors:
        allowOrigins: ["https://a.example", "https://*.shop.example"]
        allowMethods: [GET, PUT]
        allowHeaders: [x-token]
        exposeHeaders: [x-seen]
        maxAge: 600
        allowCredentials: true
    ${to('route-cors-a')}
  - matches: [{path: {type: PathPrefix, value: /any}}]
    filters: [{type: CORS, cors: {allowOrigins: ["*"], allowMethods: ["*"], allowHeaders: ["*"]}}]
    ${to('route-cors-b')}
  - ${to('route-cors-a')}`,
  {
    generate: (random) => {
      const preflight = chance(random, 0.5);
      return {
        ...get(
          oneOf(random, ['/open', '/any', '/none']),
          [
            ...(chance(random, 0.9) ? ([['origin', oneOf(random, origins)]] as const) : []),
            ...(preflight
              ? ([
                  ['access-control-request-method', oneOf(random, ['GET', 'PUT', 'PATCH'])],
                  ['access-control-request-headers', oneOf(random, ['x-token', 'x-other', 'x-token,x-other'])],
                ] as const)
              : []),
          ],
          'route-cors',
        ),
        method: preflight ? 'OPTIONS' : oneOf(random, ['GET', 'PUT']),
      };
    },
  },
);

const times = routed(
  'route-times',
  `
  - matches: [{path: {type: PathPrefix, value: /request}}]
    timeouts: {request: 1s}
    ${to('route-times-a')}
  - matches: [{path: {type: PathPrefix, value: /backend}}]
    timeouts: {request: 9s, backendRequest: 1s}
    retry: {attempts: 2, codes: [503], backoff: 25ms}
    ${to('route-times-b')}
  - matches: [{path: {type: PathPrefix, value: /codes}}]
    retry: {attempts: 2, codes: [500, 503, 429], backoff: 25ms}
    ${to('route-times-a')}
  - matches: [{path: {type: PathPrefix, value: /once}}]
    retry: {attempts: 0}
    ${to('route-times-a')}
  - matches: [{path: {type: PathPrefix, value: /none}}]
    timeouts: {request: 0s}
    ${to('route-times-a')}
  - ${to('route-times-b')}`,
  {
    share: 0.1,
    generate: (random) => ({
      ...get(
        oneOf(random, ['/request', '/backend', '/codes', '/codes', '/once', '/none', '/z']),
        someOf<Field>(
          random,
          [
            ['x-backend-delay', oneOf(random, ['10', '2500', '2500,0', '2500,2500,0'])],
            ['x-backend-status', oneOf(random, ['500', '503', '503,200', '429,429,200', '404'])],
          ],
          0.45,
        ),
        'route-times',
      ),
      method: oneOf(random, ['GET', 'POST']),
    }),
  },
);

const weights = routed(
  'route-weights',
  `
  - matches: [{path: {type: PathPrefix, value: /some}}]
    backendRefs:
    - {name: route-weights-a, port: 80, weight: 3}
    - {name: route-weights-b, port: 80, weight: 1}
  - backendRefs:
    - {name: route-weights-a, port: 80, weight: 1}
    - {name: nobody, port: 80, weight: 1}
    - {name: route-weights-b, port: 80, weight: 0}`,
  {
    statistical: { outcome: (seen) => `${seen.status} ${seen.backends.map(({ cluster, path }) => cluster + path)}` },
    generate: (random) => get(oneOf(random, ['/some', '/rest']), [], 'route-weights'),
  },
);

/** What does not resolve is answered 500, and what has no backends, too. */
const unresolved = routed(
  'route-unresolved',
  `
  - matches: [{path: {type: PathPrefix, value: /nobody}}]
    ${to('nobody')}
  - matches: [{path: {type: PathPrefix, value: /port}}]
    backendRefs: [{name: route-unresolved-a, port: 81}]
  - matches: [{path: {type: PathPrefix, value: /empty}}]
  - matches: [{path: {type: PathPrefix, value: /zero}}]
    backendRefs: [{name: route-unresolved-a, port: 80, weight: 0}]
  - matches: [{path: {type: PathPrefix, value: /elsewhere}}]
    backendRefs: [{name: route-unresolved-a, namespace: other, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /there}}]
    ${to('route-unresolved-a')}`,
  {
    generate: (random) =>
      get(oneOf(random, ['/nobody', '/port', '/empty', '/zero', '/elsewhere', '/there', '/z']), [], 'route-unresolved'),
  },
);

/** Two routes of one Service: the more specific match counts, then the older route. */
const two = routed(
  'route-two',
  `
  - matches: [{path: {type: PathPrefix, value: /a}}, {path: {type: PathPrefix, value: /long/er}}]
    ${to('route-two-a')}`,
  {
    generate: (random) =>
      get(
        oneOf(random, ['/a', '/a/b', '/long', '/long/er', '/long/er/x', '/z', '/A']),
        chance(random, 0.5) ? [['x-user', 'jason']] : [],
        'route-two',
      ),
  },
  `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route-two-more}
spec:
  parentRefs: [{group: "", kind: Service, name: route-two}]
  rules:
  - matches:
    - path: {type: PathPrefix, value: /a}
      headers: [{name: x-user, value: jason}]
    - path: {type: PathPrefix, value: /long}
    - path: {type: PathPrefix, value: /a/b}
    ${to('route-two-b')}`,
);

const policies = routed(
  'route-policies',
  `
  - name: aborted
    matches: [{path: {type: PathPrefix, value: /aborted}}]
    ${to('route-policies-a')}
  - name: delayed
    matches: [{path: {type: PathPrefix, value: /delayed}}]
    ${to('route-policies-b')}
  - name: rest
    ${to('route-policies-a')}`,
  {
    share: 0.5,
    generate: (random) =>
      get(
        oneOf(random, ['/aborted', '/delayed', '/z']),
        chance(random, 0.5) ? [['x-backend-status', oneOf(random, ['500', '500,200', '503,503,200'])]] : [],
        'route-policies',
      ),
  },
  ['aborted', 'delayed', '']
    .map(
      (section) => `
---
apiVersion: weft.dev/v1alpha1
kind: RouteActionPolicy
metadata: {name: route-policies${section === '' ? '' : `-${section}`}}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: route-policies${section === '' ? '' : `, sectionName: ${section}`}}]
  ${section === 'aborted' ? 'fault: {abort: {httpStatus: 420}}' : section === 'delayed' ? 'fault: {delay: {fixedDelay: 40ms}}' : 'retries: {attempts: 2, retryOn: "5xx", backoff: 25ms}'}`,
    )
    .join(''),
);

compareSidecars('HTTPRoutes of Services', [
  matches,
  filters,
  mirrors,
  redirects,
  cors,
  times,
  weights,
  unresolved,
  two,
  policies,
]);
