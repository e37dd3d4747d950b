import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, reviews } from './test-support.ts';

const route = (name: string, backend: object): string =>
  object('HTTPRoute', name, { rules: [{ backendRefs: [backend] }] });

test('backends that are in none of the files, and ports that they do not have', () => {
  assert.deepEqual(findingsOf([route('r', { name: 'gone', port: 80 })]), [], 'the files hold no Service');
  assert.deepEqual(findingsOf([reviews, route('r', { name: 'gone', port: 80 })]), [
    'r spec.rules[0].backendRefs[0].name: "gone": Service shop/gone is in none of these files',
  ]);
  assert.deepEqual(findingsOf([reviews, route('r', { name: 'reviews', port: 81 })]), [
    'r spec.rules[0].backendRefs[0].port: 81: Service shop/reviews has no such port',
  ]);
});

test('a backend of another namespace needs a ReferenceGrant', () => {
  const far = route('far/r', { name: 'reviews', namespace: 'shop', port: 80 });
  const grant = (name: string | undefined): string =>
    object('ReferenceGrant', 'g', {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'far' }],
      to: [{ group: '', kind: 'Service', ...(name === undefined ? {} : { name }) }],
    });
  const said =
    'r spec.rules[0].backendRefs[0].namespace: no ReferenceGrant of these files lets HTTPRoutes of far refer to Service shop/reviews';
  assert.deepEqual(findingsOf([reviews, far]), [said]);
  assert.deepEqual(findingsOf([reviews, far, grant('ratings')]), [said]);
  assert.deepEqual(findingsOf([reviews, far, grant(undefined)]), []);
  assert.deepEqual(findingsOf([reviews, far, grant('reviews')]), []);
});
