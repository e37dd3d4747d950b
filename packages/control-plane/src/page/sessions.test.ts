import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import { maxSessions, PageSessions, sessionTtlMs } from './sessions.ts';

test('a session ends after its time', () => {
  const clock = new ManualClock();
  const sessions = new PageSessions(clock);
  const secret = sessions.login(sessions.createLink().reveal())?.reveal() ?? '';
  assert.equal(sessions.isValid(secret), true);
  clock.advance(sessionTtlMs);
  assert.equal(sessions.isValid(secret), false);
});

test('a link that nobody used expires, and above the limit the oldest makes room', () => {
  const clock = new ManualClock();
  const sessions = new PageSessions(clock);
  const links = Array.from({ length: maxSessions + 1 }, () => sessions.createLink().reveal());
  assert.equal(sessions.login(links[0] ?? ''), undefined);
  assert.ok(sessions.login(links[1] ?? '') !== undefined);
  clock.advance(24 * 3_600_000);
  assert.equal(sessions.login(links[2] ?? ''), undefined);
});
