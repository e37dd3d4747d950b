import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { FilterChainMatch } from '../src/runtime-config/config.ts';
import { cluster, endpoint, listener, runtimeConfig } from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { tcpTo } from './support/tcp-configs.ts';
import { TestCa } from './support/test-ca.ts';

const any: FilterChainMatch = {
  destinationPort: undefined,
  serverNames: [],
  transportProtocol: undefined,
  applicationProtocols: [],
};

/** A TLS server that says its name; the proxy never sees a key of it. */
async function tlsServer(t: TestContext, ca: TestCa, name: string): Promise<number> {
  const pair = await ca.keyPair(name);
  assert.ok(pair.kind === 'key-pair');
  const options = { cert: pair.certificateChainPem, key: pair.privateKeyPem(), ALPNProtocols: ['http/1.1', 'h2'] };
  const server = createServer(options, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => socket.write(`${name} heard ${bytes}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('TLS passes through to the cluster that the server name chooses, end to end between client and server', async (t) => {
  const ca = await TestCa.create();
  const harness = new ProxyHarness();
  t.after(async () => {
    await harness.close();
    await ca.close();
  });
  const ports = {
    a: await tlsServer(t, ca, 'a'),
    b: await tlsServer(t, ca, 'b'),
    rest: await tlsServer(t, ca, 'rest'),
  };
  await harness.apply(
    runtimeConfig({
      listeners: [
        listener(
          [
            tcpTo('a', { match: { ...any, serverNames: ['a.example'] } }),
            tcpTo('b', { match: { ...any, serverNames: ['*.b.example'] } }),
            tcpTo('rest', { match: { ...any, transportProtocol: 'tls' } }),
          ],
          { tlsInspector: true },
        ),
      ],
      clusters: Object.entries(ports).map(([name, port]) => cluster(name, [endpoint(port)])),
    }),
  );
  const roots = ca.roots;
  assert.ok(roots.kind === 'trust-bundle');
  const ask = (servername: string): Promise<{ readonly text: string; readonly alpn: string; readonly peer: string }> =>
    new Promise((resolve, reject) => {
      const socket: TLSSocket = tlsConnect({
        port: harness.port(),
        host: '127.0.0.1',
        servername,
        ca: roots.pem,
        ALPNProtocols: ['h2'],
        // verified-by: the chain against our CA; certificates of the mesh have no DNS names
        checkServerIdentity: () => undefined,
      });
      socket.on('secureConnect', () => socket.write('hello'));
      socket.on('data', (bytes) => {
        resolve({
          text: String(bytes),
          alpn: String(socket.alpnProtocol),
          peer: socket.getPeerX509Certificate()?.subjectAltName ?? '',
        });
        socket.destroy();
      });
      socket.on('error', reject);
    });
  for (const [servername, name] of [
    ['a.example', 'a'],
    ['A.Example', 'a'],
    ['x.b.example', 'b'],
    ['y.x.b.example', 'b'],
    ['elsewhere.example', 'rest'],
  ] as const) {
    const answer = await ask(servername);
    assert.equal(answer.text, `${name} heard hello`);
    assert.equal(answer.alpn, 'h2');
    assert.match(answer.peer, new RegExp(`/sa/${name}$`));
  }
  await assert.rejects(
    new Promise((_, reject) => {
      tlsConnect({ port: harness.port(), host: '127.0.0.1', servername: 'a.example' }).on('error', reject);
    }),
    /self-signed|unable to (get|verify)/,
  );
  await harness.until(() => harness.tcpEnds.length >= 5);
  assert.equal(harness.tcpEnds[0]?.downstream.requestedServerName, 'a.example');
  assert.equal(harness.tcpEnds[0]?.downstream.filterChainName, 'tcp-a');
  assert.equal(harness.tcpEnds[0]?.downstream.tls, undefined);
});
