import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { findNativeTls, type NativeTls } from '../src/tls/native-tls.ts';
import { clientTls, exactly, meshRoots, ownKeyPair, serverTls, spiffe, TestCa } from './support/test-ca.ts';
import { type End, send, TlsPair } from './support/tls-pair.ts';

const ways: readonly { readonly name: string; readonly native: () => NativeTls | undefined }[] = [
  { name: 'on native handles', native: () => findNativeTls() },
  { name: 'through streams', native: () => undefined },
];

test('native handles are used with the versions of Node that were tested', () => {
  assert.ok(findNativeTls() !== undefined, 'this version');
  assert.equal(findNativeTls('25.1.0'), undefined);
});

for (const { name, native } of ways) {
  describe(`a TLS session ${name}`, () => {
    let ca: TestCa;
    before(async () => {
      ca = await TestCa.create();
    });
    after(() => ca.close());

    /** What a client of Node needs to be taken for the storefront. */
    async function ownOptions(pair: TlsPair): Promise<ConnectionOptions> {
      const material = await ca.keyPair('storefront');
      assert.ok(material.kind === 'key-pair');
      return {
        host: '127.0.0.1',
        port: pair.port,
        cert: material.certificateChainPem,
        key: material.privateKeyPem(),
        rejectUnauthorized: false,
      };
    }

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
      assert.deepEqual([client.connection.bytesWritten, client.connection.bytesRead], [8, 6]);
      assert.deepEqual([server.connection.bytesWritten, server.connection.bytesRead], [6, 8]);
      assert.deepEqual(peer?.names.uris, [spiffe('storefront')]);
      const facts = server.connection.tls;
      assert.equal(facts?.peerUri, spiffe('storefront'));
      assert.equal(facts?.localUri, spiffe('catalog'));
      assert.equal(facts?.sni, 'outbound_.80_._.catalog.shop.svc.cluster.local');
      assert.match(facts?.peerCertificateSha256 ?? '', /^[0-9a-f]{64}$/);
      assert.ok((facts?.notAfterMs ?? 0) > Date.now() && (facts?.notAfterMs ?? 0) < Date.now() + 2 * 86_400_000);
      assert.equal(client.connection.tls?.peerUri, spiffe('catalog'));
      assert.equal(client.connection.tls?.alpn, 'http/1.1');
      assert.equal(client.connection.tls?.version, 'TLSv1.3');
      assert.equal(client.connection.tls?.cipher, 'TLS_AES_128_GCM_SHA256');
      assert.equal(client.connection.remoteAddress, `127.0.0.1:${pair.port}`);
      assert.equal(client.connection.localAddress, server.connection.remoteAddress);
      assert.deepEqual(pair.faults, []);
      client.connection.destroy();
      await server.seen.until(() => server.seen.ended);
    });

    test('ends one side at a time', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const { client, server } = await pair.both();
      send(client, 'all');
      client.connection.end();
      await server.seen.until(() => server.seen.ended);
      assert.equal(String(server.seen.bytes), 'all');
      assert.equal(client.seen.closed, false);
      send(server, 'the rest');
      server.connection.end();
      await Promise.all([client.seen.until(() => client.seen.closed), server.seen.until(() => server.seen.closed)]);
      assert.equal(String(client.seen.bytes), 'the rest');
      assert.ok(client.seen.ended);
      assert.deepEqual([client.seen.error, server.seen.error], [undefined, undefined]);
    });

    test('holds back who sends more than is read, and loses nothing', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const { client, server } = await pair.both();
      server.connection.pause();
      const piece = Buffer.alloc(200_000);
      for (let at = 0; at < piece.length; at += 1) {
        piece[at] = at % 251;
      }
      let sent = 0;
      while (client.connection.writable) {
        client.connection.output.copy(piece, 0, piece.length);
        sent += piece.length;
        assert.ok(sent < 100_000_000, 'nobody holds it back');
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(client.connection.queuedBytes > client.connection.bufferLimitBytes);
      assert.ok(server.seen.byteLength < sent);
      server.connection.resume();
      await client.seen.until(() => client.seen.writable.at(-1) === true);
      assert.deepEqual(client.seen.writable, [false, true]);
      client.connection.end();
      await server.seen.until(() => server.seen.ended);
      const all = server.seen.bytes;
      assert.equal(all.length, sent);
      for (let at = 0; at < all.length; at += piece.length) {
        assert.ok(all.subarray(at, at + piece.length).equals(piece), `at ${at}`);
      }
    });

    test('keeps the order of many writes in one turn of the event loop', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const { client, server } = await pair.both();
      let expected = '';
      for (let index = 0; index < 500; index += 1) {
        send(client, `${index},`);
        client.connection.flush();
        expected += `${index},`;
      }
      await server.seen.until(() => server.seen.byteLength === expected.length);
      assert.equal(String(server.seen.bytes), expected);
    });

    test('delivers nothing while it is paused', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const { client, server } = await pair.both();
      server.connection.pause();
      send(client, 'wait');
      // The way there and back through the other direction: by then it would have come.
      for (let round = 0; round < 20; round += 1) {
        const before = client.seen.byteLength;
        send(server, '.');
        await client.seen.until(() => client.seen.byteLength > before);
      }
      assert.equal(server.seen.byteLength, 0);
      server.connection.resume();
      await server.seen.until(() => server.seen.byteLength === 4);
    });

    test('says when the peer is gone, also in the middle of a write', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const { client, server } = await pair.both();
      server.connection.pause();
      const bulk = Buffer.alloc(4_000_000, 'x');
      client.connection.output.copy(bulk, 0, bulk.length);
      client.connection.flush();
      server.connection.reset();
      await client.seen.until(() => client.seen.closed);
      assert.ok(client.seen.error !== undefined);
      await server.seen.until(() => server.seen.closed);
      assert.deepEqual(pair.faults, []);
    });

    test('is dropped in the middle of a write of its own', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const { client, server } = await pair.both();
      server.connection.pause();
      const bulk = Buffer.alloc(8_000_000, 'x');
      client.connection.output.copy(bulk, 0, bulk.length);
      client.connection.flush();
      const why = new Error('enough');
      client.connection.destroy(why);
      send(client, 'too late');
      await client.seen.until(() => client.seen.closed);
      assert.equal(client.seen.error, why);
      server.connection.resume();
      await server.seen.until(() => server.seen.ended || server.seen.closed);
      assert.ok(server.seen.byteLength < bulk.length);
    });

    test('ends with what was gathered when it is told to close after it', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const { client, server } = await pair.both();
      const bulk = Buffer.alloc(3_000_000, 'x');
      server.connection.output.copy(bulk, 0, bulk.length);
      server.connection.closeAfterFlush(false);
      await client.seen.until(() => client.seen.ended);
      assert.equal(client.seen.byteLength, bulk.length);
      await server.seen.until(() => server.seen.closed);
    });

    test('a handler that throws closes its connection and no other', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const first = await pair.both();
      const second = await pair.both();
      first.server.seen.onBytes = () => {
        throw new Error('mine');
      };
      send(first.client, 'x');
      await first.server.seen.until(() => first.server.seen.closed);
      assert.equal(pair.faults.length, 1);
      send(second.client, 'y');
      await second.server.seen.until(() => second.server.seen.byteLength === 1);
    });

    test('takes what comes together with the end of the handshake', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const next = pair.next();
      const socket = connect(await ownOptions(pair));
      socket.on('error', () => {});
      socket.write('at once');
      const outcome = await next;
      assert.ok('end' in outcome);
      await outcome.end.seen.until(() => outcome.end.seen.byteLength === 7);
      assert.equal(String(outcome.end.seen.bytes), 'at once');
      socket.destroy();
    });

    test('goes on from a ClientHello that somebody looked at before', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      pair.beforeAccept = async (socket: Socket) => {
        const seen: Buffer[] = [];
        socket.on('data', (bytes: Buffer) => seen.push(bytes));
        socket.resume();
        await once(socket, 'data');
        socket.removeAllListeners('data');
        socket.pause();
        socket.unshift(Buffer.concat(seen));
      };
      const { client, server } = await pair.both();
      send(client, 'hello');
      await server.seen.until(() => server.seen.byteLength === 5);
    });

    test('what is no TLS on an established session closes it', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const next = pair.next();
      const below = connectTcp(pair.port, '127.0.0.1');
      const { host: _host, port: _port, ...options } = await ownOptions(pair);
      const socket = connect({ ...options, socket: below });
      socket.on('error', () => {});
      await once(socket, 'secureConnect');
      const outcome = await next;
      assert.ok('end' in outcome);
      socket.write('good');
      await outcome.end.seen.until(() => outcome.end.seen.byteLength === 4);
      below.write('this is no record');
      await outcome.end.seen.until(() => outcome.end.seen.closed);
      assert.match((outcome.end.seen.error as NodeJS.ErrnoException).code ?? '', /^ERR_SSL_/);
      assert.deepEqual(pair.faults, []);
      socket.destroy();
      below.destroy();
    });

    test('refuses a client without a certificate, one of another root, and one with another name', async (t) => {
      const other = await TestCa.create();
      t.after(() => other.close());
      const pair = await TlsPair.start(ca, native(), serverTls(exactly(spiffe('storefront'))));
      t.after(() => pair.close());
      const attempt = async (options: ConnectionOptions): Promise<string> => {
        const next = pair.next();
        const socket = connect(options);
        socket.on('error', () => {});
        const outcome = await next;
        socket.destroy();
        return 'failed' in outcome ? outcome.failed : 'taken';
      };
      const good = await ownOptions(pair);
      const { cert: _cert, key: _key, ...nobody } = good;
      assert.equal(await attempt(nobody), 'TLS_error: peer did not return a certificate');
      for (const [authority, account, expected] of [
        [other, 'storefront', /^TLS_error: certificate verify failed: /],
        [ca, 'catalog', /^TLS_error: verify SAN list failed/],
        [ca, 'storefront', /^taken$/],
      ] as const) {
        const material = await authority.keyPair(account);
        assert.ok(material.kind === 'key-pair');
        const options = { ...good, cert: material.certificateChainPem, key: material.privateKeyPem() };
        assert.match(await attempt(options), expected);
      }
    });

    test('refuses a server of another root and one with another name', async (t) => {
      const other = await TestCa.create();
      t.after(() => other.close());
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const wrongName = await pair.connect(clientTls(exactly(spiffe('reviews'))));
      assert.match(
        'failed' in wrongName ? wrongName.failed : 'taken',
        /^TLS_error: verify SAN list failed, peer is spiffe/,
      );
      pair.serverSecrets.set(ownKeyPair, await other.keyPair('catalog'));
      const wrongRoot = await pair.connect();
      assert.match('failed' in wrongRoot ? wrongRoot.failed : 'taken', /^TLS_error: certificate verify failed: /);
      assert.deepEqual(pair.faults, []);
    });

    test('is resumed, knows the peer again, and is resumed under the same secrets only', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const visit = async (): Promise<{ readonly client: End; readonly server: End }> => {
        const ends = await pair.both();
        // Sessions come after the handshake, before what the server sends later than it.
        send(ends.client, '.');
        await ends.server.seen.until(() => ends.server.seen.byteLength === 1);
        send(ends.server, '.');
        await ends.client.seen.until(() => ends.client.seen.byteLength === 1);
        return ends;
      };
      const first = await visit();
      assert.equal(first.server.connection.tls?.resumed, false);
      const second = await visit();
      for (const end of [second.client, second.server]) {
        assert.equal(end.connection.tls?.resumed, true);
        assert.equal(end.connection.tls?.peerVerified, true);
      }
      assert.equal(second.server.connection.tls?.peerUri, spiffe('storefront'));
      assert.equal(second.client.connection.tls?.peerUri, spiffe('catalog'));
      // The session is good for its peer's name and no other.
      const wrongName = await pair.connect(clientTls(exactly(spiffe('reviews'))));
      assert.match('failed' in wrongName ? wrongName.failed : 'taken', /verify SAN list failed/);
      pair.serverSecrets.set(ownKeyPair, await ca.keyPair('catalog'));
      assert.equal((await visit()).server.connection.tls?.resumed, false, 'the server has another certificate');
      pair.clientSecrets.set(meshRoots, ca.roots);
      assert.equal((await visit()).server.connection.tls?.resumed, false, 'the client trusts another bundle');
    });

    test('does not do the handshake again for a client of TLS 1.2', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const next = pair.next();
      const socket: TLSSocket = connect({ ...(await ownOptions(pair)), maxVersion: 'TLSv1.2' });
      await once(socket, 'secureConnect');
      const outcome = await next;
      assert.ok('end' in outcome);
      assert.equal(outcome.end.connection.tls?.version, 'TLSv1.2');
      let refused = false;
      socket.on('error', () => {
        refused = true;
        socket.destroy();
      });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.renegotiate({}, (error) => {
        refused ||= error !== null;
      });
      await closed;
      await outcome.end.seen.until(() => outcome.end.seen.ended || outcome.end.seen.closed);
      assert.ok(refused || outcome.end.seen.closed);
      if (native() !== undefined) {
        assert.match(String(outcome.end.seen.error), /renegotiation is refused/);
      }
      socket.destroy();
      await outcome.end.seen.until(() => outcome.end.seen.ended || outcome.end.seen.closed);
      assert.deepEqual(pair.faults, []);
    });

    test('a client that goes away in the handshake is told of, once', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      // Node's own streams notice an end only when the handshake has taken too long.
      const early = native() === undefined ? [] : ['', '\x16\x03\x01\x02\x00\x01'];
      for (const bytes of [...early, 'GET / HTTP/1.1\r\n\r\n']) {
        const next = pair.next();
        const socket = connectTcp(pair.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.end(bytes, 'latin1');
        const outcome = await next;
        assert.match('failed' in outcome ? outcome.failed : 'taken', /^TLS_error: /);
        socket.destroy();
      }
      assert.deepEqual(pair.faults, []);
    });

    test('a socket that is dropped in the handshake ends it', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const next = pair.next();
      const socket = connectTcp(pair.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('\x16\x03\x01\x02\x00\x01', 'latin1');
      await once(socket, 'connect');
      while (pair.sockets.length === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      pair.sockets[0]?.destroy();
      const outcome = await next;
      assert.ok('failed' in outcome);
      socket.destroy();
    });

    test('nobody listens, or the attempt is given up', async (t) => {
      const pair = await TlsPair.start(ca, native());
      t.after(() => pair.close());
      const given = pair.connect();
      pair.abandonLast();
      const taken = await Promise.race([given, new Promise((resolve) => setTimeout(resolve, 50, 'no answer'))]);
      assert.equal(taken, 'no answer');
      pair.stopListening();
      const refused = await pair.connect();
      assert.match('failed' in refused ? refused.failed : 'taken', /ECONNREFUSED/);
    });
  });
}
