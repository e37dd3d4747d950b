import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { ListenersBeside } from './support/listeners-beside.ts';

/** Subsets that TCP proxies name, in Envoy and in ours. */

const match = (labels: JsonObject): JsonObject => ({ metadata_match: { filter_metadata: { 'envoy.lb': labels } } });

/** TCP proxies, and the places that their connections get to. */
const proxies: Readonly<Record<string, { readonly fields: JsonObject; readonly reaches: RegExp }>> = {
  plain: { fields: { cluster: 'up' }, reaches: /^2$/ },
  prod: { fields: { cluster: 'up', ...match({ stage: 'prod' }) }, reaches: /^0,1$/ },
  'prod-hashed': {
    fields: { cluster: 'hashed', hash_policy: [{ source_ip: {} }], ...match({ stage: 'prod' }) },
    reaches: /^[01]$/,
  },
  nothing: { fields: { cluster: 'up', ...match({ stage: 'none' }) }, reaches: /^2$/ },
  weighted: {
    fields: {
      weighted_clusters: { clusters: [{ name: 'up', weight: 1, ...match({ version: '2' }) }] },
      ...match({ stage: 'prod', version: '1' }),
    },
    reaches: /^1$/,
  },
};
const places: readonly JsonObject[] = [
  { stage: 'prod', version: '1' },
  { stage: 'prod', version: '2' },
  { stage: 'dev', version: '2' },
];

function listener(name: string, fields: JsonObject): JsonObject {
  const type = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [{ filters: [{ name: 'tcp', typed_config: { '@type': type, stat_prefix: 'tcp', ...fields } }] }],
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
  const origins: Server[] = [];
  let sides: ListenersBeside;

  before(async () => {
    for (const index of places.keys()) {
      const origin = createServer((socket) => {
        socket.on('error', () => {});
        socket.end(String(index));
      });
      await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
      origins.push(origin);
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
    sides = await ListenersBeside.start(
      Object.entries(proxies).map(([name, { fields }]) => listener(name, fields)),
      [cluster('up', 'ROUND_ROBIN'), cluster('hashed', 'RING_HASH')],
    );
  });

  after(async () => {
    await sides?.close();
    for (const origin of origins) {
      origin.close();
    }
  });

  for (const [name, { reaches }] of Object.entries(proxies)) {
    test(name, async () => {
      const theirs = await reached(sides.envoy.port(name));
      assert.match(theirs, reaches);
      assert.equal(await reached(sides.harness.port(name)), theirs);
    });
  }
});
