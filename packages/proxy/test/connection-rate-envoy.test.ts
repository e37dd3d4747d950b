import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { staticCluster } from './support/cluster-json.ts';
import { ListenersBeside } from './support/listeners-beside.ts';

/** How many connections listeners take at once and later: the same listener filter in Envoy and in ours. */

interface Case {
  readonly limit?: JsonObject;
  /** How many of five connections are served, twice. */
  readonly served: readonly [number, number];
  /** Between the two. */
  readonly pauseMs?: number;
}

const cases: Readonly<Record<string, Case>> = {
  'a burst': { limit: { token_bucket: { max_tokens: 3, fill_interval: '60s' } }, served: [3, 0] },
  filled: {
    limit: { token_bucket: { max_tokens: 2, tokens_per_fill: 2, fill_interval: '3s' } },
    served: [2, 2],
    pauseMs: 3_300,
  },
  'switched off': {
    limit: {
      token_bucket: { max_tokens: 1, fill_interval: '60s' },
      runtime_enabled: { default_value: false, runtime_key: 'x' },
    },
    served: [5, 5],
  },
  none: { served: [5, 5] },
};
const typeOf = (name: string): string => `type.googleapis.com/envoy.extensions.filters.${name}`;

function listener(name: string, limit: JsonObject | undefined): JsonObject {
  const rate = {
    name: 'rate',
    typed_config: { '@type': typeOf('listener.local_ratelimit.v3.LocalRateLimit'), stat_prefix: 'rate', ...limit },
  };
  const tcp = { '@type': typeOf('network.tcp_proxy.v3.TcpProxy'), stat_prefix: 'tcp', cluster: 'origin' };
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
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
  let origin: Server;
  let sides: ListenersBeside;

  before(async () => {
    origin = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('ok');
    });
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    sides = await ListenersBeside.start(
      Object.entries(cases).map(([name, { limit }]) => listener(name, limit)),
      [staticCluster('origin', (origin.address() as AddressInfo).port)],
    );
  });

  after(async () => {
    await sides?.close();
    origin?.close();
  });

  for (const [name, { served: expected, pauseMs = 0 }] of Object.entries(cases)) {
    test(name, async () => {
      const ports = [sides.harness.port(name), sides.envoy.port(name)];
      const servedOfBoth = (): Promise<number[]> => Promise.all(ports.map((port) => servedOf(port, 5)));
      assert.deepEqual(await servedOfBoth(), [expected[0], expected[0]]);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      assert.deepEqual(await servedOfBoth(), [expected[1], expected[1]]);
    });
  }

  test('what is too much is told', () => {
    const details = sides.harness.tcpEnds.map(({ connectionTerminationDetails }) => connectionTerminationDetails);
    assert.ok(details.includes('connection_rate_limited'), details.join());
  });
});
