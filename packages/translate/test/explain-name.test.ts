import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KubeObject, parseManifest } from '@weft/resources';
import { type AskedName, type EffectiveExplanation, explainName, type MeshSettings, MeshState } from '../src/index.ts';

const shop = `
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec:
  selector: {app: reviews}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: db, port: 5432}, {name: odd, port: 7000, appProtocol: tcp}]
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: reviews-1, namespace: shop}
spec: {address: 127.0.0.1, locality: eu/a, labels: {app: reviews, version: v1}, ports: {http: 8080}, serviceAccount: reviews}
---
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: {name: reviews-1, namespace: shop}
spec: {serviceAccount: reviews, httpProxy: {port: 15001}, inbound: [{name: http, port: 8080, appPort: 9080}]}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: web-1, namespace: front}
spec: {address: 127.0.0.2, labels: {app: web}, serviceAccount: web}
---
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: {name: web-1, namespace: front}
spec: {serviceAccount: web, httpProxy: {port: 15002}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  trafficPolicy:
    connectionPool: {tcp: {connectTimeout: 3s}}
    portLevelSettings: [{port: {number: 5432}, loadBalancer: {simple: RANDOM}}]
  subsets:
    - name: v1
      labels: {version: v1}
      trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: for-web, namespace: front}
spec:
  host: reviews.shop.svc.cluster.local
  workloadSelector: {matchLabels: {app: web}}
  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  hosts: [reviews]
  http:
    - name: old
      match: [{uri: {prefix: /old}}]
      timeout: 2s
      route: [{destination: {host: reviews, subset: v1}}]
    - retries: {attempts: 5}
      route: [{destination: {host: reviews}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: late, namespace: shop, creationTimestamp: "2026-01-02T00:00:00Z"}
spec:
  hosts: [reviews]
  http: [{route: [{destination: {host: reviews}}]}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: open, namespace: shop}
spec: {mtls: {mode: PERMISSIVE}}
`;

function stateOf(...texts: readonly string[]): MeshState {
  return stateWith({}, ...texts);
}

function stateWith(settings: Partial<MeshSettings>, ...texts: readonly string[]): MeshState {
  const { objects, violations } = parseManifest(texts.join('\n---\n'));
  assert.deepEqual(violations ?? [], []);
  const state = new MeshState(settings);
  state.apply((objects ?? []).map(({ object }): { value: KubeObject } => ({ value: object })));
  return state;
}

function explain(state: MeshState, name: string, more: Partial<AskedName> = {}): EffectiveExplanation {
  const found = explainName(state, { name, namespace: 'shop', from: undefined, ...more }, () => ['reviews.shop']);
  assert.ok(found !== undefined, name);
  return found;
}

/** `value | origin` of one name in a section. */
function entryOf({ sections }: EffectiveExplanation, section: string, name: string): string | undefined {
  const found = sections.find(({ title }) => title === section)?.values.find((value) => value.name === name);
  return found === undefined ? undefined : `${found.value} | ${found.origin}`;
}

test('a service: what its ports speak, and who said so', () => {
  const it = explain(stateOf(shop), 'reviews');
  assert.equal(it.subject, 'Service shop/reviews');
  assert.equal(entryOf(it, 'ports', '80 http'), 'http, target port 8080 | Service shop/reviews spec.ports[0].name');
  assert.equal(entryOf(it, 'ports', '5432 db'), 'tcp, target port 5432 | default: a well-known port');
  assert.equal(
    entryOf(it, 'ports', '7000 odd'),
    'tcp, target port 7000 | Service shop/reviews spec.ports[2].appProtocol',
  );
});

test('a policy: each value with its field, or the default; a port of its own replaces all, a subset shows what differs', () => {
  const it = explain(stateOf(shop), 'reviews');
  assert.equal(
    entryOf(it, 'calls to port 80', 'connect timeout'),
    '3 s | DestinationRule shop/reviews spec.trafficPolicy.connectionPool.tcp.connectTimeout',
  );
  assert.equal(entryOf(it, 'calls to port 80', 'connections'), 'unlimited | mesh default (istio)');
  assert.equal(entryOf(it, 'calls to port 80', 'balancing'), 'least requests of two | mesh default (istio)');
  assert.equal(entryOf(it, 'calls to port 5432', 'connect timeout'), '10 s | mesh default (istio)');
  assert.equal(
    entryOf(it, 'calls to port 5432', 'balancing'),
    'at random | DestinationRule shop/reviews spec.trafficPolicy.portLevelSettings[0].loadBalancer',
  );
  const subset = it.sections.find(({ title }) => title === 'calls to port 80, subset v1');
  assert.deepEqual(
    subset?.values.map(({ name, origin }) => [name, origin]),
    [['balancing', 'DestinationRule shop/reviews spec.subsets[0].trafficPolicy.loadBalancer']],
  );
});

test('defaults are those that the mesh has, and named for it; what both leave to Envoy is its own', () => {
  const plain = shop.replaceAll('hosts: [reviews]', 'hosts: [other]');
  for (const [defaults, expected] of [
    ['istio', ['none', '1 h', '2', '10 s', 'unlimited', 'unlimited']],
    ['envoy', ['15 s', '300 s', 'none', '5 s', '1024', '3']],
  ] as const) {
    const it = explain(stateWith({ defaults }, plain), 'reviews');
    const calls = 'calls to port 5432';
    assert.deepEqual(
      [
        entryOf(it, 'routes of port 80', '  timeout'),
        entryOf(it, 'routes of port 80', '  idle timeout'),
        entryOf(it, 'routes of port 80', '  retries'),
        entryOf(it, calls, 'connect timeout'),
        entryOf(it, calls, 'connections'),
        entryOf(it, calls, 'retries'),
      ],
      expected.map((value) => `${value} | mesh default (${defaults})`),
    );
    assert.equal(entryOf(it, calls, 'idle timeout'), '1 h | default (Envoy)');
    assert.equal(entryOf(it, calls, 'panic threshold'), '50 % healthy | default (Envoy)');
  }
});

test('balancing that the Service asks for comes from the Service', () => {
  const sticky = shop.replace('selector: {app: reviews}', 'selector: {app: reviews}\n  sessionAffinity: ClientIP');
  assert.equal(
    entryOf(explain(stateOf(sticky), 'reviews'), 'calls to port 80', 'balancing'),
    'by hash (ring) of the source-ip | Service shop/reviews spec.sessionAffinity',
  );
});

test('with outlier detection the panic threshold and success rates are of the mesh defaults', () => {
  for (const [defaults, panic, detection] of [
    ['istio', '0 % healthy', /^after 3 5xx in a row, 30 s at first/],
    ['envoy', '50 % healthy', /^after 3 5xx in a row, or with far less success than the others, 30 s at first/],
  ] as const) {
    const web = explain(stateWith({ defaults }, shop), 'reviews', { from: 'front/web-1' });
    assert.equal(entryOf(web, 'calls to port 80', 'panic threshold'), `${panic} | mesh default (${defaults})`);
    assert.match(entryOf(web, 'calls to port 80', 'outlier detection') ?? '', detection);
  }
});

test('rules that are put together: each value with the rule that it is from', () => {
  const older = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: older, namespace: shop, creationTimestamp: "2020-01-01T00:00:00Z"}
spec:
  host: reviews
  subsets:
    - {name: v2, labels: {version: v2}, trafficPolicy: {loadBalancer: {simple: RANDOM}}}
    - {name: v1, labels: {version: v1}, trafficPolicy: {connectionPool: {tcp: {maxConnections: 7}}}}
`;
  const it = explain(
    stateOf(
      shop.replaceAll(
        'namespace: shop}\nspec:\n  host',
        'namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}\nspec:\n  host',
      ),
      older,
    ),
    'reviews',
  );
  assert.equal(
    entryOf(it, 'calls to port 80', 'rule'),
    'DestinationRule shop/older | DestinationRule shop/older spec.host',
  );
  assert.match(entryOf(it, 'calls to port 80', 'merged with') ?? '', /^DestinationRule shop\/reviews \|/);
  assert.equal(
    entryOf(it, 'calls to port 80', 'connect timeout'),
    '3 s | DestinationRule shop/reviews spec.trafficPolicy.connectionPool.tcp.connectTimeout',
  );
  assert.equal(
    entryOf(it, 'calls to port 80, subset v2', 'balancing'),
    'at random | DestinationRule shop/older spec.subsets[0].trafficPolicy.loadBalancer',
  );
  assert.equal(
    entryOf(it, 'calls to port 80, subset v1', 'connections'),
    '7 | DestinationRule shop/older spec.subsets[1].trafficPolicy.connectionPool.tcp.maxConnections',
  );
  assert.match(
    entryOf(it, 'what loses', 'DestinationRule shop/reviews') ?? '',
    /subset v1 of host reviews\.shop.* by DestinationRule shop\/older/,
  );
});

test('the view of a client: its own rule applies to it alone', () => {
  const state = stateOf(shop);
  assert.match(entryOf(explain(state, 'reviews'), 'calls to port 80', 'outlier detection') ?? '', /^off \| default/);
  const web = explain(state, 'reviews', { from: 'front/web-1' });
  assert.equal(web.from, 'front/web-1');
  assert.match(
    entryOf(web, 'calls to port 80', 'outlier detection') ?? '',
    /^after 3 5xx in a row.* \| DestinationRule front\/for-web spec\.trafficPolicy\.outlierDetection$/,
  );
  assert.equal(entryOf(web, 'calls to port 80', 'connect timeout'), '10 s | mesh default (istio)');
});

test('routes with their timeouts and retries, mutual TLS, endpoints, and what loses', () => {
  const it = explain(stateOf(shop), 'service/reviews');
  const routes = it.sections.find(({ title }) => title === 'routes of port 80')?.values ?? [];
  assert.deepEqual(
    routes.map(({ name, origin }) => [name, origin]),
    [
      ['old', 'VirtualService shop/reviews spec.http[0].match[0]'],
      ['  timeout', 'VirtualService shop/reviews spec.http[0].timeout'],
      ['  idle timeout', 'mesh default (istio)'],
      ['  retries', 'mesh default (istio)'],
      ['  retried on', 'mesh default (istio)'],
      ['shop/reviews#1', 'VirtualService shop/reviews spec.http[1]'],
      ['  timeout', 'mesh default (istio)'],
      ['  idle timeout', 'mesh default (istio)'],
      ['  retries', 'VirtualService shop/reviews spec.http[1].retries.attempts'],
      ['  retried on', 'default (Istio)'],
    ],
  );
  assert.equal(routes[1]?.value, '2 s');
  assert.equal(routes[8]?.value, '5');
  assert.match(
    entryOf(it, 'mutual TLS of its workloads', 'mode') ?? '',
    /^permissive.* \| PeerAuthentication shop\/open spec\.mtls\.mode$/,
  );
  const [endpoint] = it.sections.find(({ title }) => title === 'endpoints')?.values ?? [];
  assert.equal(endpoint?.value, 'healthy, locality eu/a');
  assert.equal(endpoint?.origin, 'WorkloadEntry shop/reviews-1');
  assert.match(
    entryOf(it, 'what loses', 'VirtualService shop/late') ?? '',
    /host reviews\.shop.* by VirtualService shop\/reviews/,
  );
});

test('an HTTPRoute of the mesh is the origin where no VirtualService has the host; without either the default is', () => {
  const plain = shop.replaceAll('hosts: [reviews]', 'hosts: [other]');
  const bare = explain(stateOf(plain), 'reviews.shop');
  assert.match(entryOf(bare, 'routes of port 80', 'default') ?? '', /\| Service shop\/reviews$/);
  const route = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: reviews}]
  rules: [{timeouts: {request: 4s}, backendRefs: [{name: reviews, port: 80}]}]
`;
  const it = explain(stateOf(plain, route), 'reviews');
  assert.equal(entryOf(it, 'routes of port 80', '  timeout'), '4 s | HTTPRoute shop/r spec.rules[0].timeouts.request');
});

test('the proxy of a workload, by its name or the beginning of it', () => {
  const state = stateOf(shop);
  const it = explain(state, 'workload/reviews');
  assert.equal(it.subject, 'Proxy shop/reviews-1');
  assert.match(
    entryOf(it, 'takes', 'http 127.0.0.1:8080') ?? '',
    /^http for the application at 127\.0\.0\.1:9080, mutual TLS permissive/,
  );
  assert.equal(entryOf(it, 'proxy', 'engine'), 'weft | default (Weft)');
  assert.equal(entryOf(it, 'serves', 'reviews.shop.svc.cluster.local'), ' | Service shop/reviews');
  assert.equal(explain(state, 'front/web-1').subject, 'Proxy front/web-1');
  assert.match(entryOf(explain(state, 'front/web-1'), 'calls', 'reviews.shop') ?? '', /^2 routes \| /);
  const nothing = explainName(state, { name: 'nobody', namespace: 'shop', from: undefined }, () => []);
  assert.equal(nothing, undefined);
});

test('zones: how they count, and whom a proxy takes for its like', () => {
  const zoned = (
    setting: string,
  ): string => `${shop.replace('labels: {app: web}, serv', 'locality: eu/a, labels: {app: web}, serv')}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: front}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: for-web, namespace: front}
spec:
  host: reviews.shop.svc.cluster.local
  workloadSelector: {matchLabels: {app: web}}
  trafficPolicy: {loadBalancer: {zoneAwareLbSetting: ${setting}}}`;
  const asked = { from: 'front/web-1' };
  const origin = 'DestinationRule front/for-web spec.trafficPolicy.loadBalancer.zoneAwareLbSetting';
  assert.equal(
    entryOf(explain(stateOf(zoned('{minClusterSize: 2}')), 'reviews', asked), 'calls to port 80', 'locality'),
    `the nearest first as seen from eu/*; of those the own zone as far as the load stays even, with 2 endpoints or more | ${origin}`,
  );
  assert.equal(
    entryOf(explain(stateOf(zoned('{enabled: false}')), 'reviews', asked), 'calls to port 80', 'locality'),
    `all alike | ${origin}`,
  );
  assert.equal(
    entryOf(explain(stateOf(zoned('{}')), 'front/web-1'), 'proxy', 'peers, for zones'),
    '1 in eu/a | Service front/web',
  );
});

test('fields that nothing acts upon are named', () => {
  const sidecar = shop.replace(
    'trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}',
    'trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x}, zoneAwareLbSetting: {enabled: true}}}',
  );
  const it = explain(stateOf(sidecar), 'reviews', { from: 'front/web-1' });
  assert.match(
    entryOf(it, 'not yet supported', 'DestinationRule front/for-web') ?? '',
    /spec\.trafficPolicy\.loadBalancer\.zoneAwareLbSetting/,
  );
});

test('TLS that a BackendTLSPolicy asks for has its name beside it', () => {
  const policy = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: reviews, namespace: shop}
spec:
  targetRefs: [{group: '', kind: Service, name: reviews}]
  validation: {hostname: reviews.example.com, wellKnownCACertificates: System}
`;
  const it = explain(stateOf(shop + policy), 'reviews', { from: 'front/web-1' });
  const entries = it.sections.flatMap(({ values }) => values).filter(({ name }) => name === 'TLS');
  assert.deepEqual(
    [...new Set(entries.map(({ value, origin }) => `${value} | ${origin}`))],
    ['TLS, server name reviews.example.com, roots: system | BackendTLSPolicy shop/reviews spec.validation'],
  );
});
