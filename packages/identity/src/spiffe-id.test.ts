import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatWorkloadId, parseSpiffeId, parseWorkloadId } from './spiffe-id.ts';

test('a workload id is written and read back', () => {
  const workload = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'reviews' };
  const id = formatWorkloadId(workload);
  assert.equal(id, 'spiffe://cluster.local/ns/shop/sa/reviews');
  assert.deepEqual(parseWorkloadId(id), workload);
});

test('ids of another form than ns/…/sa/… name no workload', () => {
  for (const text of ['spiffe://a/ns/x', 'spiffe://a/sa/x/ns/y', 'spiffe://a/ns/x/sa/y/z', 'spiffe://a']) {
    assert.equal(parseWorkloadId(text), undefined, text);
    assert.equal(parseSpiffeId(text).ok, true, text);
  }
});

for (const text of [
  '',
  'spiffe://',
  'SPIFFE://a/b',
  'http://a/b',
  'spiffe:///b',
  'spiffe://a/',
  'spiffe://a//b',
  'spiffe://a/b/',
  'spiffe://a/./b',
  'spiffe://a/../b',
  'spiffe://A/b',
  'spiffe://a:80/b',
  'spiffe://u@a/b',
  'spiffe://a/b?c',
  'spiffe://a/b#c',
  'spiffe://a/%62',
  'spiffe://a/b c',
  'spiffe://a/ü',
  `spiffe://${'a'.repeat(256)}/b`,
  `spiffe://a/${'b'.repeat(2048)}`,
]) {
  test(`refuses ${text.length > 60 ? `${text.slice(0, 30)}… of ${text.length} bytes` : JSON.stringify(text)}`, () => {
    assert.equal(parseSpiffeId(text).ok, false);
  });
}

test('the limits themselves are allowed', () => {
  assert.equal(parseSpiffeId(`spiffe://${'a'.repeat(255)}/b`).ok, true);
  assert.equal(parseSpiffeId(`spiffe://a/${'b'.repeat(2048 - 'spiffe://a/'.length)}`).ok, true);
});

test('a name with a slash cannot smuggle a path into an id', () => {
  assert.throws(
    () => formatWorkloadId({ trustDomain: 'a', namespace: 'x/sa/y', serviceAccount: 'z' }),
    /may not hold a slash/,
  );
  assert.throws(() => formatWorkloadId({ trustDomain: 'a', namespace: '', serviceAccount: 'z' }), /empty segment/);
});
