import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { type KubeObject, parseManifest } from '@weft/resources';
import { type ExplainedRequest, type ExplainedStep, explainRequest, MeshState } from '../src/index.ts';
import { readCase } from './golden/case.ts';

function request(url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): ExplainedRequest {
  const parsed = new URL(url);
  return {
    method,
    scheme: parsed.protocol.slice(0, -1),
    authority: headers['host'] ?? parsed.host,
    target: parsed.host,
    path: parsed.pathname,
    query: parsed.searchParams,
    headers: new Map(Object.entries(headers)),
  };
}

function explainIn(state: MeshState, proxy: string, asked: ExplainedRequest) {
  const explanation = explainRequest(state, proxy, [], asked);
  assert.ok(explanation !== undefined);
  const step = (title: string, index = 0): ExplainedStep => {
    const found = explanation.steps.filter((one) => one.title === title)[index];
    assert.ok(found !== undefined, `${title} ${index} of ${explanation.steps.map((one) => one.title)}`);
    return found;
  };
  return { ...explanation, step };
}

function explain(name: string, proxy: string, asked: ExplainedRequest) {
  const { state } = readCase(resolve(import.meta.dirname, `../testdata/${name}.in.yaml`), 'as written');
  return explainIn(state, proxy, asked);
}

/** `value | origin` of one value of a step. */
function entryOf({ values }: ExplainedStep, name: string): string | undefined {
  const found = values.find((value) => value.name === name);
  return found === undefined ? undefined : `${found.value} | ${found.origin}`;
}

/** `name: why | origin` of what was passed over. */
function passedOver(step: ExplainedStep): readonly string[] {
  return step.passedOver.map(({ name, value, origin }) => `${name}: ${value} | ${origin}`);
}

function stateOf(...texts: readonly string[]): MeshState {
  const { objects, violations } = parseManifest(texts.join('\n---\n'));
  assert.deepEqual(violations ?? [], []);
  const state = new MeshState();
  state.apply((objects ?? []).map(({ object }): { value: KubeObject } => ({ value: object })));
  return state;
}

const mesh = `
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: {name: web-1, namespace: shop}
spec:
  serviceAccount: web
  httpProxy: {port: 15001}
  upstreams: [{host: db, port: 5432, listenPort: 15432}, {host: reviews, port: 80, listenPort: 15080}]
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: web-1, namespace: shop}
spec: {address: 127.0.0.2, labels: {app: web}, locality: eu/a, serviceAccount: web}
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{name: tcp, port: 5432}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: reviews-1, namespace: shop}
spec: {address: 127.0.0.3, locality: eu/a, weight: 3, labels: {app: reviews, version: v1}, serviceAccount: reviews}
---
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: {name: reviews-1, namespace: shop}
spec: {serviceAccount: reviews, inbound: [{name: http, port: 8080, appPort: 9080}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: reviews-2, namespace: shop}
spec: {address: 127.0.0.4, locality: eu/b, labels: {app: reviews, version: v2}, serviceAccount: reviews}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: reviews-3, namespace: shop}
spec: {address: 127.0.0.5, labels: {app: reviews, version: v2}, serviceAccount: reviews}
---
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: {name: reviews-3, namespace: shop}
spec: {serviceAccount: reviews, draining: true, inbound: [{name: http, port: 8080, appPort: 9080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  trafficPolicy:
    connectionPool: {tcp: {maxConnections: 7}, http: {http1MaxPendingRequests: 9}}
    outlierDetection: {consecutive5xxErrors: 3}
  subsets:
    - {name: v1, labels: {version: v1}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}
    - {name: v2, labels: {version: v2}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: open, namespace: shop}
spec: {mtls: {mode: PERMISSIVE}}
`;

const rules = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  hosts: [reviews]
  http:
    - name: batch
      match: [{sourceLabels: {app: batch}}]
      route: [{destination: {host: reviews}}]
    - name: other-port
      match: [{port: 8080}]
      route: [{destination: {host: reviews}}]
    - name: ann
      match: [{uri: {exact: /never}}, {headers: {x-user: {exact: ann}}}]
      route: [{destination: {host: reviews}}]
    - name: split
      timeout: 3s
      retries: {attempts: 4, perTryTimeout: 1s, backoff: 10ms}
      rewrite: {uri: /v1}
      headers: {request: {set: {x-seen: "yes"}}}
      fault: {delay: {fixedDelay: 2s, percentage: {value: 10}}}
      corsPolicy: {allowOrigins: [{exact: "https://a.example"}]}
      mirrors: [{destination: {host: reviews, subset: v2}, percentage: {value: 5}}]
      route:
        - {destination: {host: reviews, subset: v1}, weight: 90, headers: {response: {remove: [server]}}}
        - {destination: {host: reviews, subset: v9}, weight: 0}
        - {destination: {host: reviews, subset: v2}, weight: 10}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: late, namespace: shop, creationTimestamp: "2026-01-02T00:00:00Z"}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: elsewhere, namespace: other, creationTimestamp: "2025-01-01T00:00:00Z"}
spec: {hosts: [reviews.shop.svc.cluster.local], exportTo: [.], http: [{route: [{destination: {host: reviews.shop.svc.cluster.local}}]}]}
`;

test('the whole way of a request: each step and each value with where it stands', () => {
  const { steps, step, outcome } = explainIn(stateOf(mesh, rules), 'shop/web-1', request('http://reviews/a'));
  assert.deepEqual(
    steps.map(({ title }) => title),
    ['listener', 'host', 'route', 'action', 'destination', 'endpoints', 'destination', 'endpoints'],
  );
  assert.equal(outcome, 'forwarded');
  assert.equal(step('listener').result, 'HTTP proxy at 127.0.0.1:15001');
  assert.equal(step('listener').origin, 'Proxy shop/web-1 spec.httpProxy');
  assert.equal(entryOf(step('listener'), 'paths'), 'base | setting of the mesh');
  assert.equal(step('host').origin, 'Service shop/reviews');
  assert.equal(
    entryOf(step('host'), 'rules'),
    'those of VirtualService shop/reviews | VirtualService shop/reviews spec.hosts',
  );
  assert.equal(step('route').result, 'split: every request');
  assert.equal(step('route').origin, 'VirtualService shop/reviews spec.http[3]');

  const action = step('action');
  const at = (field: string): string => `VirtualService shop/reviews spec.http[3].${field}`;
  assert.deepEqual(
    action.values.map(({ name, value, origin }) => `${name}: ${value} | ${origin}`),
    [
      `CORS: origins https://a.example | ${at('corsPolicy')}`,
      `delay: 10 % by 2 s | ${at('fault.delay')}`,
      `request headers: x-seen set to "yes" | ${at('headers.request')}`,
      `path: what was matched becomes /v1 | ${at('rewrite.uri')}`,
      `mirror: 5 % to outbound|80|v2|reviews.shop.svc.cluster.local | ${at('mirrors[0]')}`,
      `timeout: 3 s | ${at('timeout')}`,
      'idle timeout: 1 h | mesh default (istio)',
      `retries: 4 | ${at('retries.attempts')}`,
      'retried on: connect-failure, refused-stream, unavailable, cancelled | default (Istio)',
      `each try: 1 s | ${at('retries.perTryTimeout')}`,
      `wait before one: at most 10 ms at first | ${at('retries.backoff')}`,
    ],
  );

  const first = step('destination');
  const rule = (field: string): string => `DestinationRule shop/reviews ${field}`;
  assert.equal(first.result, '90 % to outbound|80|v1|reviews.shop.svc.cluster.local');
  assert.equal(first.origin, at('route[0]'));
  assert.equal(entryOf(first, 'response headers'), `server removed | ${at('route[0]')}`);
  assert.equal(entryOf(first, 'subset v1'), `endpoints with version=v1 | ${rule('spec.subsets[0]')}`);
  assert.equal(entryOf(first, 'balancing'), `at random | ${rule('spec.subsets[0].trafficPolicy.loadBalancer')}`);
  assert.equal(entryOf(first, 'connections'), `7 | ${rule('spec.trafficPolicy.connectionPool.tcp.maxConnections')}`);
  assert.equal(
    entryOf(first, 'pending requests'),
    `9 | ${rule('spec.trafficPolicy.connectionPool.http.http1MaxPendingRequests')}`,
  );
  assert.equal(entryOf(first, 'requests'), 'unlimited | mesh default (istio)');
  assert.match(entryOf(first, 'outlier detection') ?? '', /^after 3 5xx in a row.* \| DestinationRule shop\/reviews/);
  assert.match(entryOf(first, 'TLS') ?? '', /^mutual TLS where the endpoint has a sidecar.* \| default \(Weft\)$/);
  assert.match(entryOf(first, 'identities of servers') ?? '', /^spiffe:\/\/cluster\.local\/ns\/shop\/sa\/reviews \|/);
  assert.match(
    entryOf(first, 'its workloads take') ?? '',
    /^permissive.* \| PeerAuthentication shop\/open spec\.mtls\.mode$/,
  );
  // A share without traffic is no destination, and the place of the next one is its own.
  assert.equal(step('destination', 1).origin, at('route[2]'));
});

test('endpoints: locality, priority, weight, and those that nobody is sent to with the reason', () => {
  const state = stateOf(mesh, rules.replace('subset: v2}, weight: 10', '}, weight: 10').replace(/timeout: 3s\n/, '\n'));
  const { step } = explainIn(state, 'shop/web-1', request('http://reviews/a'));
  const all = step('endpoints', 1);
  assert.equal(all.result, '2 endpoints, 2 healthy');
  assert.deepEqual(
    all.values.map(({ name, value, origin }) => `${name}: ${value} | ${origin}`),
    [
      '127.0.0.3:8080: reviews-1, healthy, locality eu/a, weight 3, priority 0, mutual TLS | WorkloadEntry shop/reviews-1',
      '127.0.0.4:8080: reviews-2, healthy, locality eu/b, priority 1, plaintext | WorkloadEntry shop/reviews-2',
      'reviews-3: left out: its proxy drains | Proxy shop/reviews-3 spec.draining',
    ],
  );
  state.setProxyConnected('shop/reviews-1', false);
  const after = explainIn(state, 'shop/web-1', request('http://reviews/a')).step('endpoints', 1);
  assert.equal(after.result, '2 endpoints, 1 healthy');
  assert.match(after.values[0]?.value ?? '', /unhealthy \(its proxy is not connected\)/);
});

test('what was passed over: rules for others, conditions that are not met, resources that lose, each with its place', () => {
  const { step } = explainIn(stateOf(mesh, rules), 'shop/web-1', request('http://reviews/a', { 'x-user': 'bob' }));
  assert.deepEqual(passedOver(step('route')), [
    'batch: it is for workloads with app=batch | VirtualService shop/reviews spec.http[0]',
    'other-port: it is for port 8080 | VirtualService shop/reviews spec.http[1]',
    'ann: the path is not /never | VirtualService shop/reviews spec.http[2].match[0]',
    'ann: header x-user is "ann": it is "bob" | VirtualService shop/reviews spec.http[2].match[1]',
  ]);
  assert.deepEqual(passedOver(step('host')), [
    'VirtualService other/elsewhere: it is not exported to namespace shop | VirtualService other/elsewhere spec.exportTo',
    'VirtualService shop/late: it is younger | VirtualService shop/late spec.hosts',
  ]);
  const ann = explainIn(stateOf(mesh, rules), 'shop/web-1', request('http://reviews/a', { 'x-user': 'ann' }));
  assert.equal(ann.step('route').origin, 'VirtualService shop/reviews spec.http[2].match[1]');
});

test('what a delegate leaves out is from the rule that delegates', () => {
  const delegating = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: shop}
spec:
  hosts: [reviews]
  http: [{match: [{uri: {prefix: /a}}], timeout: 9s, delegate: {name: leaf}}, {delegate: {name: gone}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: leaf, namespace: shop}
spec: {http: [{retries: {attempts: 0}, route: [{destination: {host: reviews}}]}]}
`;
  const state = stateOf(mesh, delegating);
  const { step } = explainIn(state, 'shop/web-1', request('http://reviews/a'));
  assert.equal(step('route').origin, 'VirtualService shop/leaf spec.http[0]');
  assert.equal(entryOf(step('action'), 'timeout'), '9 s | VirtualService shop/root spec.http[0].timeout');
  assert.equal(entryOf(step('action'), 'retries'), 'none | VirtualService shop/leaf spec.http[0].retries.attempts');
  const broken = explainIn(state, 'shop/web-1', request('http://reviews/b'));
  assert.equal(broken.outcome, 'answered 503');
  assert.equal(entryOf(broken.step('action'), 'because'), 'http[1]: delegate shop/gone is not known | ');
});

test('without rules: the defaults, by name; a destination that does not exist says why', () => {
  const bare = explainIn(stateOf(mesh), 'shop/web-1', request('http://reviews/'));
  assert.match(entryOf(bare.step('host'), 'rules') ?? '', /^none/);
  assert.equal(bare.step('route').origin, 'Service shop/reviews');
  assert.equal(entryOf(bare.step('action'), 'timeout'), 'none | mesh default (istio)');
  assert.equal(entryOf(bare.step('action'), 'retries'), '2 | mesh default (istio)');
  const wrong = rules.replace('subset: v2}, weight: 10', 'subset: v7}, weight: 10');
  const { step, outcome } = explainIn(stateOf(mesh, wrong), 'shop/web-1', request('http://reviews/'));
  assert.equal(outcome, 'forwarded');
  assert.match(step('destination', 1).result, /^10 % to .*v7.*, which does not exist: answered 503$/);
  assert.match(entryOf(step('destination', 1), 'because') ?? '', /^subset v7 of reviews.* is not declared/);
});

test('a Sidecar that leaves a host out is named', () => {
  const sidecar = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: narrow, namespace: shop}
spec: {egress: [{hosts: ["./db.shop.svc.cluster.local"]}]}
`;
  const { step, outcome } = explainIn(stateOf(mesh, sidecar), 'shop/web-1', request('http://reviews/'));
  assert.match(outcome, /^answered 404/);
  assert.equal(step('host').result, "reviews is out of the workload's scope");
  assert.equal(step('host').origin, 'Sidecar shop/narrow spec.egress');
});

test('TCP through a declared upstream, by its port or its name, and TLS by server name', () => {
  const tcp = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: shop}
spec:
  hosts: [db, db.example]
  tls: [{match: [{sniHosts: [db.example]}], route: [{destination: {host: db}}]}]
  tcp: [{match: [{port: 1}], route: [{destination: {host: reviews}}]}, {route: [{destination: {host: db}}]}]
`;
  const state = stateOf(mesh, tcp);
  for (const url of ['http://127.0.0.1:15432', 'http://db:5432']) {
    const { step, outcome } = explainIn(state, 'shop/web-1', request(url));
    assert.equal(outcome, 'forwarded as TCP');
    assert.equal(step('listener').result, 'upstream db.shop.svc.cluster.local:5432 at 127.0.0.1:15432');
    assert.equal(step('listener').origin, 'Proxy shop/web-1 spec.upstreams');
    assert.equal(step('route').origin, 'VirtualService shop/db spec.tcp[1]');
    assert.deepEqual(passedOver(step('route')), ['db.example: it is for TLS | VirtualService shop/db spec.tls[0]']);
    assert.match(step('destination').result, /^100 % to outbound\|5432\|\|db/);
  }
  const named = explainIn(state, 'shop/web-1', request('https://127.0.0.1:15432', { host: 'db.example' }));
  assert.equal(named.step('route').origin, 'VirtualService shop/db spec.tls[0]');
  const http = explainIn(state, 'shop/web-1', request('http://localhost:15080/'));
  assert.equal(http.step('listener').result, 'upstream reviews.shop.svc.cluster.local:80 at 127.0.0.1:15080');
  assert.equal(http.outcome, 'forwarded');
});

test('a request of a sidecar: a mirror that does not exist is said', () => {
  const { step, outcome } = explain('fault-cors-mirror', 'shop/web-1', request('http://reviews:9080/copied/1'));
  assert.match(step('route').result, /^shop\/reviews#1: path is \/copied…/);
  assert.deepEqual(passedOver(step('route')), [
    'shop/reviews#0: the path is not /slow… | VirtualService shop/reviews spec.http[0].match[0]',
  ]);
  const mirrors = step('action').values.filter(({ name }) => name === 'mirror');
  assert.deepEqual(
    mirrors.map(({ value, origin }) => `${value} | ${origin}`),
    [
      '12.5 % to outbound|80||shadow.shop.svc.cluster.local | VirtualService shop/reviews spec.http[1].mirrors[0]',
      '100 % to outbound|9080||nowhere.shop.svc.cluster.local, which does not exist: left out | VirtualService shop/reviews spec.http[1].mirrors[1]',
    ],
  );
  assert.match(step('endpoints').result, /^0 endpoints, 0 healthy: .*503/);
  assert.equal(outcome, 'forwarded');
});

test('a gateway: listener, host, the rule of an HTTPRoute with its filters and backends', () => {
  const at = (headers: Readonly<Record<string, string>>) =>
    explain('gateway-http', 'edge/public-1', request('http://www.shop.example/reviews/2?v=2', headers));
  const { step } = at({ 'x-user': 'a' });
  assert.match(
    step('listener').origin,
    /^Gateway edge\/public spec\.listeners\[0\], Gateway edge\/public spec\.listeners\[1\]$/,
  );
  assert.equal(step('route').origin, 'HTTPRoute shop/shop spec.rules[1].matches[0]');
  const rule = (field: string): string => `HTTPRoute shop/shop spec.rules[1].${field}`;
  const action = step('action');
  assert.match(entryOf(action, 'path') ?? '', /HTTPRoute shop\/shop spec\.rules\[1\]\.filters\[0\]$/);
  assert.equal(entryOf(action, 'host'), `becomes reviews.internal | ${rule('filters[0]')}`);
  assert.equal(
    entryOf(action, 'mirror'),
    `20 % to outbound|80||catalog.shop.svc.cluster.local | ${rule('filters[1]')}`,
  );
  assert.equal(entryOf(action, 'timeout'), `10 s | ${rule('timeouts.request')}`);
  assert.equal(entryOf(action, 'each try'), `2 s | ${rule('timeouts.backendRequest')}`);
  assert.equal(step('destination').origin, rule('backendRefs[0]'));
  assert.match(passedOver(at({ 'x-user': 'b' }).step('route')).join(), /header x-user is "a": it is "b"/);
  const other = at({});
  assert.match(passedOver(other.step('route')).join(), /header x-user is "a": it is absent/);
  assert.equal(
    entryOf(other.step('destination', 1), 'request headers'),
    'X-To set to "50%% reviews" | HTTPRoute shop/shop spec.rules[0].backendRefs[1]',
  );
});

test('a gateway of Istio: server, TLS, and rules that are for another gateway', () => {
  const gateway = `
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: {name: edge-1, namespace: shop}
spec: {serviceAccount: edge, role: gateway, gateway: {ports: [{port: 80, listenPort: 8080}]}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: edge-1, namespace: shop}
spec: {address: 127.0.0.9, labels: {istio: edge}, serviceAccount: edge}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  selector: {istio: edge}
  servers:
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
    - {port: {number: 443, name: tls, protocol: TLS}, hosts: ["db.example"], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: shop}
spec:
  hosts: [www.example, db.example]
  gateways: [edge, mesh]
  http:
    - {name: inside, match: [{gateways: [mesh]}], route: [{destination: {host: reviews}}]}
    - {name: outside, route: [{destination: {host: reviews}}]}
  tls: [{match: [{sniHosts: [db.example]}], route: [{destination: {host: db}}]}]
`;
  const state = stateOf(mesh, gateway);
  const { step, outcome } = explainIn(state, 'shop/edge-1', request('http://www.example/'));
  assert.equal(outcome, 'forwarded');
  assert.equal(step('listener').origin, 'Gateway shop/edge spec.servers[0]');
  assert.equal(step('host').origin, 'VirtualService shop/edge');
  assert.equal(step('route').origin, 'VirtualService shop/edge spec.http[1]');
  assert.deepEqual(passedOver(step('route')), [
    'inside: it is for what comes through mesh | VirtualService shop/edge spec.http[0]',
  ]);
  const passed = explainIn(state, 'shop/edge-1', request('https://db.example/'));
  assert.equal(passed.outcome, 'forwarded as TCP');
  assert.equal(passed.step('listener').origin, 'Gateway shop/edge spec.servers[1]');
  assert.equal(passed.step('route').origin, 'VirtualService shop/edge spec.tls[0]');
});

test('redirects, answers of the proxy itself, and hosts that nobody has', () => {
  const redirect = explain('gateway-http', 'edge/public-1', request('http://www.shop.example/old/a'));
  assert.equal(redirect.outcome, 'answered 301');
  assert.match(redirect.step('action').origin, /^HTTPRoute shop\/shop spec\.rules\[\d+\]\.filters\[\d+\]$/);
  const broken = explain('gateway-http', 'edge/public-1', request('http://www.shop.example/x17'));
  assert.equal(broken.outcome, 'answered 500');
  const unknown = explain('fault-cors-mirror', 'shop/web-1', request('http://nobody.example/'));
  assert.match(unknown.outcome, /^answered 404/);
  const closed = explain('gateway-http', 'edge/public-1', request('https://www.shop.example/'));
  assert.equal(closed.outcome, 'not connected');
  assert.match(closed.step('listener').values[0]?.origin ?? '', /^Gateway edge\/public spec\.listeners/);
});

test('there is nothing to say about a proxy that is not there', () => {
  const { state } = readCase(resolve(import.meta.dirname, '../testdata/gateway-http.in.yaml'), 'as written');
  assert.equal(explainRequest(state, 'edge/nobody', [], request('http://a/')), undefined);
});

test('a request at a socket that a Sidecar has for several hosts', () => {
  const state = stateOf(
    mesh,
    `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: own, namespace: shop}
spec:
  egress:
  - port: {number: 8080, protocol: HTTP, name: web}
    captureMode: NONE
    hosts: ["./*"]
`,
  );
  const asked = request('http://127.0.0.1:8080/x', { host: 'cart' });
  const { step } = explainIn(state, 'shop/web-1', asked);
  assert.equal(step('listener').result, 'HTTP proxy at 127.0.0.1:8080');
  assert.equal(step('listener').origin, 'Sidecar shop/own spec.egress[0].hosts');
});
