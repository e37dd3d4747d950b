import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HttpRoute, validate } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { explainName, explainRequest, gatewayApiStatus, MeshState, workloadIr } from '../src/index.ts';

/** Which RouteActionPolicy a rule goes by, what is said about the others, and where values come from. */

let created = 0;

function object(apiVersion: string, kind: string, name: string, spec: object): KubeObject {
  created += 1;
  const creationTimestamp = new Date(Date.parse('2026-01-01T00:00:00Z') + created * 1_000).toISOString();
  return {
    apiVersion,
    kind,
    metadata: { name, namespace: 'shop', generation: 1, creationTimestamp },
    spec,
  } as KubeObject;
}

type Target = Readonly<Record<string, string>>;
const httpRoute: Target = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'shop' };
const virtualService: Target = { group: 'networking.istio.io', kind: 'VirtualService', name: 'old' };

const policy = (name: string, spec: object, ...targetRefs: readonly Target[]): KubeObject =>
  object('weft.dev/v1alpha1', 'RouteActionPolicy', name, { targetRefs, ...spec });
const slow = (limit: string): object => ({ fault: { bandwidth: { limit } } });
const hedging = { hedging: { onPerTryTimeout: true } };

const service = (name: string): KubeObject =>
  object('v1', 'Service', name, { selector: { app: name }, ports: [{ name: 'http', port: 80 }] });

const routeTo = (name: string, rules: readonly object[]): KubeObject =>
  object('gateway.networking.k8s.io/v1', 'HTTPRoute', name, {
    parentRefs: [{ group: '', kind: 'Service', name }],
    rules: rules.map((rule) => ({ backendRefs: [{ name, port: 80 }], ...rule })),
  });

const base: readonly KubeObject[] = [
  object('weft.dev/v1alpha1', 'Proxy', 'web', { serviceAccount: 'web', httpProxy: { port: 15_001 } }),
  service('shop'),
  service('old'),
  routeTo('shop', [
    { name: 'search', matches: [{ path: { value: '/search' } }], timeouts: { backendRequest: '1s' } },
    { matches: [{ path: { value: '/rest' } }] },
  ]),
  object('networking.istio.io/v1', 'VirtualService', 'old', {
    hosts: ['old'],
    http: [
      {
        name: 'Delayed',
        match: [{ uri: { prefix: '/delayed' } }],
        fault: { delay: { fixedDelay: '1s' } },
        route: [{ destination: { host: 'old' } }],
      },
      { retries: { attempts: 1, perTryTimeout: '1s' }, route: [{ destination: { host: 'old' } }] },
    ],
  }),
];

function stateOf(...more: readonly KubeObject[]): MeshState {
  const state = new MeshState();
  state.apply([...base, ...more].map((value) => ({ value })));
  return state;
}

function routesOf(state: MeshState, host: string): readonly HttpRoute[] {
  const ir = workloadIr(state, 'shop/web', [`${host}:80`]);
  assert.ok(ir !== undefined);
  assert.deepEqual(validate(ir), []);
  return ir.httpProxy?.virtualHosts.find(({ authority }) => authority === `${host}:80`)?.routes?.routes ?? [];
}

/** KiB/s of each route of a host, in their order. */
function rates(state: MeshState, host: string): readonly (number | undefined)[] {
  return routesOf(state, host).map(({ fault }) => fault?.bandwidth?.kibPerSecond);
}

/** `kind name: Type=True Reason: message` */
function said(state: MeshState, name: string): readonly string[] {
  const status = [...gatewayApiStatus(state).values()].find(
    ({ origin }) => origin.kind === 'RouteActionPolicy' && origin.name === name,
  );
  assert.ok(status?.kind === 'policy');
  return status.ancestors.flatMap(({ ref, conditions }) =>
    conditions.map(
      ({ type, status: holds, reason, message }) => `${ref.kind} ${ref.name}: ${type}=${holds} ${reason}: ${message}`,
    ),
  );
}

test('a policy for a rule comes before one for the route, of two for the same the older, and the others say so', () => {
  const rule = { ...httpRoute, sectionName: 'search' };
  const state = stateOf(
    policy('whole', slow('1Ki'), httpRoute),
    policy('late', slow('2Ki'), httpRoute),
    policy('rule', slow('3Ki'), rule),
    policy('rule-late', slow('4Ki'), rule),
  );
  assert.deepEqual(rates(state, 'shop'), [3, 1]);
  assert.deepEqual(said(state, 'whole'), ['HTTPRoute shop: Accepted=True Accepted: in force for shop/shop#1']);
  assert.deepEqual(said(state, 'late'), [
    'HTTPRoute shop: Accepted=False Conflicted: RouteActionPolicy shop/whole is older and has HTTPRoute shop/shop',
  ]);
  assert.deepEqual(said(state, 'rule'), ['HTTPRoute shop: Accepted=True Accepted: in force for search']);
  assert.deepEqual(said(state, 'rule-late'), [
    'HTTPRoute shop: Accepted=False Conflicted: RouteActionPolicy shop/rule is older and has HTTPRoute shop/shop, rule search',
  ]);
});

test('the next oldest takes over when a policy goes, and routes without one have nothing left', () => {
  const whole = policy('whole', slow('1Ki'), httpRoute);
  const late = policy('late', slow('2Ki'), httpRoute, virtualService);
  const state = stateOf(whole, late);
  assert.deepEqual(
    [rates(state, 'shop'), rates(state, 'old')],
    [
      [1, 1],
      [2, 2],
    ],
  );
  state.apply([{ value: undefined, previous: whole }]);
  assert.deepEqual(rates(state, 'shop'), [2, 2]);
  assert.deepEqual(said(state, 'late')[0], 'HTTPRoute shop: Accepted=True Accepted: in force for search, shop/shop#1');
  state.apply([{ value: undefined, previous: late }]);
  assert.deepEqual(
    [rates(state, 'shop'), rates(state, 'old')],
    [
      [undefined, undefined],
      [undefined, undefined],
    ],
  );
});

test('routes of another namespace are none of a policy, and targets that are nowhere are named', () => {
  const elsewhere = policy('p', slow('1Ki'), httpRoute, { ...virtualService, sectionName: 'nobody' });
  const state = stateOf({ ...elsewhere, metadata: { ...elsewhere.metadata, namespace: 'team' } } as KubeObject);
  assert.deepEqual(rates(state, 'shop'), [undefined, undefined]);
  assert.deepEqual(said(state, 'p'), [
    'HTTPRoute shop: Accepted=False TargetNotFound: there is no HTTPRoute team/shop',
    'VirtualService old: Accepted=False TargetNotFound: there is no VirtualService team/old',
  ]);
  assert.deepEqual(said(stateOf(policy('q', slow('1Ki'), { ...virtualService, sectionName: 'delayed' })), 'q'), [
    'VirtualService old: Accepted=False TargetNotFound: VirtualService shop/old has no rule delayed',
  ]);
});

test("a rule's own fields come before those of its policy, which says so", () => {
  const fault = { delay: { fixedDelay: '9s' }, abort: { httpStatus: 500 }, bandwidth: { limit: '1Mi' } };
  const state = stateOf(policy('p', { fault, retries: { attempts: 7 } }, virtualService));
  const [delayed, rest] = routesOf(state, 'old');
  assert.deepEqual(delayed?.fault, {
    delay: { ms: 1_000, share: 1_000_000 },
    abort: { kind: 'http', status: 500, share: 1_000_000 },
    bandwidth: { kibPerSecond: 1_024, share: 1_000_000 },
  });
  assert.equal(delayed.action.kind === 'forward' && delayed.action.retry?.attempts, 7);
  assert.equal(rest?.fault?.delay?.ms, 9_000);
  assert.equal(rest.action.kind === 'forward' && rest.action.retry?.attempts, 1);
  assert.deepEqual(said(state, 'p').slice(1), [
    'VirtualService old: Conflicted=True RouteComesFirst: said already: spec.fault.delay by rule Delayed; spec.retries by rule shop/old#1',
  ]);
});

/** Whether each route of a host hedges, in their order. */
function hedges(state: MeshState, host: string): readonly boolean[] {
  return routesOf(state, host).map(
    ({ action }) => action.kind === 'forward' && action.retry?.hedgeOnPerTryTimeout === true,
  );
}

test('hedging takes a time for each try that is shorter than the whole; where there is none the status says so', () => {
  const untimed = (names: string): RegExp =>
    new RegExp(`PartiallyInvalid=True NoPerTryTimeout: spec.hedging does nothing at ${names}: it takes retries`);
  const some = stateOf(policy('p', hedging, httpRoute));
  assert.deepEqual(hedges(some, 'shop'), [true, false]);
  assert.match(said(some, 'p')[1] ?? '', untimed('shop/shop#1'));
  const all = stateOf(policy('p', { ...hedging, retries: { attempts: 1, perTryTimeout: '500ms' } }, httpRoute));
  assert.deepEqual(hedges(all, 'shop'), [true, true]);
  assert.deepEqual(said(all, 'p').slice(1), [
    'HTTPRoute shop: Conflicted=True RouteComesFirst: said already: spec.retries.perTryTimeout by rule search',
  ]);
  const none = stateOf(policy('p', { ...hedging, retries: { attempts: 0 } }, { ...httpRoute, sectionName: 'search' }));
  assert.deepEqual(hedges(none, 'shop'), [false, false]);
  assert.match(said(none, 'p')[1] ?? '', untimed('search'));
  const long = stateOf(
    service('long'),
    routeTo('long', [{ timeouts: { request: '1s' } }]),
    policy('p', { ...hedging, retries: { attempts: 1, perTryTimeout: '1s' } }, { ...httpRoute, name: 'long' }),
  );
  assert.deepEqual(hedges(long, 'long'), [false]);
  assert.match(said(long, 'p')[1] ?? '', untimed('shop/long#0'));
});

test('policies of a delegate come before those of who delegates, and its rules have the retries of both', () => {
  const state = stateOf(
    service('reviews'),
    object('networking.istio.io/v1', 'VirtualService', 'root', {
      hosts: ['reviews'],
      http: [{ retries: { attempts: 1, perTryTimeout: '1s' }, delegate: { name: 'leaf' } }],
    }),
    object('networking.istio.io/v1', 'VirtualService', 'leaf', {
      http: [
        { name: 'one', match: [{ uri: { prefix: '/1' } }], route: [{ destination: { host: 'reviews' } }] },
        { route: [{ destination: { host: 'reviews' } }] },
      ],
    }),
    policy('root', slow('1Ki'), { ...virtualService, name: 'root' }),
    policy('leaf', { ...hedging, ...slow('2Ki') }, { ...virtualService, name: 'leaf', sectionName: 'one' }),
  );
  assert.deepEqual(rates(state, 'reviews'), [2, 1]);
  assert.deepEqual(hedges(state, 'reviews'), [true, false]);
  assert.deepEqual(said(state, 'leaf'), ['VirtualService leaf: Accepted=True Accepted: in force for one']);
  assert.deepEqual(said(state, 'root'), ['VirtualService root: Accepted=True Accepted: in force for shop/leaf#1']);
});

test('a delegate that nobody delegates to has no rule that a policy could be for', () => {
  const lonely = object('networking.istio.io/v1', 'VirtualService', 'lonely', {
    http: [{ route: [{ destination: { host: 'old' } }] }],
  });
  const state = stateOf(lonely, policy('p', slow('1Ki'), { ...virtualService, name: 'lonely' }));
  assert.deepEqual(said(state, 'p'), [
    'VirtualService lonely: Accepted=False TargetNotFound: VirtualService shop/lonely has no rules of HTTP that are in force',
  ]);
});

test("where workloads have gRPC's library alone, the status names what it does nothing with", () => {
  const spec = {
    ...hedging,
    fault: { bandwidth: { limit: '1Ki' }, delay: { fixedDelay: '1s' } },
    retries: { attempts: 1, perTryTimeout: '1s' },
  };
  const asked = policy('p', spec, { ...httpRoute, sectionName: 'search' });
  assert.ok(said(stateOf(asked), 'p').every((line) => !line.includes('NotYetSupported')));
  const proxyless = object('weft.dev/v1alpha1', 'Proxy', 'lib', { engine: 'grpc', serviceAccount: 'lib' });
  assert.deepEqual(said(stateOf(asked, proxyless), 'p').slice(-1), [
    'HTTPRoute shop: NotYetSupported=True FieldsNotActedUpon: workloads without a proxy do without: spec.hedging, spec.fault.bandwidth, spec.retries.perTryTimeout',
  ]);
});

test('explain names the policy that each value is from', () => {
  const state = stateOf(
    policy('p', { ...hedging, fault: { bandwidth: { limit: '64Ki' }, abort: { httpStatus: 503 } } }, httpRoute),
    policy('q', { fault: { delay: { fixedDelay: '9s' }, abort: { httpStatus: 418 } } }, virtualService),
  );
  const explained = (name: string): readonly string[] => {
    const asked = { name: `service/${name}`, namespace: 'shop', from: 'shop/web' };
    return (explainName(state, asked, () => [])?.sections ?? []).flatMap(({ values }) =>
      values.map((value) => `${value.name.trim()}: ${value.value} (${value.origin})`),
    );
  };
  const ofShop = explained('shop');
  assert.ok(
    ofShop.includes(
      'hedging: a try goes on when its time is over, beside the next (RouteActionPolicy shop/p spec.hedging.onPerTryTimeout)',
    ),
  );
  assert.ok(ofShop.includes('bandwidth: 100 % answered at 64 KiB/s (RouteActionPolicy shop/p spec.fault.bandwidth)'));
  const ofOld = explained('old');
  assert.ok(ofOld.includes('delay: 100 % by 1 s (VirtualService shop/old spec.http[0].fault.delay)'));
  assert.ok(ofOld.includes('abort: 100 % with 418 (RouteActionPolicy shop/q spec.fault.abort)'));
  const walk = explainRequest(state, 'shop/web', [], {
    method: 'GET',
    scheme: 'http',
    authority: 'shop',
    target: 'shop',
    path: '/search',
    query: new URLSearchParams(),
    headers: new Map(),
  });
  const origins = new Map(walk?.steps.flatMap(({ values }) => values).map(({ name, origin }) => [name, origin]));
  assert.equal(origins.get('bandwidth'), 'RouteActionPolicy shop/p spec.fault.bandwidth', JSON.stringify(walk?.steps));
  assert.equal(origins.get('hedging'), 'RouteActionPolicy shop/p spec.hedging.onPerTryTimeout');
});
