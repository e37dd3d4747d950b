import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, to } from './test-support.ts';

const route = [to('reviews')];
const delegating = (name: string): string =>
  object('VirtualService', 'root', { hosts: ['reviews'], http: [{ delegate: { name } }] });

test('a delegate that is not there, has hosts, or is kept to another namespace', () => {
  assert.deepEqual(findingsOf([delegating('gone')]), [
    'root spec.http[0].delegate.name: "gone": VirtualService shop/gone is in none of these files, and its requests get a 503',
  ]);
  assert.deepEqual(findingsOf([delegating('b'), object('VirtualService', 'b', { hosts: ['b'], http: [{ route }] })]), [
    'root spec.http[0].delegate.name: VirtualService shop/b has hosts of its own, so nothing can be delegated to it',
  ]);
  const hidden = object('VirtualService', 'far/b', { exportTo: ['.'], http: [{ route }] });
  const root = object('VirtualService', 'root', {
    hosts: ['reviews'],
    http: [{ delegate: { name: 'b', namespace: 'far' } }],
  });
  assert.deepEqual(findingsOf([root, hidden]), [
    'root spec.http[0].delegate.name: VirtualService far/b is not exported to shop',
  ]);
});

test('a VirtualService without hosts that nothing delegates to', () => {
  const leaf = object('VirtualService', 'leaf', { http: [{ route }] });
  assert.deepEqual(findingsOf([delegating('leaf'), leaf]), []);
  assert.deepEqual(findingsOf([leaf]), [
    'leaf spec.hosts: without hosts it is only used by delegation, and nothing in these files delegates to it',
  ]);
});
