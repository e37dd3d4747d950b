import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxListeners, SeenProtocols } from './seen-protocols.ts';

const all = (): boolean => true;

test('what a proxy says takes the place of what it said before, and goes with it', () => {
  let learnt = 0;
  const seen = new SeenProtocols(() => {
    learnt += 1;
  });
  seen.told('shop/web', { 'upstream|7000||cache': { tcp: [2, 5] } }, 100_000, all);
  seen.told('shop/web', { 'upstream|7000||cache': { tcp: [3, 0] } }, 130_000, all);
  assert.deepEqual(seen.listenersOf('shop/web').get('upstream|7000||cache')?.get('tcp'), {
    count: 3,
    lastSeenMs: 130_000,
  });
  assert.equal(learnt, 1, 'a count that grew is no news');
  seen.told('shop/other', { 'upstream|7000||cache': { tls: [1, 0] } }, 130_000, all);
  assert.equal(learnt, 2);
  assert.equal(seen.named().get('upstream|7000||cache')?.length, 2);
  seen.forget('shop/web');
  assert.equal(seen.listenersOf('shop/web').size, 0);
});

test('what is not of the form, or of listeners that the proxy was not given, is left out, and the rest is bounded', () => {
  const seen = new SeenProtocols(() => {});
  for (const said of [null, 'x', [1], { l: null }, { l: { tcp: 1 } }, { l: { tcp: [1] } }, { l: { tcp: [-1, 0] } }]) {
    seen.told('a/b', said, 0, all);
    assert.equal(seen.listenersOf('a/b').size, 0);
  }
  seen.told('a/b', { l: { spdy: [1, 0], tcp: [1.5, 0], tls: [1, 9] } }, 1_000, all);
  assert.deepEqual([...(seen.listenersOf('a/b').get('l') ?? [])], [['tls', { count: 1, lastSeenMs: 0 }]]);
  seen.told('a/b', { foreign: { tcp: [1, 0] } }, 0, () => false);
  assert.equal(seen.listenersOf('a/b').size, 0);
  const many = Object.fromEntries(
    Array.from({ length: maxListeners + 1 }, (_, index) => [`l${index}`, { tcp: [1, 0] }]),
  );
  seen.told('a/b', many, 0, all);
  assert.equal(seen.listenersOf('a/b').size, maxListeners);
});
