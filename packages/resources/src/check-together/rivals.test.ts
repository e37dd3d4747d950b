import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, to } from './test-support.ts';

const virtualService = (name: string, host: string, more: object = {}): string =>
  object('VirtualService', name, { hosts: [host], http: [{ route: [to('reviews')] }], ...more });

test('two VirtualServices for one host, in whatever form it is written', () => {
  assert.deepEqual(
    findingsOf([virtualService('a', 'reviews'), virtualService('b', 'reviews.shop.svc.cluster.local')]),
    [
      'b spec.hosts[0]: VirtualService shop/a has host reviews.shop.svc.cluster.local for sidecars, too: only the older of the two is in force',
    ],
  );
  assert.deepEqual(findingsOf([virtualService('a', 'reviews'), virtualService('far/b', 'reviews')]), []);
  assert.deepEqual(
    findingsOf([virtualService('a', 'x.com', { exportTo: ['.'] }), virtualService('far/b', 'x.com')]),
    [],
  );
  const gateways = ['gw'];
  assert.deepEqual(findingsOf([virtualService('a', 'x.com', { gateways }), virtualService('b', 'x.com')]), []);
  assert.match(
    findingsOf([virtualService('a', 'x.com', { gateways }), virtualService('b', 'x.com', { gateways })])[0] ?? '',
    /at gateway shop\/gw, too/,
  );
});

test('two ServiceEntries for one host, two policies for one namespace, one object twice', () => {
  const entry = (name: string): string =>
    object('ServiceEntry', name, {
      hosts: ['a.com'],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      resolution: 'DNS',
    });
  const policy = (name: string): string => object('PeerAuthentication', name, { mtls: { mode: 'STRICT' } });
  assert.deepEqual(findingsOf([entry('a'), entry('b'), policy('p'), policy('q'), policy('q')]), [
    'b spec.hosts[0]: ServiceEntry shop/a declares a.com, too: the older of the two has it',
    'q spec: PeerAuthentication shop/p is for the whole namespace shop, too: the older of the two is in force',
    'q metadata.name: "q" is there more than once',
    'q spec: PeerAuthentication shop/p is for the whole namespace shop, too: the older of the two is in force',
  ]);
});

test('two HTTPRoutes with the same match for one host at one parent', () => {
  const route = (name: string, path: string, more: object = {}): string =>
    object('HTTPRoute', name, {
      parentRefs: [{ name: 'edge', namespace: 'shop' }],
      hostnames: ['a.com'],
      rules: [{ matches: [{ path: { value: path } }], backendRefs: [{ name: 'reviews', port: 80 }] }],
      ...more,
    });
  assert.deepEqual(findingsOf([route('a', '/x'), route('far/b', '/x')]), [
    'b spec.rules[0].matches[0]: HTTPRoute shop/a has the same match for the same host, too: the older of the two gets the requests',
  ]);
  assert.deepEqual(findingsOf([route('a', '/x'), route('b', '/y')]), []);
  assert.deepEqual(findingsOf([route('a', '/x'), route('b', '/x', { hostnames: ['b.com'] })]), []);
  const ofService = { parentRefs: [{ group: '', kind: 'Service', name: 'reviews', namespace: 'shop' }] };
  assert.deepEqual(findingsOf([route('a', '/x', ofService), route('far/b', '/x', ofService)]), []);
});
