import { chance, type GeneratedRequest, get, type MeshCase, oneOf } from './support/configuration.ts';
import { fromOutside } from './support/from-outside.ts';
import { compareGateways } from './support/run.ts';

/** Gateways of both families, through the control plane, to a gateway of each engine. Clients are not of the mesh. */

const to = (name: string): string => `backendRefs: [{name: ${name}, port: 80}]`;

function route(name: string, hostnames: string, rules: string, parent = 'edge'): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}}
spec:
  parentRefs: [{name: ${parent}}]
  hostnames: [${hostnames}]
  rules:
${rules}`;
}

/** All listeners of one socket, and routes for names that overlap. */
const hostnames: MeshCase = {
  name: 'hostnames',
  services: { 'host-a': ['v1'], 'host-b': ['v1'] },
  manifest: `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: weft
  listeners:
  - {name: shop, port: 80, protocol: HTTP, hostname: "*.shop.example"}
  - {name: exact, port: 80, protocol: HTTP, hostname: exact.shop.example}
  - {name: apps, port: 80, protocol: HTTP, hostname: "*.apps.example"}
---${route('exact', 'exact.shop.example', `  - {matches: [{path: {type: PathPrefix, value: /a}}], ${to('host-a')}}`)}
---${route('wide', '"*.shop.example"', `  - ${to('host-b')}`)}
---${route('narrow', 'one.shop.example, two.shop.example', `  - {matches: [{path: {type: Exact, value: /only}}], ${to('host-a')}}`)}
---${route('nobody', 'else.example', `  - ${to('host-a')}`)}`,
  generate: (random) =>
    get(
      oneOf(random, ['/', '/a', '/a/b', '/only', '/only/x']),
      fromOutside(random),
      oneOf(random, [
        'exact.shop.example',
        'EXACT.shop.example',
        'exact.shop.example:80',
        'exact.shop.example:81',
        'one.shop.example',
        'two.shop.example',
        'three.shop.example',
        'a.b.shop.example',
        'shop.example',
        'else.example',
        'x.apps.example',
        '192.0.2.7',
      ]),
    ),
};

const actions: MeshCase = {
  name: 'gateway-actions',
  services: { 'action-a': ['v1'], 'action-b': ['v1'] },
  manifest: route(
    'actions',
    'actions.apps.example',
    `
  - matches: [{path: {type: PathPrefix, value: /redirect}}]
    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]
  - matches: [{path: {type: PathPrefix, value: /same-port}}]
    filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}}]
  - matches: [{path: {type: PathPrefix, value: /rewrite}}]
    filters: [{type: URLRewrite, urlRewrite: {hostname: inner.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]
    ${to('action-a')}
  - matches: [{path: {type: PathPrefix, value: /headers}}]
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: x-forwarded-proto, value: https}, {name: x-set, value: one}], remove: [x-request-id]}
    - type: ResponseHeaderModifier
      responseHeaderModifier: {set: [{name: server, value: hidden}], remove: [x-envoy-upstream-service-time]}
    ${to('action-b')}
  - matches: [{path: {type: PathPrefix, value: /nobody}}]
    ${to('nobody')}
  - ${to('action-b')}`,
  ),
  generate: (random) => ({
    ...get(
      oneOf(random, [
        '/redirect',
        '/redirect/x?y=1',
        '/same-port',
        '/same-port/x',
        '/rewrite',
        '/rewrite/x?y',
        '/headers',
        '/nobody',
        '/z',
        '/a/../redirect',
        '/rewrite/../z',
        '//redirect',
        '/redirect%2Fx',
        '/./z',
        '/rewrite\\\\..\\\\z',
      ]),
      fromOutside(random),
      oneOf(random, ['actions.apps.example', 'actions.apps.example:80', 'actions.apps.example:8443']),
    ),
    method: oneOf(random, ['GET', 'GET', 'POST', 'HEAD']),
  }),
};

const istio: MeshCase = {
  name: 'istio-gateway',
  services: { 'istio-a': ['v1', 'v2'], 'istio-b': ['v1'] },
  gatewayPort: 8080,
  manifest: `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public}
spec:
  selector: {istio: edge}
  servers:
  - port: {number: 8080, name: http, protocol: HTTP}
    hosts: ["*.shop.example", "./two.example", "other/three.example"]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: istio-a}
spec: {host: istio-a, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: istio-a}
spec:
  hosts: [a.shop.example, two.example, three.example]
  gateways: [public]
  http:
  - match: [{uri: {prefix: /v2}}, {headers: {x-user: {exact: jason}}}]
    route: [{destination: {host: istio-a, subset: v2}}]
  - match: [{uri: {exact: /mesh}, gateways: [mesh]}]
    route: [{destination: {host: istio-b}}]
  - match: [{uri: {prefix: /moved}}]
    redirect: {uri: /there, derivePort: FROM_REQUEST_PORT}
  - match: [{uri: {prefix: /in}}]
    rewrite: {uri: /inner, authority: inner.example}
    headers: {request: {add: {x-from: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}}}
    route: [{destination: {host: istio-b}}]
  - match: [{port: 8080, uri: {prefix: /port}}]
    route: [{destination: {host: istio-b}}]
  - route: [{destination: {host: istio-a, subset: v1}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: istio-b}
spec:
  hosts: ["*.shop.example"]
  gateways: [public, mesh]
  http:
  - match: [{uri: {prefix: /b}, authority: {regex: "b[0-9]*[.]shop[.]example(:[0-9]+)?"}}]
    route: [{destination: {host: istio-b}}]`,
  generate: (random) => {
    const request: GeneratedRequest = get(
      oneOf(random, ['/', '/v2', '/v2/x', '/mesh', '/moved/x?y', '/in/x', '/in', '/port', '/b', '/b/x']),
      [...fromOutside(random), ...(chance(random, 0.3) ? ([['x-user', 'jason']] as const) : [])],
      oneOf(random, [
        'a.shop.example',
        'a.shop.example:8080',
        'two.example',
        'three.example',
        'b.shop.example',
        'b12.shop.example:8080',
        'c.shop.example',
        'shop.example',
      ]),
    );
    return chance(random, 0.3) ? { ...request, method: 'POST', body: 'body' } : request;
  },
};

/** Clients of HTTP/2 in the clear (by prior knowledge) are served at the same ports. */
const overHttp2: MeshCase = {
  name: 'gateway-http2',
  services: { 'h2-a': ['v1'] },
  downstream: 'http2',
  manifest: route('h2', 'h2.apps.example', `  - {matches: [{path: {type: PathPrefix, value: /a}}], ${to('h2-a')}}`),
  generate: (random) => ({
    ...get(
      oneOf(random, ['/a', '/a/b?c', '/z', '/a/../z']),
      fromOutside(random).filter(([name]) => name !== 'te'),
      oneOf(random, ['h2.apps.example', 'other.example']),
    ),
    method: oneOf(random, ['GET', 'HEAD']),
  }),
};

compareGateways('gateways', [hostnames, actions, istio, overHttp2]);
