import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerFormat, headerFormatSupported } from './header-format.ts';

test('commands that both engines know stay as they are', () => {
  for (const value of [
    '%REQ(:path)%',
    'a %DOWNSTREAM_REMOTE_ADDRESS% b',
    '%REQ(x-a?x-b):10%',
    '%START_TIME(%%s)%',
    '100%% sure',
  ]) {
    assert.equal(headerFormatSupported(value), true, value);
  }
  assert.equal(headerFormat('a %DOWNSTREAM_REMOTE_ADDRESS% b %%'), 'a %DOWNSTREAM_REMOTE_ADDRESS% b %%');
});

test('any other percent sign means itself', () => {
  assert.equal(headerFormat('50% off'), '50%% off');
  assert.equal(headerFormat('%'), '%%');
  assert.equal(headerFormat('%E2%82%AC'), '%%E2%%82%%AC');
});

test('a command that is not known is text, and is reported', () => {
  assert.equal(headerFormat('%DOWNSTREAM_PEER_CERT%'), '%%DOWNSTREAM_PEER_CERT%%');
  assert.equal(headerFormatSupported('%DOWNSTREAM_PEER_CERT%'), false);
});
