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

/** Subsets that TCP proxies name, in Envoy and in ours. */

const match = (labels: JsonObject): JsonObject => ({ metadata_match: { filter_metadata: { 'envoy.lb': labels } } });

const proxies: Readonly<Record<string, JsonObject>> = {
  plain: { cluster: 'up' },
  prod: { cluster: 'up', ...match({ stage: 'prod' }) },
  'prod-hashed': { cluster: 'hashed', hash_policy: [{ source_ip: {} }], ...match({ stage: 'prod' }) },
  nothing: { cluster: 'up', ...match({ stage: 'none' }) },
  weighted: {
    weighted_clusters: { clusters: [{ name: 'up', weight: 1, ...match({ version: '2' }) }] },
    ...match({ stage: 'prod', version: '1' }),
  },
};
const places: readonly JsonObject[] = [
  { stage: 'prod', version: '1' },
  { stage: 'prod', version: '2' },
  { stage: 'dev', version: '2' },
];

function listener(name: string, port: number): JsonObject {
  const type = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      { filters: [{ name: 'tcp', typed_config: { '@type': type, stat_prefix: 'tcp', ...proxies[name] } }] },
    ],
  };
}

/** What the origin says, which speaks first; empty: there is none. */
function told(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

async function reached(port: number): Promise<string> {
  const found = new Set<string>();
  for (let count = 0; count < 12; count += 1) {
    found.add(await told(port));
  }
  return [...found].sort().join();
}

describe('subsets of TCP, Envoy and ours', { skip: peerSkip('envoy') }, () => {
  const harness = new ProxyHarness();
  const ports = new Map<string, number>();
  const origins: Server[] = [];
  let envoy: Background;
  let folder: string;

  before(async () => {
    for (const index of places.keys()) {
      const origin = createServer((socket) => {
        socket.on('error', () => {});
        socket.end(String(index));
      });
      await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
      origins.push(origin);
    }
    for (const name of Object.keys(proxies)) {
      ports.set(name, await freePort());
    }
    const lb_endpoints = origins.map((origin, index) => {
      const address = { address: '127.0.0.1', port_value: (origin.address() as AddressInfo).port };
      return {
        endpoint: { address: { socket_address: address } },
        metadata: { filter_metadata: { 'envoy.lb': places[index] ?? {} } },
      };
    });
    const cluster = (name: string, lb_policy: string): JsonObject => ({
      ...{ name, lb_policy, type: 'STATIC' },
      lb_subset_config: {
        subset_selectors: [{ keys: ['stage'] }, { keys: ['stage', 'version'] }],
        fallback_policy: 'DEFAULT_SUBSET',
        default_subset: { stage: 'dev' },
      },
      load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints }] },
    });
    const clusters = [cluster('up', 'ROUND_ROBIN'), cluster('hashed', 'RING_HASH')];
    const listeners = (portOf: (name: string) => number): JsonObject[] =>
      Object.keys(proxies).map((name) => listener(name, portOf(name)));
    folder = await mkdtemp(join(tmpdir(), 'weft-subsets-'));
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
    await eventually(async () => (await told(ports.get('plain') ?? 0)) !== '', { what: 'Envoy listens' });
  });

  after(async () => {
    await envoy?.stop();
    await harness.close();
    for (const origin of origins) {
      origin.close();
    }
    await rm(folder, { recursive: true, force: true });
  });

  for (const name of Object.keys(proxies)) {
    test(name, async () => {
      const theirs = await reached(ports.get(name) ?? 0);
      assert.notEqual(theirs, '');
      assert.equal(await reached(harness.port(name)), theirs);
    });
  }
});
