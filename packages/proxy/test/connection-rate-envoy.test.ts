import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Background, eventually, findPeer, freePort, peerSkip, startBackground } from '@weft/testkit';
import { runtimeConfigFromStatic } from '../src/runtime-config/static-resources.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { ProxyHarness } from './support/proxy-harness.ts';

/** How many connections listeners take at once and later: the same listener filter in Envoy and in ours. */

const limits: Readonly<Record<string, JsonObject | undefined>> = {
  'a burst': { token_bucket: { max_tokens: 3, fill_interval: '60s' } },
  filled: { token_bucket: { max_tokens: 2, tokens_per_fill: 2, fill_interval: '2s' } },
  'switched off': {
    token_bucket: { max_tokens: 1, fill_interval: '60s' },
    runtime_enabled: { default_value: false, runtime_key: 'x' },
  },
  none: undefined,
};
const typeOf = (name: string): string => `type.googleapis.com/envoy.extensions.filters.${name}`;

function listener(name: string, port: number, limit: JsonObject | undefined): JsonObject {
  const rate = {
    name: 'rate',
    typed_config: { '@type': typeOf('listener.local_ratelimit.v3.LocalRateLimit'), stat_prefix: 'rate', ...limit },
  };
  const tcp = { '@type': typeOf('network.tcp_proxy.v3.TcpProxy'), stat_prefix: 'tcp', cluster: 'origin' };
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    listener_filters: limit === undefined ? [] : [rate],
    filter_chains: [{ filters: [{ name: 'tcp', typed_config: tcp }] }],
  };
}

/** Whether a connection reaches the origin, which speaks first. */
function served(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (isServed: boolean): void => {
      socket.destroy();
      resolve(isServed);
    };
    socket.on('data', () => end(true));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
  });
}

async function servedOf(port: number, count: number): Promise<number> {
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    sum += (await served(port)) ? 1 : 0;
  }
  return sum;
}

describe('the rate of connections, Envoy and ours', { skip: peerSkip('envoy') }, () => {
  const harness = new ProxyHarness();
  const ports = new Map<string, number>();
  let origin: Server;
  let envoy: Background;
  let folder: string;

  before(async () => {
    origin = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('ok');
    });
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    const address = { address: '127.0.0.1', port_value: (origin.address() as AddressInfo).port };
    const clusters = [
      {
        name: 'origin',
        type: 'STATIC',
        load_assignment: {
          cluster_name: 'origin',
          endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: address } } }] }],
        },
      },
    ];
    for (const name of Object.keys(limits)) {
      ports.set(name, await freePort());
    }
    const listeners = (portOf: (name: string) => number): JsonObject[] =>
      Object.entries(limits).map(([name, limit]) => listener(name, portOf(name), limit));
    folder = await mkdtemp(join(tmpdir(), 'weft-rate-'));
    const file = join(folder, 'envoy.json');
    await writeFile(
      file,
      JSON.stringify({ static_resources: { listeners: listeners((name) => ports.get(name) ?? 0), clusters } }),
    );
    envoy = startBackground(findPeer('envoy') ?? '', [
      ...['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart'],
    ]);
    const config = runtimeConfigFromStatic({
      listeners: listeners(() => 0),
      clusters,
      routes: [],
      endpoints: [],
      secrets: [],
    });
    assert.ok('ok' in config, JSON.stringify(config));
    await harness.apply(config.ok);
    await eventually(() => served(ports.get('none') ?? 0), { what: 'Envoy listens' });
  });

  after(async () => {
    await envoy?.stop();
    await harness.close();
    origin?.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const name of Object.keys(limits)) {
    test(name, async () => {
      const theirs = ports.get(name) ?? 0;
      const ours = harness.port(name);
      assert.equal(await servedOf(ours, 5), await servedOf(theirs, 5));
      if (name === 'filled') {
        await new Promise((resolve) => setTimeout(resolve, 2300));
      }
      assert.equal(await servedOf(ours, 5), await servedOf(theirs, 5));
    });
  }

  test('what is too much is told', () => {
    const details = harness.tcpEnds.map(({ connectionTerminationDetails }) => connectionTerminationDetails);
    assert.ok(details.includes('connection_rate_limited'), details.join());
  });
});
