import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createJoinToken, hashJoinToken, parseJoinToken, sameHash } from './join-token.ts';

test('a token does not print itself, and its text gives the same hash', () => {
  const token = createJoinToken();
  assert.doesNotMatch(inspect(token), /weft-join/);
  const again = parseJoinToken(token.reveal());
  assert.ok(again !== undefined);
  assert.ok(sameHash(hashJoinToken(again), hashJoinToken(token)));
  assert.ok(!sameHash(hashJoinToken(createJoinToken()), hashJoinToken(token)));
});

test('text of another form is no token', () => {
  for (const text of ['', 'x', 'weft-join-', `${createJoinToken().reveal()}x`, ` ${createJoinToken().reveal()}`]) {
    assert.equal(parseJoinToken(text), undefined);
  }
});
