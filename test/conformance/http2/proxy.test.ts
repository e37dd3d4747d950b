import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe } from 'node:test';
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
} from '../../../packages/proxy/test/support/configs.ts';
import { ProxyHarness } from '../../../packages/proxy/test/support/proxy-harness.ts';
import { meshRoots, ownKeyPair, serverTls, TestCa } from '../../../packages/proxy/test/support/test-ca.ts';
import { testRequirements } from './requirements.ts';
import { SocketPeer } from './socket-peer.ts';

/** The rows through the proxy, before an origin that speaks HTTP/1.1, so that every request is translated. */
for (const secure of [false, true]) {
  const name = secure ? 'proxy, TLS with ALPN h2:' : 'proxy, cleartext with prior knowledge:';
  describe(name, () => {
    const proxy = new ProxyHarness();
    let origin: Server;
    let ca: TestCa;
    let roots: string | undefined;
    let served = 0;

    before(async () => {
      origin = createServer((request, response) => {
        request.resume();
        request.on('end', () => {
          served += 1;
          response.end(request.method === 'HEAD' ? undefined : 'hello from the origin');
        });
      });
      origin.listen(0, '127.0.0.1');
      await once(origin, 'listening');
      ca = await TestCa.create();
      proxy.secrets.set(ownKeyPair, await ca.keyPair('web'));
      proxy.secrets.set(meshRoots, ca.roots);
      if (secure && ca.roots.kind === 'trust-bundle') {
        roots = ca.roots.pem;
      }
      const downstreamTls = secure
        ? serverTls([], { alpn: ['h2', 'http/1.1'], requireClientCertificate: false })
        : undefined;
      await proxy.apply(
        runtimeConfig({
          listeners: [
            listener([
              chain(httpManager({ codec: secure ? 'auto' : 'http2', delayedCloseTimeoutMs: 200 }), { downstreamTls }),
            ]),
          ],
          routes: [routeTable('routes', [virtualHost([route(forwardTo('origin'))])])],
          clusters: [cluster('origin', [endpoint((origin.address() as AddressInfo).port)])],
        }),
      );
    });

    after(async () => {
      await proxy.close();
      origin.close();
      await ca.close();
    });

    testRequirements(
      name,
      async () => {
        served = 0;
        return SocketPeer.connect(proxy.port(), roots);
      },
      () => assert.equal(served, 0, 'a malformed request reached the origin'),
    );
  });
}
