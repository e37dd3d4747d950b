import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/runtime-config/wire/schema.ts';
import { listenerOfRoutes } from './http-listener-json.ts';
import { ListenersBeside } from './listeners-beside.ts';
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

/** The same routes and clusters in Envoy (one worker) and in ours, side by side. */
export class EnvoyBeside {
  readonly #sides: ListenersBeside;

  private constructor(sides: ListenersBeside) {
    this.#sides = sides;
  }

  /** @param place where both proxies are, and the cluster that they belong to. */
  static async start(
    routes: readonly JsonObject[],
    clusters: readonly JsonObject[],
    place?: { readonly region: string; readonly localCluster: string },
  ): Promise<EnvoyBeside> {
    const listeners = [listenerOfRoutes(routes)];
    if (place === undefined) {
      return new EnvoyBeside(await ListenersBeside.start(listeners, clusters));
    }
    const { region, localCluster } = place;
    const bootstrap = {
      node: { id: 'here', cluster: 'here', locality: { region } },
      cluster_manager: { local_cluster_name: localCluster },
    };
    const harness = new ProxyHarness({ locality: { region, zone: '', subZone: '' }, localCluster });
    return new EnvoyBeside(await ListenersBeside.start(listeners, clusters, { bootstrap, harness }));
  }

  get harness(): ProxyHarness {
    return this.#sides.harness;
  }

  get envoyPort(): number {
    return this.#sides.envoy.port('listener');
  }

  get ourPort(): number {
    return this.harness.port();
  }

  close(): Promise<void> {
    return this.#sides.close();
  }
}
