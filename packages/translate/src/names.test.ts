import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostCandidates, outboundClusterName, parseAuthority, parseOutboundClusterName } from './names.ts';

test('the name of an outbound cluster can be taken apart again', () => {
  const name = outboundClusterName(9080, 'v1', 'reviews.shop.svc.cluster.local');
  assert.equal(name, 'outbound|9080|v1|reviews.shop.svc.cluster.local');
  assert.deepEqual(parseOutboundClusterName(name), {
    port: 9080,
    subset: 'v1',
    host: 'reviews.shop.svc.cluster.local',
  });
});

test('other names are not taken for clusters', () => {
  for (const name of ['inbound|8080||', 'outbound|x||h', 'outbound|80||', 'outbound|80|h', 'BlackHoleCluster', '']) {
    assert.equal(parseOutboundClusterName(name), undefined, name);
  }
});

test('a host may be written as short as Kubernetes allows', () => {
  const candidates = (host: string): readonly string[] => hostCandidates(host, 'shop', 'cluster.local');
  assert.deepEqual(candidates('reviews'), ['reviews.shop.svc.cluster.local']);
  assert.deepEqual(candidates('reviews.other'), ['reviews.other', 'reviews.other.svc.cluster.local']);
  assert.deepEqual(candidates('reviews.other.svc'), ['reviews.other.svc', 'reviews.other.svc.cluster.local']);
  assert.deepEqual(candidates('Reviews.Other.svc.cluster.local.'), ['reviews.other.svc.cluster.local']);
  assert.deepEqual(candidates('*.example'), ['*.example']);
});

test('an authority is a host and perhaps a port', () => {
  assert.deepEqual(parseAuthority('Reviews:9080'), { host: 'reviews', port: 9080 });
  assert.deepEqual(parseAuthority('reviews.shop'), { host: 'reviews.shop', port: undefined });
  assert.deepEqual(parseAuthority('[2001:DB8::1]:80'), { host: '[2001:db8::1]', port: 80 });
});

test('what would be a pattern, or is malformed, is no authority', () => {
  for (const text of ['', '*', '*.shop', 'shop*', 'a:0', 'a:65536', 'a:b', 'a b', 'user@a', 'a/b', '::1', 'a:80:90']) {
    assert.equal(parseAuthority(text), undefined, text);
  }
});
