import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object } from './test-support.ts';

const groups: Readonly<Record<string, string>> = {
  HTTPRoute: 'gateway.networking.k8s.io',
  GRPCRoute: 'gateway.networking.k8s.io',
  VirtualService: 'networking.istio.io',
};
const policy = (kind: string, name: string, target: object, spec: object): string =>
  object('RouteActionPolicy', 'p', { targetRefs: [{ group: groups[kind], kind, name, ...target }], ...spec });
const bandwidth = { fault: { bandwidth: { limit: '64Ki' } } };
const hedging = { hedging: { onPerTryTimeout: true } };

const backendRefs = [{ name: 'shop', port: 80 }];
const httpRoute = (rule: object): string =>
  object('HTTPRoute', 'shop', {
    parentRefs: [{ group: '', kind: 'Service', name: 'shop' }],
    rules: [
      { name: 'search', matches: [{ path: { value: '/search' } }], backendRefs, ...rule },
      { name: 'rest', backendRefs, timeouts: { backendRequest: '1s' } },
    ],
  });
const virtualService = (rule: object, more: object = { hosts: ['shop'] }): string =>
  object('VirtualService', 'shop', {
    ...more,
    http: [{ name: 'All of it', route: [{ destination: { host: 'shop' } }], ...rule }],
  });

test('policies for routes, or rules of them, that are in none of the files', () => {
  assert.deepEqual(findingsOf([policy('HTTPRoute', 'nobody', {}, bandwidth)]), [], 'the files hold no HTTPRoutes');
  assert.deepEqual(findingsOf([httpRoute({}), policy('HTTPRoute', 'shop', { sectionName: 'search' }, bandwidth)]), []);
  assert.deepEqual(findingsOf([httpRoute({}), policy('HTTPRoute', 'nobody', {}, bandwidth)]), [
    'p spec.targetRefs[0].name: "nobody": HTTPRoute shop/nobody is in none of these files',
  ]);
  assert.deepEqual(findingsOf([httpRoute({}), policy('HTTPRoute', 'shop', { sectionName: 'serch' }, bandwidth)]), [
    'p spec.targetRefs[0].sectionName: "serch": HTTPRoute shop/shop has no rule of this name',
  ]);
  const vs = virtualService({});
  assert.deepEqual(findingsOf([vs, policy('VirtualService', 'shop', { sectionName: 'All of it' }, bandwidth)]), []);
  assert.deepEqual(findingsOf([vs, policy('VirtualService', 'shop', { sectionName: 'all' }, bandwidth)]), [
    'p spec.targetRefs[0].sectionName: "all": VirtualService shop/shop has no rule of this name',
  ]);
});

test('hedging where tries have no time of their own', () => {
  const nothing = (path: string, route: string): string =>
    `p spec.hedging: does nothing at ${path} of ${route}: its tries have no time of their own`;
  const ofHttp = policy('HTTPRoute', 'shop', {}, hedging);
  assert.deepEqual(findingsOf([httpRoute({}), ofHttp]), [nothing('spec.rules[0]', 'HTTPRoute shop/shop')]);
  assert.deepEqual(findingsOf([httpRoute({ timeouts: { backendRequest: '1s' } }), ofHttp]), []);
  const timed = { ...hedging, retries: { attempts: 1, perTryTimeout: '1s' } };
  assert.deepEqual(findingsOf([httpRoute({}), policy('HTTPRoute', 'shop', {}, timed)]), []);
  assert.deepEqual(
    findingsOf([httpRoute({ retry: { attempts: 1 } }), policy('HTTPRoute', 'shop', {}, timed)]),
    [nothing('spec.rules[0]', 'HTTPRoute shop/shop')],
    'the retries of the rule itself count',
  );
  const grpc = object('GRPCRoute', 'shop', { rules: [{ backendRefs }] });
  assert.deepEqual(findingsOf([grpc, policy('GRPCRoute', 'shop', {}, hedging)]), [
    nothing('spec.rules[0]', 'GRPCRoute shop/shop'),
  ]);
  assert.deepEqual(findingsOf([grpc, policy('GRPCRoute', 'shop', {}, timed)]), []);
  const root = object('VirtualService', 'root', { hosts: ['shop'], http: [{ delegate: { name: 'shop' } }] });
  const ofVirtualService = policy('VirtualService', 'shop', {}, hedging);
  assert.deepEqual(findingsOf([virtualService({}), ofVirtualService]), [
    nothing('spec.http[0]', 'VirtualService shop/shop'),
  ]);
  assert.deepEqual(
    findingsOf([virtualService({ retries: { attempts: 1, perTryTimeout: '1s' } }), ofVirtualService]),
    [],
  );
  assert.deepEqual(
    findingsOf([root, virtualService({}, {}), ofVirtualService]),
    [],
    'who delegates to it may say the time',
  );
});
