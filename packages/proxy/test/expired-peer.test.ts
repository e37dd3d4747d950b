import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import type { SecretMaterial } from '../src/data-plane.ts';
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
import { ShiftedClock } from './support/shifted-clock.ts';
import { clientTls, exactly, meshRoots, ownKeyPair, pemOf, spiffe, TestCa } from './support/test-ca.ts';

const twoDays = 2 * 86_400_000;

function pemOfRoots(material: SecretMaterial): string {
  assert.ok(material.kind === 'trust-bundle');
  return material.pem;
}

describe('a session that is resumed does not outlive the certificate that began it', () => {
  let ca: TestCa;
  before(async () => {
    ca = await TestCa.create();
  });
  after(() => ca.close());

  test('of a client', async () => {
    const clock = new ShiftedClock();
    const origin = await RawOrigin.start(answering(okResponse));
    const server = await startServerProxy(ca, origin.port, { harness: new ProxyHarness({ clock }) });
    const own = pemOf(await ca.keyPair('storefront'));
    let session: Buffer | undefined;
    const ask = async (): Promise<{ readonly reused: boolean; readonly answer: string }> => {
      const socket = connect({
        host: '127.0.0.1',
        port: server.port(),
        ...own,
        ca: pemOfRoots(ca.roots),
        checkServerIdentity: () => undefined,
        ...(session === undefined ? {} : { session }),
      });
      let answer = '';
      socket.on('session', (ticket) => {
        session = ticket;
      });
      socket.on('data', (bytes: Buffer) => {
        answer += bytes.toString('latin1');
      });
      socket.on('error', () => {});
      socket.write('GET / HTTP/1.1\r\nHost: catalog\r\nConnection: close\r\n\r\n');
      let reused = false;
      socket.once('secureConnect', () => {
        reused = socket.isSessionReused();
      });
      await once(socket, 'close');
      return { reused, answer: answer.slice(0, 12) };
    };
    assert.deepEqual(await ask(), { reused: false, answer: 'HTTP/1.1 200' });
    assert.deepEqual(await ask(), { reused: true, answer: 'HTTP/1.1 200' });
    clock.offsetMs = twoDays;
    assert.deepEqual(await ask(), { reused: true, answer: '' });
    assert.equal(server.tcpEnds.at(-1)?.downstreamTransportFailureReason, 'TLS_error: certificate has expired');
    await server.close();
    await origin.close();
  });

  test('of a server', async () => {
    const clock = new ShiftedClock();
    const client = new ProxyHarness({ clock });
    client.secrets.set(ownKeyPair, await ca.keyPair('storefront'));
    client.secrets.set(meshRoots, ca.roots);
    const reused: boolean[] = [];
    const options = { ...pemOf(await ca.keyPair('catalog')), ca: pemOfRoots(ca.roots), requestCert: true };
    const peer = createServer(options, (socket) => {
      reused.push(socket.isSessionReused());
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
    });
    peer.listen(0, '127.0.0.1');
    await once(peer, 'listening');
    await client.apply(
      runtimeConfig({
        listeners: [listener([chain(httpManager())])],
        routes: [routeTable('routes', [virtualHost([route(forwardTo('catalog'))])])],
        clusters: [
          cluster(
            'catalog',
            [endpoint((peer.address() as AddressInfo).port, { transportSocketMatch: { tlsMode: 'istio' } })],
            {
              transportSocketMatches: [
                {
                  name: 'tlsMode-istio',
                  match: { tlsMode: 'istio' },
                  transportSocket: { kind: 'tls', tls: clientTls(exactly(spiffe('catalog'))) },
                },
              ],
            },
          ),
        ],
      }),
    );
    const get = async (): Promise<string> => {
      const downstream = await RawClient.connect(client.port());
      downstream.send('GET / HTTP/1.1\r\nHost: catalog\r\nConnection: close\r\n\r\n');
      await downstream.untilEnd();
      downstream.close();
      return downstream.text.slice(0, 12);
    };
    assert.equal(await get(), 'HTTP/1.1 200');
    assert.equal(await get(), 'HTTP/1.1 200');
    assert.deepEqual(reused, [false, true]);
    clock.offsetMs = twoDays;
    assert.equal(await get(), 'HTTP/1.1 503');
    assert.match(client.requests.at(-1)?.transportFailure ?? '', /certificate has expired/);
    await client.close();
    peer.close();
  });
});
