import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SecretMaterial } from '../src/data-plane.ts';
import { acceptsPeer } from '../src/tls/peer-verification.ts';
import {
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { answering, okResponse, RawClient, RawOrigin } from './support/raw-peer.ts';
import { startServerProxy } from './support/server-proxy.ts';
import { clientTls, exactly, meshRoots, ownKeyPair, serverTls, spiffe, TestCa } from './support/test-ca.ts';

/** A client sidecar and a server sidecar with mutual TLS between them. */
class Pair {
  readonly client = new ProxyHarness();
  readonly server = new ProxyHarness();

  async start(ca: TestCa, originPort: number, accepts = exactly(spiffe('catalog'))): Promise<void> {
    await startServerProxy(ca, originPort, {
      harness: this.server,
      manager: {
        forwardClientCert: 'append-forward',
        setCurrentClientCert: { subject: true, uri: true, dns: true, cert: false, chain: false },
      },
    });
    this.client.secrets.set(ownKeyPair, await ca.keyPair('storefront'));
    this.client.secrets.set(meshRoots, ca.roots);
    await this.client.apply(
      runtimeConfig({
        listeners: [listener([chain(httpManager())])],
        routes: [routeTable('routes', [virtualHost([route(forwardTo('catalog'))])])],
        clusters: [
          cluster('catalog', [endpoint(this.server.port(), { transportSocketMatch: { tlsMode: 'istio' } })], {
            transportSocketMatches: [
              {
                name: 'tlsMode-istio',
                match: { tlsMode: 'istio' },
                transportSocket: { kind: 'tls', tls: clientTls(accepts) },
              },
            ],
          }),
        ],
      }),
    );
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.server.close();
  }
}

async function get(port: number): Promise<string> {
  const client = await RawClient.connect(port);
  client.send('GET /books HTTP/1.1\r\nHost: catalog\r\nConnection: close\r\n\r\n');
  await client.untilEnd();
  client.close();
  return client.text;
}

describe('mutual TLS between two sidecars', () => {
  let ca: TestCa;
  let origin: RawOrigin;
  before(async () => {
    ca = await TestCa.create();
    origin = await RawOrigin.start(answering(okResponse));
  });
  after(async () => {
    await origin.close();
    await ca.close();
  });

  test('a request goes through, and the server knows whose it is', async () => {
    const pair = new Pair();
    await pair.start(ca, origin.port);
    const answer = await get(pair.client.port());
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    const seen = await pair.server.ended();
    assert.equal(seen.peerUri, spiffe('storefront'));
    const forwarded = /x-forwarded-client-cert: (.*)\r\n/.exec(origin.received)?.[1] ?? '';
    assert.match(
      forwarded,
      new RegExp(`^By=${spiffe('catalog')};Hash=[0-9a-f]{64};Subject="[^"]*";URI=${spiffe('storefront')}$`),
    );
    assert.match(origin.received, /x-forwarded-proto: http\r\n/, 'what the first sidecar saw');
    await pair.close();
  });

  test('a server whose identity is not among the expected ones is refused, with the reason in the flags', async () => {
    const pair = new Pair();
    await pair.start(ca, origin.port, exactly(spiffe('reviews')));
    const answer = await get(pair.client.port());
    assert.match(answer, /^HTTP\/1\.1 503 /);
    const seen = await pair.client.ended();
    assert.equal(seen.flags, 'UF');
    assert.match(seen.transportFailure, /verify SAN list failed/);
    await pair.close();
  });

  test('a server under another root is refused', async () => {
    const other = await TestCa.create();
    const pair = new Pair();
    await pair.start(ca, origin.port);
    pair.client.secrets.set(meshRoots, other.roots);
    const answer = await get(pair.client.port());
    assert.match(answer, /^HTTP\/1\.1 503 /);
    assert.equal((await pair.client.ended()).flags, 'UF');
    await pair.close();
    await other.close();
  });

  test('a client without a certificate, or with one of another root, is refused', async () => {
    const other = await TestCa.create();
    const pair = new Pair();
    await pair.start(ca, origin.port);
    pair.client.secrets.set(ownKeyPair, await other.keyPair('storefront'));
    const answer = await get(pair.client.port());
    assert.match(answer, /^HTTP\/1\.1 503 /);
    await pair.server.until(() => pair.server.tcpEnds.length > 0);
    assert.match(pair.server.tcpEnds[0]?.downstreamTransportFailureReason ?? '', /^TLS_error/);
    await pair.close();
    await other.close();
  });

  test('plaintext to a listener that wants mutual TLS is closed without an answer', async () => {
    const pair = new Pair();
    await pair.start(ca, origin.port);
    assert.equal(await get(pair.server.port()), '');
    assert.equal(pair.server.tcpEnds[0]?.connectionTerminationDetails, 'tls_expected');
    await pair.close();
  });

  test('certificates of both sides change under traffic without a failed request', async () => {
    const pair = new Pair();
    await pair.start(ca, origin.port);
    const port = pair.client.port();
    const answers: string[] = [];
    let rotate = true;
    const rotating = (async () => {
      for (let round = 0; round < 4; round += 1) {
        pair.server.secrets.set(ownKeyPair, await ca.keyPair('catalog'));
        pair.client.secrets.set(ownKeyPair, await ca.keyPair('storefront'));
        pair.server.secrets.set(meshRoots, ca.roots);
        pair.client.secrets.set(meshRoots, ca.roots);
        const enough = answers.length + 10;
        await pair.client.until(() => answers.length >= enough || pair.client.requests.length >= enough);
      }
      rotate = false;
    })();
    const workers = Array.from({ length: 4 }, async () => {
      while (rotate) {
        answers.push((await get(port)).slice(0, 12));
      }
    });
    await Promise.all([rotating, ...workers]);
    assert.ok(answers.length >= 40);
    assert.deepEqual(
      answers.filter((answer) => answer !== 'HTTP/1.1 200'),
      [],
    );
    await pair.close();
  });

  test('a listener whose key pair is not there waits for it before it binds', async () => {
    const server = new ProxyHarness();
    server.secrets.set(meshRoots, ca.roots);
    const applied = server.apply(
      runtimeConfig({
        listeners: [listener([chain(httpManager(), { downstreamTls: serverTls() })])],
        routes: [routeTable('routes', [virtualHost([route(forwardTo('app'))])])],
        clusters: [cluster('app', [endpoint(origin.port)])],
      }),
    );
    assert.equal(server.dataPlane.listeners()[0]?.state, 'warming');
    assert.deepEqual(server.dataPlane.listeners()[0]?.waitingFor, ['secret default']);
    const material: SecretMaterial = await ca.keyPair('catalog');
    server.secrets.set(ownKeyPair, material);
    assert.deepEqual((await applied).failedListeners, []);
    assert.equal(server.dataPlane.listeners()[0]?.state, 'active');
    await server.close();
  });

  test('large bodies go through both ways', async () => {
    const pair = new Pair();
    const echo = await RawOrigin.start((connection) => {
      const text = connection.received;
      const end = text.indexOf('\r\n\r\n');
      if (end >= 0 && text.length - end - 4 === 3_000_000) {
        connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n`);
        connection.socket.write(text.subarray(end + 4));
      }
    });
    await pair.start(ca, echo.port);
    const client = await RawClient.connect(pair.client.port());
    const body = Buffer.alloc(3_000_000, 'abcdefghij');
    client.send('POST /big HTTP/1.1\r\nHost: catalog\r\nContent-Length: 3000000\r\nConnection: close\r\n\r\n');
    client.send(body);
    await client.untilEnd(20_000);
    const end = client.received.indexOf('\r\n\r\n');
    assert.ok(client.received.subarray(end + 4).equals(body));
    client.close();
    await pair.close();
    await echo.close();
  });
});

test('a peer is known by its URI names alone', () => {
  const id = spiffe('catalog');
  const nobody = { uris: [], dnsNames: [], ipAddresses: [], emails: [] };
  assert.equal(acceptsPeer(exactly(id), { ...nobody, uris: [id] }), true);
  assert.equal(acceptsPeer(exactly(id), { ...nobody, dnsNames: [id] }), false);
  assert.equal(acceptsPeer(exactly(id), nobody), false);
});
