import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxPemBytes, pemFromDer, splitPem } from './pem.ts';

test('blocks of one label are taken, in order, others are passed over', () => {
  const a = pemFromDer('CERTIFICATE', Buffer.from('a'.repeat(100)));
  const key = pemFromDer('PRIVATE KEY', Buffer.from('b'));
  const c = pemFromDer('CERTIFICATE', Buffer.from('c'));
  assert.deepEqual(splitPem(`text\n${a}${key}more\n${c}`, 'CERTIFICATE'), [a, c]);
  assert.deepEqual(splitPem('-----BEGIN CERTIFICATE-----\nAAAA', 'CERTIFICATE'), []);
});

test('text above the limit is refused before it is looked at', () => {
  assert.throws(() => splitPem('x'.repeat(maxPemBytes + 1), 'CERTIFICATE'), { code: 'TOO_LARGE' });
});
