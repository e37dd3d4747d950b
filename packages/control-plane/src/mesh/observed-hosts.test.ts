import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxObservedHosts, ObservedHosts } from './observed-hosts.ts';

const host = (authority: string, known = true) => ({ authority, known, lastUsed: 1 });

test('a proxy starts with what its siblings have asked for, and not with what others have', () => {
  const observed = new ObservedHosts();
  observed.observe('shop/a-1', 'shop/a', host('reviews:9080'));
  observed.observe('shop/b-1', 'shop/b', host('stock'));
  observed.begin('shop/a-2', 'shop/a');
  assert.deepEqual(observed.authorities('shop/a-2'), ['reviews:9080']);
  observed.observe('shop/a-1', 'shop/a', host('later'));
  assert.deepEqual(observed.authorities('shop/a-2'), ['reviews:9080']);
});

test('what was asked for outlives the proxy and a restart', () => {
  const observed = new ObservedHosts();
  observed.observe('shop/a-1', 'shop/a', host('reviews:9080'));
  observed.observe('shop/a-1', 'shop/a', host('ratings'));
  const kept = observed.persistent('shop/a-1');
  assert.deepEqual(kept, [
    { host: 'ratings', port: 80, lastUsed: 1 },
    { host: 'reviews', port: 9080, lastUsed: 1 },
  ]);
  observed.end('shop/a-1');
  observed.begin('shop/a-3', 'shop/a');
  assert.deepEqual(observed.authorities('shop/a-3'), ['ratings', 'reviews:9080']);
  const restarted = new ObservedHosts();
  for (const { host: name, port, lastUsed } of kept) {
    restarted.restore('shop/a', name, port, lastUsed);
  }
  restarted.begin('shop/a-1', 'shop/a');
  assert.deepEqual(restarted.authorities('shop/a-1'), ['ratings', 'reviews:9080']);
});

test('hosts that nothing has are answered but neither kept nor passed on', () => {
  const observed = new ObservedHosts();
  observed.observe('shop/a-1', 'shop/a', host('typo', false));
  assert.deepEqual(observed.authorities('shop/a-1'), ['typo']);
  assert.deepEqual(observed.persistent('shop/a-1'), []);
  observed.begin('shop/a-2', 'shop/a');
  assert.deepEqual(observed.authorities('shop/a-2'), []);
});

test('at the limit a host that nothing has makes room, and then no more are taken', () => {
  const observed = new ObservedHosts();
  observed.observe('p', 's', host('typo', false));
  for (let i = 1; i < maxObservedHosts; i += 1) {
    assert.equal(observed.observe('p', 's', host(`host-${i}`)), true);
  }
  assert.equal(observed.observe('p', 's', host('one-more')), true);
  assert.equal(observed.authorities('p').includes('typo'), false);
  assert.equal(observed.observe('p', 's', host('too-many')), false);
  assert.equal(observed.authorities('p').length, maxObservedHosts);
});
