import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Background, eventually, findPeer, freePort, startBackground } from '@weft/testkit';
import { runtimeConfigFromStatic } from '../../src/runtime-config/static-resources.ts';
import type { JsonObject } from '../../src/runtime-config/wire/schema.ts';
import { ProxyHarness } from './proxy-harness.ts';

/** Upstreams that answer with their number; what comes under `/hold` waits to be let go. */
export class NumberedOrigins {
  readonly servers: http.Server[] = [];
  held: { readonly origin: number; release(): void }[] = [];

  static async start(count: number): Promise<NumberedOrigins> {
    const origins = new NumberedOrigins();
    for (let index = 0; index < count; index += 1) {
      const server = http.createServer((request, response) => {
        const answer = (): void => void response.end(String(index));
        if (request.url?.startsWith('/hold') === true) {
          origins.held.push({ origin: index, release: answer });
        } else {
          answer();
        }
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      origins.servers.push(server);
    }
    return origins;
  }

  get ports(): number[] {
    return this.servers.map((server) => (server.address() as AddressInfo).port);
  }

  async close(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly setCookie: string | undefined;
}

export function ask(port: number, path: string, headers: http.OutgoingHttpHeaders, agent: http.Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent, headers: { host: 'any', ...headers } });
    request.on('error', reject);
    request.on('response', (response) => {
      let body = '';
      response.on('data', (piece: Buffer) => {
        body += piece.toString('latin1');
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, setCookie: response.headers['set-cookie']?.[0] }),
      );
    });
  });
}

/** A listener with these routes, as JSON. */
function listenerJson(port: number, routes: readonly JsonObject[]): JsonObject {
  return {
    name: 'listener',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type':
                'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              stat_prefix: 'beside',
              http_filters: [
                {
                  name: 'envoy.filters.http.router',
                  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
                },
              ],
              route_config: {
                name: 'routes',
                virtual_hosts: [{ name: 'all', domains: ['*'], routes: [...routes] }],
              },
            },
          },
        ],
      },
    ],
  };
}

/** The same routes and clusters in Envoy (one worker) and in ours, side by side. */
export class EnvoyBeside {
  readonly harness: ProxyHarness;
  readonly envoyPort: number;
  readonly #folder: string;
  readonly #envoy: Background;

  private constructor(folder: string, envoy: Background, envoyPort: number, harness: ProxyHarness) {
    this.harness = harness;
    this.#folder = folder;
    this.#envoy = envoy;
    this.envoyPort = envoyPort;
  }

  /** @param place where both proxies are, and the cluster that they belong to. */
  static async start(
    routes: readonly JsonObject[],
    clusters: readonly JsonObject[],
    place?: { readonly region: string; readonly localCluster: string },
  ): Promise<EnvoyBeside> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'weft-beside-'));
    const file = join(folder, 'envoy.json');
    const zoned = {
      node: { id: 'here', cluster: 'here', locality: { region: place?.region ?? '' } },
      cluster_manager: { local_cluster_name: place?.localCluster ?? '' },
    };
    const resources = { static_resources: { listeners: [listenerJson(port, routes)], clusters } };
    await writeFile(file, JSON.stringify({ ...resources, ...(place === undefined ? {} : zoned) }));
    const envoy = startBackground(findPeer('envoy') ?? '', [
      ...['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart'],
    ]);
    const locality = { region: place?.region ?? '', zone: '', subZone: '' };
    const harness = new ProxyHarness(place === undefined ? {} : { locality, localCluster: place.localCluster });
    const sides = new EnvoyBeside(folder, envoy, port, harness);
    const listeners = [listenerJson(0, routes)];
    const config = runtimeConfigFromStatic({ listeners, clusters, routes: [], endpoints: [], secrets: [] });
    assert.ok('ok' in config, JSON.stringify(config));
    await sides.harness.apply(config.ok);
    const agent = new http.Agent();
    await eventually(async () => (await ask(port, '/', {}, agent)).status !== 0, { what: 'Envoy answers' });
    agent.destroy();
    return sides;
  }

  get ourPort(): number {
    return this.harness.port();
  }

  async close(): Promise<void> {
    await this.#envoy.stop();
    await this.harness.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
