import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAddress, decodeSession, encodeAddress, encodeSession } from './session-state.ts';

test('what is written is read again', () => {
  for (const address of ['10.0.0.1:8080', '[2001:db8::1]:443', '/run/app.sock']) {
    assert.equal(decodeAddress(encodeAddress(address)), address);
    assert.equal(decodeSession(encodeSession(address, 0), 1e9), address);
    assert.equal(decodeSession(encodeSession(address, 2e9), 1e9), address);
  }
});

test('a session that is over, or no session at all, is none', () => {
  assert.equal(decodeSession(encodeSession('10.0.0.1:80', 999), 1000), '');
  for (const text of ['', '%%%', 'abc', 'A'.repeat(600), '=', 'CgA=']) {
    assert.equal(decodeSession(text, 0), '', text);
  }
  assert.equal(decodeAddress('*'), '');
});

test('the bytes are those of Envoy', () => {
  assert.equal(encodeSession('127.0.0.1:50000', 0), 'Cg8xMjcuMC4wLjE6NTAwMDA=');
  assert.equal(encodeAddress('127.0.0.1:50000'), 'MTI3LjAuMC4xOjUwMDAw');
});
