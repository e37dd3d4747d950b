import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import { maxSeenListeners, ProtocolsSeen } from './protocols-seen.ts';

test('what is learnt is told at once, counts that grow twice a minute, and all of it to a server that knows nothing', () => {
  const clock = new ManualClock();
  const seen = new ProtocolsSeen(clock);
  assert.equal(seen.tell(true), undefined);
  seen.of('inbound|80').note('http1', clock.now());
  assert.deepEqual(seen.tell(false), { 'inbound|80': { http1: [1, 0] } });
  seen.of('inbound|80').note('http1', clock.now());
  clock.advance(5_000);
  assert.equal(seen.tell(false), undefined);
  assert.deepEqual(seen.tell(true), { 'inbound|80': { http1: [2, 5] } });
  seen.of('inbound|80').note('tls', clock.now());
  assert.deepEqual(seen.tell(false), { 'inbound|80': { http1: [2, 5], tls: [1, 0] } });
  seen.of('inbound|80').note('tls', clock.now());
  clock.advance(30_000);
  assert.deepEqual(seen.tell(false), { 'inbound|80': { http1: [2, 35], tls: [2, 30] } });
  clock.advance(30_000);
  assert.equal(seen.tell(false), undefined, 'nothing grew');
});

test('the listeners that are remembered are bounded', () => {
  const clock = new ManualClock();
  const seen = new ProtocolsSeen(clock);
  for (let index = 0; index < maxSeenListeners + 5; index += 1) {
    seen.of(`l${index}`).note('tcp', clock.now());
  }
  assert.equal(Object.keys(seen.tell(true) ?? {}).length, maxSeenListeners);
});
