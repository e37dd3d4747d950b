import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TlsFacts } from '../stream-info.ts';
import { lifetimeMs } from './lifetime.ts';

const until = (notAfterMs: number): TlsFacts => ({
  version: 'TLSv1.3',
  cipher: '',
  sni: '',
  alpn: '',
  peerVerified: true,
  peerUri: '',
  peerUris: [],
  peerDnsNames: [],
  peerSubject: '',
  peerCertificateSha256: '',
  localUri: '',
  resumed: false,
  notAfterMs,
});

test('a connection lives as long as it may, and no longer than the certificates that it was made with', () => {
  assert.equal(lifetimeMs(0, undefined, 1000), 0);
  assert.equal(lifetimeMs(500, undefined, 1000), 500);
  assert.equal(lifetimeMs(0, until(Number.POSITIVE_INFINITY), 1000), 0);
  assert.equal(lifetimeMs(0, until(4000), 1000), 3000);
  assert.equal(lifetimeMs(500, until(4000), 1000), 500);
  assert.equal(lifetimeMs(5000, until(4000), 1000), 3000);
  assert.equal(lifetimeMs(0, until(900), 1000), 1, 'it ends at once, and 0 would be never');
});
