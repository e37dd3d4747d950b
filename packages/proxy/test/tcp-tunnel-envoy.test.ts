import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Background, eventually, findPeer, freePort, startBackground } from '@weft/testkit';
import { runtimeConfigFromStatic } from '../src/runtime-config/static-resources.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { ProxyHarness } from './support/proxy-harness.ts';

/** Connections through an HTTP proxy that understands CONNECT, by stock Envoy and by ours. */

const target = 'far.example:4711';

/** How the HTTP proxy meets one connection, once it has the head of the request. */
type Behaviour = (socket: Socket) => void;

const agree = 'HTTP/1.1 200 OK\r\n\r\n';
const echo: Behaviour = (socket) => {
  socket.write(agree);
  socket.on('data', (bytes) => socket.write(`<${bytes.toString()}>`));
  socket.on('end', () => socket.end('bye'));
};

const behaviours: Readonly<Record<string, Behaviour>> = {
  echo,
  // The one behind the proxy speaks at once, in the same packet.
  first: (socket) => {
    socket.write(`${agree}hello`);
    socket.on('end', () => socket.end());
  },
  pieces: (socket) => {
    const parts = ['HTTP/1.1 2', '00 Fine\r\nx: ', 'y\r\n\r', '\nlate'];
    const next = (): void => {
      const part = parts.shift();
      if (part !== undefined) {
        socket.write(part);
        setTimeout(next, 20);
      }
    };
    next();
    socket.on('end', () => socket.end());
  },
  refuses: (socket) => socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'),
  garbage: (socket) => socket.write('SSH-2.0-x\r\n\r\n'),
  silent: () => {},
  endless: (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(17_000)}`),
  closes: (socket) => socket.destroy(),
};

describe('TCP through CONNECT as in Envoy', { skip: findPeer('envoy') === undefined && 'SKIP: no Envoy' }, () => {
  const servers: Server[] = [];
  const heads: string[] = [];
  const harness = new ProxyHarness();
  const envoyPorts = new Map<string, number>();
  let envoy: Background | undefined;
  let folder = '';

  const listener = (name: string, port: number): JsonObject => ({
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        filters: [
          {
            name: 'tcp',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
              stat_prefix: name,
              cluster: name,
              tunneling_config: { hostname: target },
            },
          },
        ],
      },
    ],
  });

  before(async () => {
    const clusters: JsonObject[] = [];
    for (const [name, behave] of Object.entries(behaviours)) {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        let head = '';
        const onHead = (bytes: Buffer): void => {
          head += bytes.toString('latin1');
          if (head.includes('\r\n\r\n')) {
            heads.push(head);
            socket.off('data', onHead);
            behave(socket);
          }
        };
        socket.on('data', onHead).on('error', () => {});
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      servers.push(server);
      const { port } = server.address() as AddressInfo;
      const address = { socket_address: { address: '127.0.0.1', port_value: port } };
      clusters.push({
        name,
        type: 'STATIC',
        connect_timeout: '0.3s',
        load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
      });
      envoyPorts.set(name, await freePort());
    }
    folder = await mkdtemp(join(tmpdir(), 'weft-tunnel-'));
    const file = join(folder, 'envoy.json');
    const listeners = [...envoyPorts].map(([name, port]) => listener(name, port));
    await writeFile(file, JSON.stringify({ static_resources: { listeners, clusters } }));
    envoy = startBackground(findPeer('envoy') ?? '', [
      ...['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart'],
    ]);
    const config = runtimeConfigFromStatic({
      listeners: Object.keys(behaviours).map((name) => listener(name, 0)),
      clusters,
      routes: [],
      endpoints: [],
      secrets: [],
    });
    assert.ok('ok' in config, JSON.stringify(config));
    await harness.apply(config.ok);
    await eventually(() => exchange(envoyPorts.get('echo') ?? 0, 'x').then((text) => text.startsWith('<x>')), {
      what: 'Envoy listens',
    });
    heads.length = 0;
  });

  after(async () => {
    await harness.close();
    await envoy?.stop();
    for (const server of servers) {
      server.close();
    }
    await rm(folder, { recursive: true, force: true });
  });

  const both = async (name: string, sent: string): Promise<string> => {
    const theirs = await exchange(envoyPorts.get(name) ?? 0, sent);
    const ours = await exchange(harness.port(name), sent);
    assert.equal(ours, theirs);
    return ours;
  };

  it('both directions are carried, and ends are', async () => {
    assert.equal(await exchange(harness.port('echo'), 'ping'), '<ping>bye');
    // Envoy closes both directions when the client ends its own.
    assert.equal(await exchange(envoyPorts.get('echo') ?? 0, 'ping'), '<ping>');
    assert.equal(heads.length, 2);
    for (const head of heads) {
      assert.match(head, /^CONNECT far\.example:4711 HTTP\/1\.1\r\nhost: far\.example:4711\r\n/);
    }
  });

  it('what comes with the agreement, or after one in pieces, is the first of the tunnel', async () => {
    assert.equal(await both('first', ''), 'hello');
    assert.equal(await both('pieces', ''), 'late');
  });

  for (const name of ['refuses', 'garbage', 'closes']) {
    it(`${name}: the connection is closed, and nothing of the client went to the proxy`, async () => {
      heads.length = 0;
      assert.equal(await both(name, 'secret'), '');
      assert.ok(heads.every((head) => !head.includes('secret')));
    });
  }

  it('a proxy that does not answer has as long as connecting may take', async () => {
    const startMs = Date.now();
    assert.equal(await exchange(harness.port('silent'), 'secret'), '');
    const tookMs = Date.now() - startMs;
    assert.ok(tookMs >= 250 && tookMs < 5_000, `${tookMs} ms`);
  });

  it('an answer that does not end is given up', async () => {
    const startMs = Date.now();
    assert.equal(await exchange(harness.port('endless'), 'secret'), '');
    assert.ok(Date.now() - startMs < 250, 'sooner than the time for connecting');
  });

  it('what is not host:port, and other ways to tunnel, are refused', () => {
    for (const [tunnel, problem] of [
      [{ hostname: '%REQUESTED_SERVER_NAME%:443' }, /tunneling_config\.hostname: is not host:port/],
      [{ hostname: 'a:1\r\nx: y' }, /tunneling_config\.hostname: is not host:port/],
      [{ hostname: 'a:1', propagate_response_headers: true }, /tunneling_config\.propagate_response_headers/],
    ] as const) {
      const one = listener('echo', 0) as { filter_chains: [{ filters: [{ typed_config: JsonObject }] }] };
      one.filter_chains[0].filters[0].typed_config = {
        ...one.filter_chains[0].filters[0].typed_config,
        tunneling_config: tunnel,
      };
      const result = runtimeConfigFromStatic({
        listeners: [one as unknown as JsonObject],
        clusters: [],
        routes: [],
        endpoints: [],
        secrets: [],
      });
      assert.ok('problems' in result, JSON.stringify(tunnel));
      assert.match(result.problems.join('\n'), problem);
    }
  });
});

/** Sends a text once something can be sent, ends, and answers with all that comes. */
function exchange(port: number, sent: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(sent);
      setTimeout(() => socket.end(), 150);
    });
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}
