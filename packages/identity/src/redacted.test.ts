import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createLogger } from '@weft/base';
import { generatePrivateKey } from './csr.ts';
import { PrivateKey, Redacted } from './redacted.ts';

test('a redacted value shows in no kind of print', () => {
  const secret = new Redacted('hunter2');
  const lines: string[] = [];
  createLogger({ write: (line) => void lines.push(line) }).info('x', { secret, deep: { secret } });
  const prints = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }, { depth: 9, showHidden: true }),
    ...lines,
  ];
  for (const print of prints) {
    assert.doesNotMatch(print, /hunter2/);
    assert.match(print, /\[redacted\]/);
  }
  assert.equal(secret.reveal(), 'hunter2');
});

test('a private key shows in no kind of print and survives PEM', async () => {
  const key = await generatePrivateKey();
  const body = key.revealPem().split('\n')[1] ?? '';
  assert.ok(body.length > 20);
  assert.doesNotMatch(`${key} ${JSON.stringify(key)} ${inspect(key, { showHidden: true })}`, /PRIVATE|BEGIN/);
  assert.equal(PrivateKey.fromPem(key.revealPem()).fingerprint(), key.fingerprint());
});

test('unreadable key text is not quoted in the error', () => {
  assert.throws(
    () => PrivateKey.fromPem('hunter2'),
    (error: Error) => !inspect(error).includes('hunter2') && error.message.includes('not readable'),
  );
});
