import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { ask, EnvoyBeside } from './support/envoy-beside.ts';

/** Retry priority: the same clusters, all of whose endpoints fail, behind Envoy and behind ours; the priorities that tries go to. */

interface Case {
  readonly name: string;
  readonly updateFrequency: number;
  readonly retries: number;
  /** By priority, the health of its endpoints. */
  readonly priorities: readonly (readonly ('HEALTHY' | 'UNHEALTHY' | 'DEGRADED')[])[];
  readonly cluster?: JsonObject;
  /** Tries go by chance: shares are compared, of so many requests. */
  readonly requests?: number;
}

const atOnce = 20;
const two = ['HEALTHY', 'HEALTHY'] as const;
const down = ['UNHEALTHY', 'UNHEALTHY'] as const;
const half = ['HEALTHY', 'UNHEALTHY'] as const;
const degraded = ['DEGRADED', 'DEGRADED'] as const;

const cases: readonly Case[] = [
  { name: 'each', updateFrequency: 1, retries: 7, priorities: [two, two, two] },
  { name: 'every-second', updateFrequency: 2, retries: 9, priorities: [two, two, two] },
  { name: 'every-third', updateFrequency: 3, retries: 9, priorities: [two, two, two] },
  { name: 'past-an-unhealthy-one', updateFrequency: 1, retries: 5, priorities: [two, down, two] },
  { name: 'to-a-degraded-one', updateFrequency: 1, retries: 5, priorities: [two, degraded, two] },
  { name: 'only-one', updateFrequency: 1, retries: 3, priorities: [two] },
  { name: 'panic', updateFrequency: 1, retries: 3, priorities: [down, down], requests: 400 },
  { name: 'shares', updateFrequency: 1, retries: 2, priorities: [half, half, half], requests: 800 },
  {
    name: 'hashes',
    updateFrequency: 1,
    retries: 4,
    priorities: [two, two],
    cluster: { lb_policy: 'RING_HASH' },
  },
];

describe('retry priority, Envoy and ours', { skip: peerSkip('envoy') }, () => {
  const agent = new http.Agent({ keepAlive: true });
  const servers: http.Server[] = [];
  let sides: EnvoyBeside;
  /** By the number of a request, the priorities of its tries in turn. */
  const tries = new Map<string, number[]>();

  async function origin(priority: number): Promise<number> {
    const server = http.createServer(({ headers }, response) => {
      tries.get(String(headers['x-number']))?.push(priority);
      response.writeHead(503).end();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  before(async () => {
    const clusters: JsonObject[] = [];
    for (const { name, priorities, cluster } of cases) {
      const endpoints: JsonObject[] = [];
      for (const [priority, healths] of priorities.entries()) {
        const places: JsonObject[] = [];
        for (const health of healths) {
          const address = { socket_address: { address: '127.0.0.1', port_value: await origin(priority) } };
          places.push({ endpoint: { address }, health_status: health });
        }
        endpoints.push({ priority, locality: { region: `r${priority}` }, lb_endpoints: places });
      }
      const load_assignment = { cluster_name: name, endpoints };
      clusters.push({
        ...{ name, type: 'STATIC', connect_timeout: '10s', load_assignment, ...cluster },
        circuit_breakers: { thresholds: [{ max_retries: 1000 }] },
      });
    }
    const name = 'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig';
    const routes = cases.map(({ name: cluster, updateFrequency, retries }) => ({
      match: { path: `/${cluster}` },
      route: {
        cluster,
        retry_policy: {
          retry_on: '5xx',
          num_retries: retries,
          retry_back_off: { base_interval: '0.001s', max_interval: '0.001s' },
          retry_priority: {
            name: 'envoy.retry_priorities.previous_priorities',
            typed_config: { '@type': `type.googleapis.com/${name}`, update_frequency: updateFrequency },
          },
        },
      },
    }));
    sides = await EnvoyBeside.start(routes, clusters);
  });

  after(async () => {
    agent.destroy();
    await sides?.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** The tries of each request. */
  async function triesThrough(port: number, name: string, requests: number): Promise<string[]> {
    tries.clear();
    const one = async (number: number): Promise<void> => {
      tries.set(String(number), []);
      await ask(port, `/${name}`, { 'x-number': number }, agent);
    };
    for (let count = 0; count < requests; count += atOnce) {
      await Promise.all(Array.from({ length: Math.min(atOnce, requests - count) }, (_, index) => one(count + index)));
    }
    return [...tries.values()].map((priorities) => priorities.join(' '));
  }

  for (const { name, requests, retries } of cases) {
    test(name, async () => {
      const theirs = await triesThrough(sides.envoyPort, name, requests ?? 3);
      const ours = await triesThrough(sides.ourPort, name, requests ?? 3);
      assert.deepEqual([...new Set(theirs.map((path) => path.split(' ').length))], [retries + 1]);
      if (requests === undefined) {
        assert.deepEqual(ours, theirs);
        return;
      }
      for (const path of new Set([...theirs, ...ours])) {
        const share = (of: readonly string[]): number => of.filter((each) => each === path).length / requests;
        assert.ok(Math.abs(share(theirs) - share(ours)) < 0.1, `${path}: ${share(ours)}, Envoy ${share(theirs)}`);
      }
    });
  }
});
