import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { ClusterConfig, ClusterEndpoints, EndpointConfig } from '../src/runtime-config/config.ts';
import { defaultBalancing } from '../src/runtime-config/load-balancing.ts';
import {
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  noEdits,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { RawClient } from './support/raw-peer.ts';

/** Balancing as requests and connections see it: what is said of a cluster and of its endpoints, and what changes in it. */

interface Upstream {
  readonly port: number;
  /** Requests so far. */
  requests: number;
  /** Connections so far. */
  connections: number;
}

async function upstream(t: TestContext): Promise<Upstream> {
  const seen = { port: 0, requests: 0, connections: 0 };
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    seen.connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {
      seen.requests += 1;
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
  });
  seen.port = (server.address() as net.AddressInfo).port;
  return seen;
}

const upstreams = (t: TestContext, count: number): Promise<Upstream[]> =>
  Promise.all(Array.from({ length: count }, () => upstream(t)));

class Balanced {
  readonly harness: ProxyHarness;
  readonly #config: Partial<ClusterConfig>;
  #client: RawClient | undefined;

  constructor(
    t: TestContext,
    config: Partial<ClusterConfig>,
    place: ConstructorParameters<typeof ProxyHarness>[0] = {},
  ) {
    this.harness = new ProxyHarness(place);
    this.#config = config;
    t.after(async () => {
      this.#client?.close();
      await this.harness.close();
    });
  }

  async apply(
    endpoints: readonly EndpointConfig[] | ClusterEndpoints,
    more: readonly ClusterConfig[] = [],
  ): Promise<void> {
    const list =
      'localities' in endpoints
        ? endpoints
        : {
            clusterName: 'c',
            overprovisioningFactor: 140,
            version: String(Math.random()),
            localities: [{ region: '', zone: '', subZone: '', weight: 1, priority: 0, endpoints }],
          };
    const config: ClusterConfig = {
      ...cluster('c', [], this.#config),
      discovery: { kind: 'eds', serviceName: 'c' },
      version: 'the same',
    };
    await this.harness.apply(
      runtimeConfig({
        listeners: [{ ...listener([chain(httpManager())]), version: 'the same' }],
        routes: [{ ...routeTable('routes', [virtualHost([route(forwardTo('c'))])]), version: 'the same' }],
        clusters: [config, ...more],
        endpoints: [list],
      }),
    );
  }

  /** Requests one after the other on one connection. */
  async ask(count: number, fields = ''): Promise<void> {
    this.#client ??= await RawClient.connect(this.harness.port());
    for (let index = 0; index < count; index += 1) {
      const before = this.harness.requests.length;
      this.#client.send(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
      const { code } = await this.harness.ended(before + 1);
      assert.equal(code, 200);
    }
  }
}

const ring = {
  kind: 'ring-hash',
  hashFunction: 'xx-hash',
  minimumSize: 100_000,
  maximumSize: 8_388_608,
  byHostname: false,
  hashBalanceFactor: undefined,
  hashPolicies: [{ kind: 'header', name: 'x-key', rewrite: undefined, terminal: false }],
} as const;

describe('balancing', () => {
  it('a cluster with a large ring is used when its ring is there, and goes on with the old one while a new one is built', async (t) => {
    const seen = await upstreams(t, 3);
    const balanced = new Balanced(t, { loadBalancer: ring });
    await balanced.apply(seen.map(({ port }) => endpoint(port)));
    await balanced.ask(20, 'x-key: same\r\n');
    assert.deepEqual(seen.map(({ requests }) => requests).sort(), [0, 0, 20]);
    const home = seen.find(({ requests }) => requests === 20);
    await balanced.apply(
      seen
        .slice(0, 2)
        .concat(seen.slice(2))
        .map(({ port }) => endpoint(port, { weight: 2 })),
    );
    await balanced.ask(5, 'x-key: same\r\n');
    assert.equal(home?.requests, 25, 'the same weights are the same ring');
    await balanced.apply(seen.filter((one) => one !== home).map(({ port }) => endpoint(port)));
    await balanced.ask(5, 'x-key: same\r\n');
    assert.equal(home?.requests, 25, 'who has left gets nothing, whatever the old ring says');
    const [other] = await upstreams(t, 1);
    await balanced.apply([endpoint(other?.port ?? 0)]);
    await balanced.ask(5, 'x-key: same\r\n');
    assert.equal(other?.requests, 5, 'when all have left there is no wait for the new ring');
  });

  it('endpoints that are named twice count once, and draining ones get nothing', async (t) => {
    const seen = await upstreams(t, 3);
    const [one, two, three] = seen.map(({ port }) => port) as [number, number, number];
    const balanced = new Balanced(t, {});
    await balanced.apply([endpoint(one), endpoint(two), endpoint(one), endpoint(three, { health: 'draining' })]);
    await balanced.ask(20);
    assert.deepEqual(
      seen.map(({ requests }) => requests),
      [10, 10, 0],
    );
  });

  it('close_connections_on_host_set_change gives up pooled connections when an endpoint comes', async (t) => {
    const seen = await upstreams(t, 2);
    const [one, two] = seen.map(({ port }) => port) as [number, number];
    for (const closes of [false, true]) {
      const balancing = { ...defaultBalancing, closeConnectionsOnHostSetChange: closes };
      const balanced = new Balanced(t, { balancing });
      await balanced.apply([endpoint(one)]);
      await balanced.ask(3);
      const before = seen[0]?.connections ?? 0;
      await balanced.apply([endpoint(one), endpoint(two)]);
      await balanced.ask(4);
      assert.equal((seen[0]?.connections ?? 0) - before, closes ? 1 : 0);
    }
  });

  it('weights of localities, and the zone of this proxy', async (t) => {
    const seen = await upstreams(t, 4);
    const assignment = (weights: readonly [number, number]): ClusterEndpoints => ({
      clusterName: 'c',
      overprovisioningFactor: 140,
      version: weights.join(),
      localities: weights.map((weight, zone) => ({
        region: 'r',
        zone: `z${zone}`,
        subZone: '',
        weight,
        priority: 0,
        endpoints: seen.slice(2 * zone, 2 * zone + 2).map(({ port }) => endpoint(port)),
      })),
    });
    const weighted = new Balanced(t, { balancing: { ...defaultBalancing, locality: { kind: 'weighted' } } });
    await weighted.apply(assignment([9, 1]));
    await weighted.ask(40);
    const [first = 0, second = 0] = seen.map(({ requests }) => requests);
    assert.equal(first + second, 36);
    const zoned = new Balanced(
      t,
      {
        balancing: {
          ...defaultBalancing,
          locality: {
            kind: 'zone-aware',
            routingEnabledPercent: 100,
            minClusterSize: 2,
            failTrafficOnPanic: false,
            byWeight: false,
            forceLocalZoneMinSize: undefined,
          },
        },
      },
      { locality: { region: 'r', zone: 'z1', subZone: '' }, localCluster: 'us' },
    );
    const us = cluster('us', { ...assignment([1, 1]), clusterName: 'us' });
    for (const each of seen) {
      each.requests = 0;
    }
    await zoned.apply(assignment([1, 1]), [us]);
    await zoned.ask(20);
    assert.deepEqual(
      seen.map(({ requests }) => requests),
      [0, 0, 10, 10],
    );
  });

  it('peak EWMA leaves an endpoint alone that was slow', async (t) => {
    const seen = await upstreams(t, 2);
    let slowMs = 0;
    let nowMs = 0;
    const clock = {
      now: () => nowMs,
      monotonicMs: () => nowMs,
      setTimeout: () => ({ cancel: () => {} }),
    };
    const balanced = new Balanced(
      t,
      { loadBalancer: { kind: 'peak-ewma', decayMs: 1e9, defaultLatencyMs: 30 } },
      // Each look at the clock takes as long as the endpoint that was chosen last.
      { clock: { ...clock, monotonicMs: () => (nowMs += slowMs) } },
    );
    await balanced.apply(seen.map(({ port }) => endpoint(port)));
    slowMs = 100;
    await balanced.ask(1);
    slowMs = 0;
    const slow = seen.find(({ requests }) => requests === 1);
    await balanced.ask(20);
    assert.equal(slow?.requests, 1);
  });

  it('TCP connections go by the address of their client', async (t) => {
    const seen = await upstreams(t, 5);
    const harness = new ProxyHarness();
    t.after(() => harness.close());
    await harness.apply(
      runtimeConfig({
        listeners: [
          listener([
            chain({
              kind: 'tcp-proxy',
              statPrefix: '',
              clusters: [{ cluster: 'c', weight: 1, headers: noEdits }],
              idleTimeoutMs: 0,
              maxConnectionDurationMs: 0,
              maxConnectAttempts: 1,
              hashBySourceIp: true,
              accessLogs: [],
            }),
          ]),
        ],
        clusters: [
          cluster(
            'c',
            seen.map(({ port }) => endpoint(port)),
            { loadBalancer: { ...ring, minimumSize: 1024, hashPolicies: [] } },
          ),
        ],
      }),
    );
    for (let count = 0; count < 8; count += 1) {
      const client = await RawClient.connect(harness.port());
      client.send('x');
      await client.until(({ text }) => text.includes('200'));
      client.close();
    }
    assert.deepEqual(seen.map(({ connections }) => connections).sort(), [0, 0, 0, 0, 8]);
  });
});
