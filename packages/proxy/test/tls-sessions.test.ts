import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findNativeTls, type NativeTls } from '../src/tls/native-tls.ts';
import { spiffe, TestCa } from './support/test-ca.ts';
import { send, TlsPair } from './support/tls-pair.ts';

const ways: readonly { readonly name: string; readonly native: () => NativeTls | undefined }[] = [
  { name: 'on native handles', native: () => findNativeTls() },
  { name: 'through streams', native: () => undefined },
];

for (const { name, native } of ways) {
  describe(`a TLS session ${name}`, () => {
    let ca: TestCa;
    before(async () => {
      ca = await TestCa.create();
    });
    after(() => ca.close());

    test('carries bytes both ways, and both ends know each other', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const { client, server, peer } = await pair.both();
      send(client, 'question');
      await server.seen.until(() => server.seen.byteLength === 8);
      send(server, 'answer');
      await client.seen.until(() => client.seen.byteLength === 6);
      assert.equal(String(client.seen.bytes), 'answer');
      assert.equal(String(server.seen.bytes), 'question');
      assert.deepEqual(peer?.names.uris, [spiffe('storefront')]);
      assert.equal(server.connection.tls?.peerUri, spiffe('storefront'));
      assert.equal(client.connection.tls?.peerUri, spiffe('catalog'));
      assert.equal(client.connection.tls?.alpn, 'http/1.1');
      assert.equal(client.connection.tls?.version, 'TLSv1.3');
      assert.deepEqual(pair.faults, []);
      client.connection.destroy();
      await server.seen.until(() => server.seen.ended);
    });
  });
}
