import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxSessions, SessionCache } from './session-cache.ts';

const session = (text: string) => ({ session: Buffer.from(text), peer: undefined });

test('each session but the last is given out once, the newest first, and only so many are kept', () => {
  const cache = new SessionCache();
  for (let index = 0; index < maxSessions + 3; index += 1) {
    cache.put('v1', session(`${index}`));
  }
  const taken: string[] = [];
  for (let index = 0; index < maxSessions + 2; index += 1) {
    taken.push(String(cache.take('v1')?.session));
  }
  assert.deepEqual(taken, ['6', '5', '4', '3', '3', '3']);
});

test('sessions of other secrets are not given out, and go when new ones come', () => {
  const cache = new SessionCache();
  cache.put('v1', session('old'));
  assert.equal(cache.take('v2'), undefined);
  cache.put('v2', session('new'));
  assert.equal(cache.take('v1'), undefined);
  assert.equal(String(cache.take('v2')?.session), 'new');
});
