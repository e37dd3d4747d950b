import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originKey } from '@weft/ir';
import { type KubeObject, parseManifest } from '@weft/resources';
import { typeUrls } from '@weft/xds-types';
import { Cluster } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { explainRequest, gatewayApiStatus, MeshState, resourceStatus, workloadIr, xdsFromIr } from '../src/index.ts';

/** What workloads without a proxy cannot do is named in the status of what is for them, and never done in another way. */

const services = `
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: shop}
spec: {selector: {app: echo}, ports: [{name: grpc, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
`;

const proxyless = `
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: {name: caller, namespace: shop}
spec: {engine: grpc, serviceAccount: caller}
`;

const rules = (host: string, exportTo = '') => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: routes, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  hosts: [${host}]
  ${exportTo}
  http:
    - match: [{uri: {prefix: /a}}]
      headers: {request: {set: {x-a: "1"}}}
      rewrite: {uri: /b, authority: other}
      corsPolicy: {allowOrigins: [{exact: "https://a.example"}]}
      mirrors: [{destination: {host: ${host}}}]
      timeout: 3s
      retries: {attempts: 2, perTryTimeout: 1s, retryOn: "5xx,unavailable"}
      route: [{destination: {host: ${host}}, headers: {response: {remove: [server]}}}]
    - match: [{uri: {prefix: /old}}]
      redirect: {uri: /new}
    - match: [{queryParams: {v: {exact: "1"}}}]
      route: [{destination: {host: ${host}}}]
    - retries: {attempts: 1, retryOn: "unavailable"}
      fault: {delay: {fixedDelay: 1s}}
      route: [{destination: {host: ${host}}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: policy, namespace: shop}
spec:
  host: ${host}
  ${exportTo}
  trafficPolicy:
    loadBalancer: {simple: ROUND_ROBIN}
    outlierDetection: {consecutive5xxErrors: 3}
    connectionPool: {tcp: {maxConnections: 3}, http: {http2MaxRequests: 9, maxRetries: 1}}
  subsets:
    - name: a
      trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: c, ttl: 1s}}}}
    - name: b
      trafficPolicy: {tls: {mode: SIMPLE, sni: b.example}}
`;

function stateOf(...texts: readonly string[]): MeshState {
  const { objects, violations } = parseManifest(texts.join('\n---\n'));
  assert.deepEqual(violations ?? [], []);
  const state = new MeshState();
  state.apply((objects ?? []).map(({ object }): { value: KubeObject } => ({ value: object })));
  return state;
}

function unsupported(state: MeshState, kind: string, name: string): string | undefined {
  const key = originKey({ group: 'networking.istio.io', kind, namespace: 'shop', name });
  return resourceStatus(state)
    .get(key)
    ?.conditions.find(({ type }) => type === 'NotYetSupported')?.message;
}

const without = 'workloads without a proxy go without it';
const fails = 'calls of workloads without a proxy fail';

test('a route: each field that gRPC has nothing for, and those because of which calls fail', () => {
  const http = 'spec.http[0]';
  assert.equal(
    unsupported(stateOf(services, proxyless, rules('echo')), 'VirtualService', 'routes'),
    `valid, but nothing acts on it yet: ${[
      `${http}.corsPolicy (${without})`,
      `${http}.headers (${without})`,
      `${http}.mirrors[0] (${without})`,
      `${http}.retries.perTryTimeout (${without})`,
      `${http}.retries.retryOn (gRPC without a proxy knows not all of them)`,
      `${http}.rewrite.authority (${without})`,
      `${http}.rewrite.uri (${without})`,
      `${http}.route[0] (${without})`,
      `spec.http[1].redirect (${fails})`,
      'spec.http[2].match[0] (calls without a proxy have no query)',
    ].join(', ')}`,
  );
});

test('a policy: outlier detection, connections, hashes of what calls do not have, TLS of its own', () => {
  assert.equal(
    unsupported(stateOf(services, proxyless, rules('echo')), 'DestinationRule', 'policy'),
    `valid, but nothing acts on it yet: ${[
      'spec.subsets[0].trafficPolicy.loadBalancer.consistentHash.httpCookie (calls without a proxy have only headers to make a hash of)',
      `spec.subsets[1].trafficPolicy.tls (${fails})`,
      `spec.trafficPolicy.connectionPool.http.maxRetries (${without})`,
      `spec.trafficPolicy.connectionPool.tcp (${without})`,
      `spec.trafficPolicy.outlierDetection (${without})`,
    ].join(', ')}`,
  );
});

test('nothing is said where it matters to nobody: no such workload, HTTP/1.1 alone, not exported, another one in force', () => {
  const other = proxyless.replace('namespace: shop', 'namespace: other');
  for (const state of [
    stateOf(services, rules('echo')),
    stateOf(services, proxyless.replace('engine: grpc', 'engine: envoy'), rules('echo')),
    stateOf(services, proxyless, rules('web')),
    stateOf(services, other, rules('echo', 'exportTo: ["."]')),
  ]) {
    assert.equal(unsupported(state, 'VirtualService', 'routes'), undefined);
    assert.equal(unsupported(state, 'DestinationRule', 'policy'), undefined);
  }
  const seen = stateOf(services, other, rules('echo'));
  assert.match(unsupported(seen, 'VirtualService', 'routes') ?? '', /headers/);
  const older = rules('echo')
    .replace(
      'metadata: {name: routes, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}',
      'metadata: {name: first, namespace: shop, creationTimestamp: "2020-01-01T00:00:00Z"}',
    )
    .split('---')[0];
  assert.equal(
    unsupported(stateOf(services, proxyless, rules('echo'), older ?? ''), 'VirtualService', 'routes'),
    undefined,
  );
});

test('the status follows the workloads as they come and go', () => {
  const state = stateOf(services, rules('echo'));
  assert.equal(unsupported(state, 'DestinationRule', 'policy'), undefined);
  const [caller] = parseManifest(proxyless).objects ?? [];
  assert.ok(caller !== undefined);
  state.apply([{ value: caller.object }]);
  assert.match(unsupported(state, 'DestinationRule', 'policy') ?? '', /outlierDetection/);
  state.apply([{ value: undefined, previous: caller.object }]);
  assert.equal(unsupported(state, 'DestinationRule', 'policy'), undefined);
});

test('routes of Gateway API, and a BackendTLSPolicy', () => {
  const state = stateOf(
    services,
    proxyless,
    `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: echo}]
  rules:
    - filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [x-a]}}]
      backendRefs: [{name: echo, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: p, namespace: shop}
spec:
  targetRefs: [{group: "", kind: Service, name: echo}]
  validation: {hostname: echo.example, wellKnownCACertificates: System}
`,
  );
  const messages = [...gatewayApiStatus(state).values()].flatMap((status) => {
    const conditions =
      status.kind === 'route'
        ? status.parents.flatMap((parent) => parent.conditions)
        : status.kind === 'policy'
          ? status.ancestors.flatMap((ancestor) => ancestor.conditions)
          : [];
    return conditions.filter(({ type }) => type === 'NotYetSupported').map(({ message }) => message);
  });
  assert.deepEqual(messages.sort(), [
    `nothing acts on it: spec.rules[0].filters[0] (${without})`,
    `nothing acts on it: spec.validation (${fails})`,
  ]);
});

function resourcesOf(state: MeshState) {
  const ir = workloadIr(state, 'shop/caller', ['echo:80']);
  assert.ok(ir !== undefined);
  const messages = xdsFromIr(ir);
  return {
    clusters: messages
      .filter(({ typeUrl }) => typeUrl === typeUrls.cluster)
      .map(({ encode }) => Cluster.decode(encode())),
    routes: messages
      .filter(({ typeUrl }) => typeUrl === typeUrls.listener)
      .flatMap(({ encode }) => {
        const manager = Listener.decode(encode()).apiListener?.apiListener?.value ?? new Uint8Array();
        const { routeSpecifier } = HttpConnectionManager.decode(manager);
        return routeSpecifier?.$case === 'routeConfig' ? (routeSpecifier.value.virtualHosts[0]?.routes ?? []) : [];
      }),
  };
}

test('a cluster that gRPC cannot speak to as it is asked is sent without endpoints, whatever it was before', () => {
  const { clusters } = resourcesOf(
    stateOf(services, proxyless, rules('echo').replace('{host: echo}, headers', '{host: echo, subset: b}, headers')),
  );
  const guarded = clusters.find(({ name }) => name.includes('|b|'));
  assert.equal(guarded?.edsClusterConfig?.serviceName, 'nowhere');
  assert.equal(guarded?.transportSocket, undefined);
  assert.equal(
    clusters.find(({ name }) => name === 'outbound|80||echo.shop.svc.cluster.local')?.edsClusterConfig?.serviceName,
    'outbound|80||echo.shop.svc.cluster.local',
  );
});

test('conditions on what every call has are decided before the library sees them; shares that do not exist lead nowhere', () => {
  const { routes } = resourcesOf(
    stateOf(
      services,
      proxyless,
      `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: routes, namespace: shop}
spec:
  hosts: [echo]
  http:
    - {name: get, match: [{method: {exact: GET}}], route: [{destination: {host: echo}}]}
    - {name: host, match: [{authority: {exact: "other:80"}}], route: [{destination: {host: echo}}]}
    - {name: query, match: [{queryParams: {v: {exact: "1"}}}], route: [{destination: {host: echo}}]}
    - {name: guard, match: [{method: {exact: POST}, headers: {x-a: {exact: b}}}], directResponse: {status: 403}}
    - name: split
      route: [{destination: {host: echo}, weight: 1}, {destination: {host: echo, subset: missing}, weight: 3}, {destination: {host: gone}, weight: 1}]
`,
    ),
  );
  assert.deepEqual(
    routes.map(({ name, match }) => [name, (match?.headers ?? []).map((header) => header.name)]),
    [
      ['guard', ['x-a']],
      ['split', []],
    ],
  );
  const [guard, split] = routes.map(({ action }) =>
    action?.$case === 'route' ? action.value.clusterSpecifier : undefined,
  );
  assert.deepEqual(guard, { $case: 'cluster', value: 'nowhere' });
  assert.deepEqual(
    split?.$case === 'weightedClusters' ? split.value.clusters.map(({ name, weight }) => [name, weight]) : [],
    [
      ['outbound|80||echo.shop.svc.cluster.local', 1],
      ['nowhere', 4],
    ],
  );
});

test('explain request says of a workload without a proxy what it goes without', () => {
  const explanation = explainRequest(stateOf(services, proxyless, rules('echo')), 'shop/caller', [], {
    method: 'POST',
    scheme: 'http',
    authority: 'echo:80',
    target: 'echo:80',
    path: '/a/b',
    query: new URLSearchParams(),
    headers: new Map(),
  });
  const lacks = explanation?.steps.flatMap(({ values }) => values.filter(({ name }) => name.startsWith('not done')));
  assert.ok(
    lacks?.some(
      ({ name, origin }) =>
        name === 'not done: headers' && origin === 'VirtualService shop/routes spec.http[0].headers',
    ),
  );
  assert.ok(
    lacks?.some(
      ({ name, origin }) => name === 'not done: outlierDetection' && origin.startsWith('DestinationRule shop/policy'),
    ),
  );
});
