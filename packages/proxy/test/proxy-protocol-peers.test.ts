import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually, findPeer, freePort, peerSkip, startBackground } from '@weft/testkit';
import { cluster, endpoint, listener, runtimeConfig } from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { RawClient, RawOrigin } from './support/raw-peer.ts';
import { tcpTo } from './support/tcp-configs.ts';

/** The PROXY protocol as other implementations write and read it. */

const type = 'type.googleapis.com/envoy.extensions';
const versions = [1, 2] as const;

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'weft-proxy-protocol-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function startPeer(
  t: TestContext,
  name: 'envoy' | 'haproxy',
  port: number,
  args: readonly string[],
): Promise<void> {
  const peer = startBackground(findPeer(name) ?? name, args);
  t.after(() => peer.stop());
  await eventually(
    async () => {
      const client = await RawClient.connect(port);
      client.close();
      return true;
    },
    { what: `${name} listens on ${port}` },
  ).catch((error: Error) => {
    throw new Error(`${error.message}\n${peer.output()}`);
  });
}

/** Envoy as a TCP proxy from one port to another. */
async function startEnvoy(
  t: TestContext,
  from: number,
  to: number,
  filters: readonly object[],
  transportSocket: object | undefined,
): Promise<void> {
  const address = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const file = join(await folder(t), 'envoy.json');
  const tcpProxy = { '@type': `${type}.filters.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 'tcp', cluster: 'up' };
  await writeFile(
    file,
    JSON.stringify({
      static_resources: {
        listeners: [
          {
            name: 'l',
            address: address(from),
            listener_filters: filters,
            filter_chains: [{ filters: [{ name: 'tcp', typed_config: tcpProxy }] }],
          },
        ],
        clusters: [
          {
            name: 'up',
            type: 'STATIC',
            load_assignment: {
              cluster_name: 'up',
              endpoints: [{ lb_endpoints: [{ endpoint: { address: address(to) } }] }],
            },
            ...(transportSocket === undefined ? {} : { transport_socket: transportSocket }),
          },
        ],
      },
    }),
  );
  const args = ['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart'];
  await startPeer(t, 'envoy', from, args);
}

function envoySocket(version: 1 | 2): object {
  const raw = { name: 'raw', typed_config: { '@type': `${type}.transport_sockets.raw_buffer.v3.RawBuffer` } };
  return {
    name: 'proxy_protocol',
    typed_config: {
      '@type': `${type}.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport`,
      config: { version: `V${version}` },
      transport_socket: raw,
    },
  };
}

/** Our proxy in front of `to`. */
async function startOurs(
  t: TestContext,
  to: number,
  receives: boolean,
  sends: 1 | 2 | undefined,
): Promise<ProxyHarness> {
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  await harness.apply(
    runtimeConfig({
      listeners: [
        listener(
          [tcpTo('origin')],
          receives ? { proxyProtocol: { allowWithoutHeader: false, refusedVersions: [] } } : {},
        ),
      ],
      clusters: [
        cluster('origin', [endpoint(to)], {
          transportSocket: sends === undefined ? { kind: 'raw' } : { kind: 'raw', proxyProtocol: sends },
        }),
      ],
    }),
  );
  return harness;
}

async function startOrigin(t: TestContext): Promise<RawOrigin> {
  const origin = await RawOrigin.start((connection) => connection.socket.write('ok'));
  t.after(() => origin.close());
  return origin;
}

async function assertServed(t: TestContext, port: number, origin: RawOrigin, text: string): Promise<number> {
  const client = await RawClient.connect(port);
  t.after(() => client.close());
  const { localPort = 0 } = client.socket;
  client.send(text);
  await client.untilText('ok');
  assert.ok(origin.received.includes(text), origin.received);
  return localPort;
}

for (const version of versions) {
  test(`Envoy writes version ${version}, ours reads it`, { skip: peerSkip('envoy') }, async (t) => {
    const origin = await startOrigin(t);
    const ours = await startOurs(t, origin.port, true, undefined);
    const port = await freePort();
    await startEnvoy(t, port, ours.port(), [], envoySocket(version));
    const clientPort = await assertServed(t, port, origin, 'by Envoy');
    assert.equal(origin.connections.at(-1)?.received.toString(), 'by Envoy');
    origin.connections.at(-1)?.socket.resetAndDestroy();
    await ours.until(() =>
      ours.tcpEnds.some(
        ({ downstream }) =>
          downstream.remoteAddress === `127.0.0.1:${clientPort}` && downstream.localAddress === `127.0.0.1:${port}`,
      ),
    );
  });

  test(`ours writes version ${version}, Envoy reads it and writes it again`, { skip: peerSkip('envoy') }, async (t) => {
    const origin = await startOrigin(t);
    const last = await startOurs(t, origin.port, true, undefined);
    const port = await freePort();
    const filter = {
      name: 'proxy_protocol',
      typed_config: { '@type': `${type}.filters.listener.proxy_protocol.v3.ProxyProtocol` },
    };
    await startEnvoy(t, port, last.port(), [filter], envoySocket(version === 1 ? 2 : 1));
    const ours = await startOurs(t, port, false, version);
    const clientPort = await assertServed(t, ours.port(), origin, 'through three');
    origin.connections.at(-1)?.socket.resetAndDestroy();
    await last.until(() =>
      last.tcpEnds.some(({ downstream }) => downstream.remoteAddress === `127.0.0.1:${clientPort}`),
    );
  });

  test(`HAProxy reads and writes version ${version}`, { skip: peerSkip('haproxy') }, async (t) => {
    const origin = await startOrigin(t);
    const last = await startOurs(t, origin.port, true, undefined);
    const port = await freePort();
    const file = join(await folder(t), 'haproxy.cfg');
    const timeouts = 'timeout client 10s\n  timeout server 10s\n  timeout connect 5s';
    const send = version === 1 ? 'send-proxy' : 'send-proxy-v2';
    await writeFile(
      file,
      `defaults\n  mode tcp\n  ${timeouts}\nlisten l\n  bind 127.0.0.1:${port} accept-proxy\n  server s 127.0.0.1:${last.port()} ${send}\n`,
    );
    await startPeer(t, 'haproxy', port, ['-db', '-f', file]);
    const ours = await startOurs(t, port, false, version);
    const clientPort = await assertServed(t, ours.port(), origin, 'through HAProxy');
    origin.connections.at(-1)?.socket.resetAndDestroy();
    await last.until(() =>
      last.tcpEnds.some(({ downstream }) => downstream.remoteAddress === `127.0.0.1:${clientPort}`),
    );
  });
}
