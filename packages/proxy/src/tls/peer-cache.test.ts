import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { spiffe, TestCa } from '../../test/support/test-ca.ts';
import { PeerCache } from './peer-cache.ts';

describe('certificates of peers', () => {
  let ca: TestCa;
  before(async () => {
    ca = await TestCa.create();
  });
  after(() => ca.close());

  test('are taken apart once and known again by their bytes', async () => {
    const material = await ca.keyPair('catalog');
    assert.ok(material.kind === 'key-pair');
    const certificate = new X509Certificate(material.certificateChainPem);
    const cache = new PeerCache(2);
    const peer = cache.get(certificate.raw);
    assert.deepEqual(peer.names.uris, [spiffe('catalog')]);
    assert.equal(peer.sha256, certificate.fingerprint256.replaceAll(':', '').toLowerCase());
    assert.equal(peer.notAfterMs, certificate.validToDate.getTime());
    assert.equal(cache.get(Buffer.from(certificate.raw)), peer);
  });

  test('are kept up to a limit; the one known for longest goes first', async () => {
    const cache = new PeerCache(2);
    const raws: Buffer[] = [];
    for (const account of ['a', 'b', 'c']) {
      const material = await ca.keyPair(account);
      assert.ok(material.kind === 'key-pair');
      raws.push(new X509Certificate(material.certificateChainPem).raw);
    }
    const [first, second, third] = raws.map((raw) => cache.get(raw));
    const known = raws.map((raw) => cache.get(raw));
    assert.equal(cache.size, 2);
    assert.notEqual(known[0], first, 'it was made again');
    assert.ok(second !== undefined && third !== undefined);
  });
});
