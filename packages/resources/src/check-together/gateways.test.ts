import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, reviews, to } from './test-support.ts';

test('a VirtualService whose gateway, or whose host at it, is in none of the files', () => {
  const gateway = object('Gateway', 'edge', {
    selector: { app: 'edge' },
    servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*.shop.com'] }],
  });
  const using = (name: string, host = 'a.shop.com'): string =>
    object('VirtualService', 'v', { hosts: [host], gateways: [name], http: [{ route: [to('reviews')] }] });
  assert.deepEqual(findingsOf([gateway, using('edge')]), []);
  assert.deepEqual(findingsOf([gateway, using('shop/edge', '*')]), []);
  assert.deepEqual(findingsOf([using('far/edge')]), [], 'the files hold no Gateway at all');
  assert.deepEqual(findingsOf([gateway, using('far/edge')]), [
    'v spec.gateways[0]: "far/edge": Gateway far/edge is in none of these files',
  ]);
  assert.deepEqual(findingsOf([gateway, using('edge', 'a.com')]), [
    'v spec.hosts[0]: "a.com": no server of Gateway shop/edge is for it',
  ]);
});

test('a route of Gateway API whose parent, listener or port is in none of the files', () => {
  const gateway = object('KubeGateway', 'edge', {
    gatewayClassName: 'weft',
    listeners: [{ name: 'web', port: 80, protocol: 'HTTP', hostname: '*.shop.com' }],
  });
  const backendRefs = [{ name: 'reviews', port: 80 }];
  const route = (ref: object, name = 'r', hostnames: readonly string[] = []): string =>
    object('HTTPRoute', name, { parentRefs: [ref], hostnames, rules: [{ backendRefs }] });
  const said = (ref: object, hostnames: readonly string[] = []): readonly string[] =>
    findingsOf([gateway, reviews, route(ref, 'r', hostnames)]);
  assert.deepEqual(said({ name: 'edge', sectionName: 'web', port: 80 }, ['a.shop.com']), []);
  assert.deepEqual(said({ name: 'egde' }), [
    'r spec.parentRefs[0].name: "egde": Gateway shop/egde is in none of these files',
  ]);
  assert.deepEqual(said({ name: 'edge', sectionName: 'wbe' }), [
    'r spec.parentRefs[0].sectionName: "wbe": Gateway shop/edge has no such listener',
  ]);
  assert.deepEqual(said({ name: 'edge', port: 81 }), [
    'r spec.parentRefs[0].port: 81: no listener of Gateway shop/edge that is meant has the port',
  ]);
  assert.deepEqual(said({ name: 'edge' }, ['a.com']), [
    'r spec.parentRefs[0]: ["a.com"]: no listener of Gateway shop/edge serves any of the host names',
  ]);
  assert.deepEqual(said({ group: '', kind: 'Service', name: 'reviews', port: 81 }), [
    'r spec.parentRefs[0].port: 81: Service shop/reviews has no such port',
  ]);
  const calls = object('TLSRoute', 'r', {
    parentRefs: [{ name: 'edge' }],
    hostnames: ['a.shop.com'],
    rules: [{ backendRefs }],
  });
  assert.deepEqual(findingsOf([gateway, reviews, calls]), [
    'r spec.parentRefs[0]: no listener of Gateway shop/edge that is meant takes TLSRoutes: web is HTTP',
  ]);
  const far = object('HTTPRoute', 'far/r', {
    parentRefs: [{ name: 'edge', namespace: 'shop' }],
    rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { statusCode: 301 } }] }],
  });
  assert.deepEqual(findingsOf([gateway, far]), [
    'r spec.parentRefs[0]: Gateway shop/edge takes only routes of its own namespace',
  ]);
});
