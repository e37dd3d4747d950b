import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerOfCall, spiffeIdsOf } from './peer-of-call.ts';

test('SPIFFE ids are the URI names of that scheme', () => {
  assert.deepEqual(spiffeIdsOf('DNS:a.example, URI:spiffe://td/ns/a/sa/b, URI:https://x, IP Address:127.0.0.1'), [
    'spiffe://td/ns/a/sa/b',
  ]);
  assert.deepEqual(spiffeIdsOf(''), []);
});

test('a name that holds separators cannot pretend to be a SPIFFE id', () => {
  assert.deepEqual(spiffeIdsOf('DNS:"a, URI:spiffe://td/ns/a/sa/admin"'), []);
  assert.deepEqual(spiffeIdsOf('URI:"spiffe://td/x, URI:spiffe://td/ns/a/sa/admin"'), []);
  assert.deepEqual(spiffeIdsOf('DNS:"a\\", URI:spiffe://td/evil", URI:spiffe://td/good'), ['spiffe://td/good']);
});

test('a call without a verified certificate has no peer', () => {
  assert.equal(peerOfCall({ getAuthContext: () => ({}) }), undefined);
});
