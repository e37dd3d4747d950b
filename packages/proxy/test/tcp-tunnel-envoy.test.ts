import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { staticCluster } from './support/cluster-json.ts';
import { ListenersBeside } from './support/listeners-beside.ts';
import { refusalsOf } from './support/static-config.ts';

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

const tunneling = { hostname: target };

function listener(name: string, tunneling_config: JsonObject): JsonObject {
  const type = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';
  const typed_config = { '@type': type, stat_prefix: name, cluster: name, tunneling_config };
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [{ filters: [{ name: 'tcp', typed_config }] }],
  };
}

describe('TCP through CONNECT as in Envoy', { skip: peerSkip('envoy') }, () => {
  const servers: Server[] = [];
  /** All bytes of each connection to an HTTP proxy. */
  let heard: string[] = [];
  let sides: ListenersBeside;

  before(async () => {
    const clusters: JsonObject[] = [];
    for (const [name, behave] of Object.entries(behaviours)) {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        const index = heard.push('') - 1;
        socket.on('error', () => {});
        socket.on('data', (bytes) => {
          const before = heard[index] ?? '';
          heard[index] = before + bytes.toString('latin1');
          if (!before.includes('\r\n\r\n') && heard[index].includes('\r\n\r\n')) {
            behave(socket);
          }
        });
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      servers.push(server);
      // Of the ones that say nothing only the time for connecting gets rid.
      const connect_timeout = name === 'silent' ? '0.3s' : '30s';
      clusters.push(staticCluster(name, (server.address() as AddressInfo).port, { connect_timeout }));
    }
    const listeners = Object.keys(behaviours).map((name) => listener(name, tunneling));
    sides = await ListenersBeside.start(listeners, clusters);
  });

  after(async () => {
    await sides?.close();
    for (const server of servers) {
      server.close();
    }
  });

  const both = async (name: string, sent: string, until?: string): Promise<string> => {
    const theirs = await exchange(sides.envoy.port(name), sent, until);
    const ours = await exchange(sides.harness.port(name), sent, until);
    assert.equal(ours, theirs);
    return ours;
  };

  it('both directions are carried, and ends are', async () => {
    heard = [];
    assert.equal(await exchange(sides.harness.port('echo'), 'ping', '<ping>'), '<ping>bye');
    // Envoy closes both directions when the client ends its own.
    assert.equal(await exchange(sides.envoy.port('echo'), 'ping', '<ping>'), '<ping>');
    assert.equal(heard.length, 2);
    for (const all of heard) {
      assert.match(all, /^CONNECT far\.example:4711 HTTP\/1\.1\r\nhost: far\.example:4711\r\n/);
      assert.match(all, /\r\n\r\nping$/);
    }
  });

  it('what comes with the agreement, or after one in pieces, is the first of the tunnel', async () => {
    assert.equal(await both('first', '', 'hello'), 'hello');
    assert.equal(await both('pieces', '', 'late'), 'late');
  });

  for (const name of ['refuses', 'garbage', 'closes']) {
    it(`${name}: the connection is closed, and nothing of the client went to the proxy`, async () => {
      heard = [];
      assert.equal(await both(name, 'secret'), '');
      assert.deepEqual(
        heard.map((all) => /^CONNECT [\s\S]*\r\n\r\n(.*)$/.exec(all)?.[1]),
        ['', ''],
      );
    });
  }

  it('a proxy that does not answer has as long as connecting may take', async () => {
    heard = [];
    const startMs = performance.now();
    assert.equal(await exchange(sides.harness.port('silent'), 'secret'), '');
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= 250 && tookMs < 10_000, `${tookMs} ms`);
    assert.doesNotMatch(heard.join(), /secret/);
  });

  it('an answer that does not end is given up, sooner than the time for connecting', async () => {
    const startMs = performance.now();
    assert.equal(await exchange(sides.harness.port('endless'), 'secret'), '');
    assert.ok(performance.now() - startMs < 20_000);
  });

  it('what is not host:port, and other ways to tunnel, are refused', () => {
    for (const [tunnel, problem] of [
      [{ hostname: '%REQUESTED_SERVER_NAME%:443' }, /tunneling_config\.hostname: is not host:port/],
      [{ hostname: 'a:1\r\nx: y' }, /tunneling_config\.hostname: is not host:port/],
      [{ hostname: 'a:1', propagate_response_headers: true }, /tunneling_config\.propagate_response_headers/],
    ] as const) {
      assert.match(refusalsOf({ listeners: [listener('echo', tunnel)] }), problem);
    }
    assert.equal(refusalsOf({ listeners: [listener('echo', tunneling)] }), '');
  });
});

/** Sends a text, ends when `until` has come (never: the other side ends), and answers with all that came. */
function exchange(port: number, sent: string, until?: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(sent));
    socket.on('data', (bytes) => {
      text += bytes.toString();
      if (text === until) {
        socket.end();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}
