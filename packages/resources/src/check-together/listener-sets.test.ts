import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, reviews } from './test-support.ts';

const listeners = [{ name: 'web', port: 80, protocol: 'HTTP', hostname: '*.shop.com' }];
const gateway = (from?: string): string =>
  object('KubeGateway', 'edge', {
    gatewayClassName: 'weft',
    ...(from === undefined ? {} : { allowedListeners: { namespaces: { from } } }),
    listeners,
  });
const set = (name: string, parentRef: object): string => object('ListenerSet', name, { parentRef, listeners });

test('a ListenerSet whose Gateway is in none of the files, or takes none', () => {
  const far = { name: 'edge', namespace: 'shop' };
  assert.deepEqual(findingsOf([set('s', { name: 'egde' })]), [], 'the files hold no Gateway at all');
  assert.deepEqual(findingsOf([gateway('All'), set('s', { name: 'egde' })]), [
    's spec.parentRef.name: "egde": Gateway shop/egde is in none of these files',
  ]);
  assert.deepEqual(findingsOf([gateway('All'), set('far/s', far)]), []);
  assert.deepEqual(findingsOf([gateway('Same'), set('s', { name: 'edge' })]), []);
  assert.deepEqual(findingsOf([gateway('Same'), set('far/s', far)]), [
    's spec.parentRef: Gateway shop/edge takes only ListenerSets of its own namespace',
  ]);
  assert.deepEqual(findingsOf([gateway(), set('s', { name: 'edge' })]), [
    's spec.parentRef: Gateway shop/edge takes no ListenerSets',
  ]);
});

test('a route whose ListenerSet, or its listener, is in none of the files', () => {
  const said = (ref: object, hostname = 'a.shop.com'): readonly string[] =>
    findingsOf([
      gateway('All'),
      set('s', { name: 'edge' }),
      reviews,
      object('HTTPRoute', 'r', {
        parentRefs: [{ kind: 'ListenerSet', ...ref }],
        hostnames: [hostname],
        rules: [{ backendRefs: [{ name: 'reviews', port: 80 }] }],
      }),
    ]);
  assert.deepEqual(said({ name: 's', sectionName: 'web' }), []);
  assert.deepEqual(said({ name: 't' }), [
    'r spec.parentRefs[0].name: "t": ListenerSet shop/t is in none of these files',
  ]);
  assert.deepEqual(said({ name: 's', sectionName: 'wbe' }), [
    'r spec.parentRefs[0].sectionName: "wbe": ListenerSet shop/s has no such listener',
  ]);
  assert.deepEqual(said({ name: 's' }, 'a.com'), [
    'r spec.parentRefs[0]: ["a.com"]: no listener of ListenerSet shop/s serves any of the host names',
  ]);
});

test('a certificate of a ListenerSet that no ReferenceGrant lets it have', () => {
  const secret = object('Secret', 'cert', undefined);
  const tls = { certificateRefs: [{ name: 'cert', namespace: 'shop' }] };
  const secure = object('ListenerSet', 'far/s', {
    parentRef: { name: 'edge', namespace: 'shop' },
    listeners: [{ name: 'web', port: 443, protocol: 'HTTPS', tls }],
  });
  assert.deepEqual(findingsOf([secret, secure]), [
    's spec.listeners[0].tls.certificateRefs[0].namespace: no ReferenceGrant of these files lets ListenerSets of far refer to Secret shop/cert',
  ]);
});
