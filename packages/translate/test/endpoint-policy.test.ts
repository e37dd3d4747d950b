import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutboundCluster } from '@weft/ir';
import { type KubeObject, parseManifest } from '@weft/resources';
import { explainName, gatewayApiStatus, MeshState, workloadIr } from '../src/index.ts';

/** What EndpointPolicies come to, which of several counts, and what is said about it. */

const base = `
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: { name: web, namespace: shop }
spec:
  serviceAccount: web
  upstreams:
    - { host: cart, port: 80, listenPort: 15080 }
    - { host: cart, port: 81, listenPort: 15081 }
    - { host: cart, port: 9000, listenPort: 15090 }
---
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop }
spec:
  selector: { app: cart }
  ports: [{ name: http, port: 80 }, { name: grpc, port: 81 }, { name: tcp, port: 9000 }]
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: cart-1, namespace: shop }
spec: { address: 10.0.0.1, labels: { app: cart, version: v1 }, ports: { http: 8080, grpc: 8081 } }
`;

const cart = '{ group: "", kind: Service, name: cart }';
let created = 0;
function policy(name: string, spec: string, targets: string = cart, namespace: string = 'shop'): string {
  created += 1;
  const at = new Date(Date.parse('2026-01-01T00:00:00Z') + created * 1_000).toISOString();
  return `
apiVersion: weft.dev/v1alpha1
kind: EndpointPolicy
metadata: { name: ${name}, namespace: ${namespace}, creationTimestamp: "${at}" }
spec: { targetRefs: [${targets}], ${spec} }`;
}
const check = 'healthCheck: { http: { path: /healthz } }';
const rule = (loadBalancer: string, more = ''): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: cart, namespace: shop }
spec: { host: cart, trafficPolicy: { loadBalancer: ${loadBalancer} }${more} }`;

function changesOf(...texts: readonly string[]): readonly { readonly value: KubeObject }[] {
  const { objects, violations } = parseManifest(texts.join('\n---\n'));
  assert.deepEqual(violations ?? [], []);
  return (objects ?? []).map(({ object }) => ({ value: object }));
}

function stateOf(...texts: readonly string[]): MeshState {
  const state = new MeshState();
  state.apply(changesOf(base, ...texts));
  return state;
}

function clusterOf(state: MeshState, port = 80): OutboundCluster {
  const cluster = workloadIr(state, 'shop/web', [])?.clusters.find((each) => each.port === port);
  assert.ok(cluster !== undefined);
  return cluster;
}

/** Conditions of a policy at each target, as `Service cart: Accepted=True Accepted: …`. */
function said(state: MeshState, name: string): readonly string[] {
  const status = [...gatewayApiStatus(state).values()].find(
    (each) => each.kind === 'policy' && each.origin.name === name,
  );
  assert.ok(status?.kind === 'policy');
  return status.ancestors.flatMap(({ ref, conditions }) =>
    conditions
      .filter(({ type, status: holds }) => type !== 'Programmed' || holds === 'False')
      .map(
        ({ type, status: holds, reason, message }) => `${ref.kind} ${ref.name}: ${type}=${holds} ${reason}: ${message}`,
      ),
  );
}

const inForce =
  'Service cart: Accepted=True Accepted: in force for cart.shop.svc.cluster.local:80, cart.shop.svc.cluster.local:81, cart.shop.svc.cluster.local:9000';

test('the defaults of checks', () => {
  assert.deepEqual(clusterOf(stateOf(policy('p', check))).healthCheck, {
    ...{ intervalMs: 10_000, jitterMs: 1_000, timeoutMs: 1_000 },
    ...{ healthyThreshold: 1, unhealthyThreshold: 3 },
    check: {
      ...{ kind: 'http', http2: false, method: 'GET', path: '/healthz', host: 'cart.shop.svc.cluster.local' },
      expectedStatuses: [[200, 200]],
    },
  });
  assert.equal(clusterOf(stateOf()).healthCheck, undefined);
});

test('health counts where it is checked, as with outlier detection; a threshold of the policy comes before all others', () => {
  assert.equal(clusterOf(stateOf()).panicPercent, undefined);
  assert.equal(clusterOf(stateOf(policy('p', check))).panicPercent, 0);
  const asked = rule('{ simple: RANDOM }').replace(' } }', ' }, outlierDetection: { minHealthPercent: 30 } }');
  assert.equal(clusterOf(stateOf(asked)).panicPercent, 30);
  assert.equal(clusterOf(stateOf(asked, policy('p', check))).panicPercent, 30);
  assert.equal(clusterOf(stateOf(asked, policy('p', 'loadBalancer: { panicThreshold: 70 }'))).panicPercent, 70);
});

test('a policy for a port comes before one for the whole, the oldest of several counts, other namespaces have no say', () => {
  const port = '{ group: "", kind: Service, name: cart, sectionName: http }';
  const [first, second, ofPort] = [policy('first', check), policy('second', check), policy('of-port', check, port)];
  const state = stateOf(second, policy('foreign', check, cart, 'other'), ofPort, first);
  const originOf = (number: number): readonly string[] =>
    clusterOf(state, number)
      .origins.filter(({ kind }) => kind === 'EndpointPolicy')
      .map(({ name }) => name);
  assert.deepEqual(originOf(80), ['of-port']);
  assert.deepEqual(originOf(81), ['first']);
  assert.match(
    said(state, 'of-port')[0] ?? '',
    /Accepted=True Accepted: in force for cart\.shop\.svc\.cluster\.local:80$/,
  );
  assert.deepEqual(said(state, 'second'), [
    'Service cart: Accepted=False Conflicted: EndpointPolicy shop/first is older and has Service shop/cart',
    'Service cart: Programmed=False Conflicted: it is not accepted',
  ]);
  assert.match(said(state, 'foreign')[0] ?? '', /TargetNotFound: there is no Service other\/cart/);
  state.apply(changesOf(first).map(({ value }) => ({ value: undefined, previous: value })));
  assert.deepEqual(originOf(81), ['second'], 'the next one takes over');
  assert.match(said(state, 'second')[0] ?? '', /Accepted=True/);
});

test('targets and ports that are not there are named', () => {
  const state = stateOf(
    policy('p', check, '{ group: "", kind: Service, name: nobody }'),
    policy('q', check, '{ group: "", kind: Service, name: cart, sectionName: https }'),
    policy('r', 'healthCheck: { port: 99, http: { path: / } }'),
  );
  assert.match(said(state, 'p')[0] ?? '', /Accepted=False TargetNotFound: there is no Service shop\/nobody/);
  assert.match(said(state, 'q')[0] ?? '', /TargetNotFound: Service shop\/cart has no port https/);
  assert.match(
    said(state, 'r')[1] ?? '',
    /PartiallyInvalid=True NothingToChange: does nothing: spec\.healthCheck\.port \(cart\.shop\.svc\.cluster\.local has no port 99: endpoints of port 80 are not checked\)/,
  );
  assert.equal(clusterOf(state).healthCheck, undefined);
});

test('where callers are not let through at all, a policy has nothing to say, and nothing else is lost', () => {
  const state = stateOf(
    policy('p', check),
    `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: cart, namespace: shop }
spec: { host: cart, trafficPolicy: { tls: { mode: SIMPLE, credentialName: nobody } } }
`,
  );
  assert.deepEqual(said(state, 'p'), [inForce]);
});

test('checks by gRPC are made where HTTP/2 is spoken, and it is said where not', () => {
  const state = stateOf(policy('p', 'healthCheck: { grpc: {} }'));
  assert.equal(clusterOf(state, 81).healthCheck?.check.kind, 'grpc');
  assert.equal(clusterOf(state, 80).healthCheck?.check.kind, 'grpc', 'the sidecars of both ends speak HTTP/2');
  assert.equal(clusterOf(state, 9000).healthCheck, undefined);
  assert.deepEqual(said(state, 'p'), [
    inForce,
    'Service cart: PartiallyInvalid=True NothingToChange: does nothing: spec.healthCheck.grpc (HTTP/2 is not spoken to cart.shop.svc.cluster.local:9000: declare the port as grpc)',
  ]);
});

test('a bound on the load is for callers that choose by hash, and it is said where none do', () => {
  const bounded = policy('p', 'loadBalancer: { boundedLoad: 120, leastRequest: { choiceCount: 4 } }');
  const without = stateOf(bounded);
  assert.deepEqual(clusterOf(without).loadBalancer, { kind: 'least-request', choiceCount: 4 });
  assert.match(
    said(without, 'p')[1] ?? '',
    /boundedLoad \(callers of cart\.shop\.svc\.cluster\.local:80 do not choose by hash: a DestinationRule with consistentHash is missing\)/,
  );
  const hashing = '{ consistentHash: { httpHeaderName: x-user, maglev: { tableSize: 101 } } }';
  const subset =
    ', subsets: [{ name: v1, labels: { version: v1 }, trafficPolicy: { loadBalancer: { simple: LEAST_REQUEST } } }]';
  const state = stateOf(bounded, rule(hashing, subset));
  assert.deepEqual(clusterOf(state).loadBalancer, { kind: 'maglev', tableSize: 101, boundedLoadPercent: 120 });
  assert.deepEqual(said(state, 'p'), [inForce], 'a subset chooses by the fewest requests');
});

test('endpoints are checked at another port of theirs, if it is there and spoken to alike', () => {
  const state = stateOf(policy('p', 'healthCheck: { port: 81, http: { path: / } }'));
  assert.deepEqual(said(state, 'p'), [inForce]);
  const entry = base
    .slice(base.indexOf('apiVersion: networking.istio.io/v1'))
    .replace('cart-1', 'cart-2')
    .replace(', grpc: 8081', '');
  const service = base
    .slice(base.indexOf('apiVersion: v1'), base.indexOf('---\napiVersion: networking.istio.io/v1'))
    .replace('{ name: grpc, port: 81 }', '{ name: grpc, port: 81, targetPort: calls }');
  state.apply(changesOf(service, entry));
  assert.match(
    said(state, 'p')[1] ?? '',
    /spec\.healthCheck\.port \(cart-2: no such port, or one that is spoken to with other TLS than port 80, so that it is not checked\)/,
  );
});

test('workloads without a proxy check nothing, and the policy says so', () => {
  const proxyless = `
apiVersion: weft.dev/v1alpha1
kind: Proxy
metadata: { name: lone, namespace: shop }
spec: { serviceAccount: lone, engine: grpc }`;
  assert.deepEqual(said(stateOf(proxyless, policy('p', `${check}, loadBalancer: { panicThreshold: 10 }`)), 'p'), [
    inForce,
    'Service cart: NotYetSupported=True FieldsNotActedUpon: workloads without a proxy do without: spec.healthCheck, spec.loadBalancer.panicThreshold',
  ]);
});

test('explain names each value and the policy that it comes from', () => {
  const state = stateOf(
    rule('{ consistentHash: { useSourceIp: true } }'),
    policy('p', `${check}, loadBalancer: { boundedLoad: 150, panicThreshold: 25 }`),
    policy('late', check),
  );
  const explained = explainName(state, { name: 'cart', namespace: 'shop', from: undefined }, () => []);
  const found = (title: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      (explained?.sections.find((section) => section.title === title)?.values ?? []).map(({ name, value, origin }) => [
        name,
        `${value} | ${origin}`,
      ]),
    );
  const calls = found('calls to port 80');
  assert.equal(
    calls['health checks'],
    'GET http://cart.shop.svc.cluster.local/healthz every 10 s, at most 1 s; 3 failures in a row are too many, 1 passed heal | EndpointPolicy shop/p spec.healthCheck',
  );
  assert.equal(calls['panic threshold'], '25 % healthy | EndpointPolicy shop/p spec.loadBalancer.panicThreshold');
  assert.equal(
    calls['balancing'],
    'by hash (ring) of the source-ip, at most 150 % of the mean load for each | DestinationRule shop/cart spec.trafficPolicy.loadBalancer, EndpointPolicy shop/p spec.loadBalancer.boundedLoad',
  );
  const plain = explainName(stateOf(), { name: 'cart', namespace: 'shop', from: undefined }, () => []);
  assert.ok(JSON.stringify(plain).includes('{"name":"health checks","value":"none","origin":"default (Weft)"}'));
});

test('a change of one policy changes the clusters of its targets alone', () => {
  const state = stateOf(policy('p', check, '{ group: "", kind: Service, name: cart, sectionName: http }'));
  const before = [clusterOf(state, 80), clusterOf(state, 81)];
  state.apply(
    changesOf(
      policy(
        'p',
        'healthCheck: { http: { path: /other } }',
        '{ group: "", kind: Service, name: cart, sectionName: http }',
      ),
    ),
  );
  assert.notEqual(clusterOf(state, 80), before[0]);
  assert.equal(clusterOf(state, 81), before[1]);
});
