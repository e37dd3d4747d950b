import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { eventually, peerSkip } from '@weft/testkit';
import type { FilterChainMatch } from '../src/runtime-config/config.ts';
import { staticCluster } from './support/cluster-json.ts';
import { cluster, endpoint, listener, runtimeConfig } from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { RawClient, RawOrigin } from './support/raw-peer.ts';
import { StockEnvoy } from './support/stock-envoy.ts';
import { tcpTo } from './support/tcp-configs.ts';

/** What the inspectors take a client for: the same filter chains in Envoy and in ours, and the same bytes. */

const names = ['http1', 'h2c', 'a', 'tls', 'tcp'] as const;
const matches: Readonly<Record<(typeof names)[number], Partial<FilterChainMatch>>> = {
  http1: { applicationProtocols: ['http/1.0', 'http/1.1'] },
  h2c: { applicationProtocols: ['h2c'] },
  a: { transportProtocol: 'tls', serverNames: ['a.example'] },
  tls: { transportProtocol: 'tls' },
  tcp: {},
};

/** The first flight of a real TLS client. */
function clientHello(servername: string | undefined): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.once('data', (bytes) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    }).listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      tlsConnect({ port, host: '127.0.0.1', ...(servername === undefined ? {} : { servername }) }).on(
        'error',
        () => {},
      );
    });
  });
}

describe('first bytes, Envoy and ours', { skip: peerSkip('envoy') }, () => {
  const origins: RawOrigin[] = [];
  let envoy: StockEnvoy;
  let envoyPort: number;
  let harness: ProxyHarness;

  before(async () => {
    for (const _ of names) {
      origins.push(await RawOrigin.start(() => {}));
    }
    harness = new ProxyHarness();
    await harness.apply(
      runtimeConfig({
        listeners: [
          listener(
            names.map((name) =>
              tcpTo(name, {
                match: {
                  destinationPort: undefined,
                  serverNames: [],
                  transportProtocol: undefined,
                  applicationProtocols: [],
                  ...matches[name],
                },
              }),
            ),
            {
              tlsInspector: true,
              httpInspector: true,
              listenerFiltersTimeoutMs: 300,
              continueOnListenerFiltersTimeout: true,
            },
          ),
        ],
        clusters: names.map((name, index) => cluster(name, [endpoint(origins[index]?.port ?? 0)])),
      }),
    );
    const type = 'type.googleapis.com/envoy.extensions.filters';
    const listenerJson = {
      name: 'l',
      address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
      listener_filters: [
        { name: 'tls', typed_config: { '@type': `${type}.listener.tls_inspector.v3.TlsInspector` } },
        { name: 'http', typed_config: { '@type': `${type}.listener.http_inspector.v3.HttpInspector` } },
      ],
      listener_filters_timeout: '0.3s',
      continue_on_listener_filters_timeout: true,
      filter_chains: names.map((name) => ({
        name,
        filter_chain_match: {
          ...(matches[name].transportProtocol === undefined
            ? {}
            : { transport_protocol: matches[name].transportProtocol }),
          application_protocols: matches[name].applicationProtocols ?? [],
          server_names: matches[name].serverNames ?? [],
        },
        filters: [
          {
            name: 'tcp',
            typed_config: { '@type': `${type}.network.tcp_proxy.v3.TcpProxy`, stat_prefix: name, cluster: name },
          },
        ],
      })),
    };
    const clusters = names.map((name, index) => staticCluster(name, origins[index]?.port ?? 0));
    envoy = await StockEnvoy.start({ static_resources: { listeners: [listenerJson], clusters } });
    envoyPort = envoy.port('l');
  });

  after(async () => {
    await envoy?.stop();
    await harness?.close();
    await Promise.all(origins.map((origin) => origin.close()));
  });

  /** Which chain got the bytes; `closed` when none did. */
  async function chosen(port: number, bytes: Buffer): Promise<string> {
    const counts = origins.map(({ connections }) => connections.length);
    const client = await RawClient.connect(port);
    client.send(bytes);
    const found = (): number =>
      origins.findIndex(({ connections }, index) => {
        const mine = connections[counts[index] ?? 0];
        return mine !== undefined && mine.received.length >= bytes.length;
      });
    await eventually(() => client.ended || found() >= 0, { what: `a chain takes ${bytes.toString('latin1')}` });
    const index = found();
    const origin = index < 0 ? undefined : origins[index];
    const received = origin?.connections.at(-1)?.received;
    client.socket.resetAndDestroy();
    await eventually(() => origin === undefined || origin.connections.at(-1)?.socket.destroyed === true, {
      what: 'the connection is over',
    });
    if (received !== undefined) {
      assert.ok(received.equals(bytes), 'the origin got other bytes');
    }
    return names[index] ?? 'closed';
  }

  const samples: Readonly<Record<string, string>> = {
    'HTTP/1.1': 'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
    'HTTP/1.0': 'HEAD /a HTTP/1.0\r\n\r\n',
    'absolute form': 'GET http://a.example/ HTTP/1.1\r\nhost: a.example\r\n\r\n',
    CONNECT: 'CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
    Redis: '*1\r\n$4\r\nPING\r\n',
    PostgreSQL: '\0\0\0\x08\x04\xd2\x16\x2f',
    SMTP: 'EHLO client.example\r\n',
    memcached: 'get key\r\n',
    'half a request line': 'GET /abc',
    'a chain for TLS that no TLS comes to': 'x\r\n',
    'a TLS alert': '\x15\x03\x01\0\x02\x02\x28',
  };

  for (const [name, text] of Object.entries(samples)) {
    test(name, async () => {
      const bytes = Buffer.from(text, 'latin1');
      assert.equal(await chosen(harness.port(), bytes), await chosen(envoyPort, bytes));
    });
  }

  /** Envoy takes for HTTP/1 whatever its parser reads; ours wants a version that it then speaks, as `GET key` may be another protocol. */
  for (const [name, text] of Object.entries({
    'no version': 'GET /\r\n',
    'a version that nobody speaks': 'GET / HTTP/3.7\r\n\r\n',
  })) {
    test(`differs: ${name}`, async () => {
      const bytes = Buffer.from(text, 'latin1');
      assert.equal(await chosen(harness.port(), bytes), 'tcp');
      assert.equal(await chosen(envoyPort, bytes), 'http1');
    });
  }

  test('TLS with and without a server name', async () => {
    for (const [servername, expected] of [
      ['a.example', 'a'],
      ['A.EXAMPLE', 'a'],
      ['b.example', 'tls'],
      [undefined, 'tls'],
    ] as const) {
      const hello = await clientHello(servername);
      assert.equal(await chosen(harness.port(), hello), expected);
      assert.equal(await chosen(envoyPort, hello), expected);
    }
  });
});
