import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { TestCa } from '../../test/support/test-ca.ts';
import { issuersSignedBy } from './known-issuers.ts';

function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map(
    (one) => new X509Certificate(one),
  );
}

test('the issuer in our chain is known when a root of the bundle has signed it, and only then', async (t) => {
  const ca = await TestCa.create();
  const other = await TestCa.create();
  t.after(() => Promise.all([ca.close(), other.close()]));
  const material = await ca.keyPair('catalog');
  const bundle = ca.roots;
  const foreign = other.roots;
  assert.ok(material.kind === 'key-pair' && bundle.kind === 'trust-bundle' && foreign.kind === 'trust-bundle');
  const chain = certificatesIn(material.certificateChainPem);
  const roots = certificatesIn(bundle.pem);
  assert.equal(chain.length, 2);
  assert.deepEqual(issuersSignedBy(roots, chain), [chain[1]]);
  assert.deepEqual(issuersSignedBy(certificatesIn(foreign.pem), chain), [], 'another root');
  assert.deepEqual(issuersSignedBy([], chain), [], 'no root');
  assert.deepEqual(issuersSignedBy(roots, chain.slice(0, 1)), [], 'no issuer');
  assert.deepEqual(
    issuersSignedBy(chain.slice(1), [...chain.slice(1), ...chain.slice(0, 1)]),
    [],
    'a leaf is no issuer',
  );
});
