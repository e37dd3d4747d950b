import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import type { FilterChainMatch } from '../src/runtime-config/config.ts';
import { inspectClientHello, maxClientHelloBytes } from '../src/tls/client-hello.ts';
import {
  chain,
  forwardTo,
  httpManager,
  listener,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { RawClient, RawOrigin } from './support/raw-peer.ts';
import { getOnce } from './support/simple-proxy.ts';
import { meshRoots, ownKeyPair, serverTls, TestCa } from './support/test-ca.ts';

const any: FilterChainMatch = {
  destinationPort: undefined,
  serverNames: [],
  transportProtocol: undefined,
  applicationProtocols: [],
};

describe('filter chain match', () => {
  let ca: TestCa;
  let harness: ProxyHarness;
  let port: number;

  before(async () => {
    ca = await TestCa.create();
    harness = new ProxyHarness();
    harness.secrets.set(ownKeyPair, await ca.keyPair('catalog'));
    harness.secrets.set(meshRoots, ca.roots);
    const tls = serverTls([], { requireClientCertificate: false });
    const named = (name: string, match: Partial<FilterChainMatch>, secure = true) =>
      chain(httpManager({ serverName: name }), {
        name,
        match: { ...any, ...match },
        downstreamTls: secure ? tls : undefined,
      });
    await harness.apply(
      runtimeConfig({
        listeners: [
          listener(
            [
              named('exact', { serverNames: ['a.example'] }),
              named('wildcard', { serverNames: ['*.example'] }),
              named('alpn', { transportProtocol: 'tls', applicationProtocols: ['http/1.1'] }),
              named('tls', { transportProtocol: 'tls' }),
              named('plain', { transportProtocol: 'raw_buffer' }, false),
            ],
            { tlsInspector: true, listenerFiltersTimeoutMs: 200 },
          ),
        ],
        routes: [
          routeTable('routes', [
            virtualHost([
              route(forwardTo(''), { action: { kind: 'direct-response', status: 200, body: Buffer.from('x') } }),
            ]),
          ]),
        ],
      }),
    );
    port = harness.port();
  });
  after(async () => {
    await harness.close();
    await ca.close();
  });

  async function chainFor(servername: string, alpn: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = tlsConnect({
        port,
        host: '127.0.0.1',
        ...(servername === '' ? {} : { servername }),
        ALPNProtocols: [...alpn],
        // verified-by: nobody, the test looks at which chain answers
        rejectUnauthorized: false,
      });
      let text = '';
      socket.on('secureConnect', () => socket.write(getOnce()));
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
      });
      socket.on('end', () => resolve(/server: (\w+)/.exec(text)?.[1] ?? text));
      socket.on('error', reject);
    });
  }

  test('by server name, exact before wildcard, then by transport and ALPN', async () => {
    assert.equal(await chainFor('a.example', []), 'exact');
    assert.equal(await chainFor('A.EXAMPLE', ['http/1.1']), 'exact');
    assert.equal(await chainFor('b.example', []), 'wildcard');
    assert.equal(await chainFor('c.b.example', []), 'wildcard');
    assert.equal(await chainFor('elsewhere', ['http/1.1']), 'alpn');
    assert.equal(await chainFor('elsewhere', ['other']), 'tls');
    assert.equal(await chainFor('', []), 'tls');
  });

  test('plaintext goes to the plain chain, also byte by byte', async () => {
    const client = await RawClient.connect(port);
    for (const byte of getOnce()) {
      client.send(byte);
    }
    await client.untilEnd();
    assert.match(client.text, /server: plain/);
  });

  test('a client that says nothing is closed after the listener filters timeout', async () => {
    const client = await RawClient.connect(port);
    await client.untilEnd();
    assert.equal(client.text, '');
    assert.equal(harness.tcpEnds.at(-1)?.connectionTerminationDetails, 'listener_filters_timeout');
  });

  test('something that only begins like TLS is closed', async () => {
    const client = await RawClient.connect(port);
    client.send(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 0x02, 0x00, 0x00, 0x01, 0x00]));
    await client.untilEnd();
    assert.equal(harness.tcpEnds.at(-1)?.connectionTerminationDetails, 'invalid_client_hello');
  });

  test('no chain and no default chain: closed with NR', async () => {
    const lonely = new ProxyHarness();
    await lonely.apply(
      runtimeConfig({
        listeners: [
          listener([chain(httpManager(), { match: { ...any, transportProtocol: 'tls' } })], { tlsInspector: true }),
        ],
        routes: [routeTable('routes', [])],
      }),
    );
    const client = await RawClient.connect(lonely.port());
    client.send(getOnce());
    await client.untilEnd();
    assert.equal(lonely.tcpEnds[0]?.connectionTerminationDetails, 'filter_chain_not_found');
    assert.equal(lonely.tcpEnds[0]?.responseFlags, 1 << 3);
    await lonely.close();
  });
});

test('the ClientHello is read in every split, and over-long or broken ones are not TLS', async () => {
  const recorder = await RawOrigin.start(() => {});
  const socket = tlsConnect({
    port: recorder.port,
    host: '127.0.0.1',
    servername: 'Name.Example',
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  socket.on('error', () => {});
  await recorder.until(() => (recorder.connections[0]?.received.length ?? 0) > 100);
  const hello = recorder.connections[0]?.received ?? Buffer.alloc(0);
  socket.destroy();
  await recorder.close();
  const whole = inspectClientHello(hello);
  assert.deepEqual(whole, { kind: 'tls', serverName: 'name.example', alpn: ['h2', 'http/1.1'] });
  for (let cut = 0; cut < hello.length; cut += 1) {
    assert.equal(inspectClientHello(hello.subarray(0, cut)).kind, 'need-more', `cut at ${cut}`);
  }
  for (let at = 0; at < hello.length; at += 1) {
    const changed = Buffer.from(hello);
    changed[at] = (changed[at] ?? 0) ^ 0xff;
    assert.ok(['need-more', 'raw', 'tls', 'invalid'].includes(inspectClientHello(changed).kind));
  }
  const long = Buffer.alloc(maxClientHelloBytes + 10, 0);
  long.set([0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x01, 0x00, 0x00]);
  assert.equal(inspectClientHello(long).kind, 'invalid');
});
