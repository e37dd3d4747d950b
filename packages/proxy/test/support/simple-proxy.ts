import type { TestContext } from 'node:test';
import type { DataPlaneOptions } from '../../src/data-plane.ts';
import type {
  ClusterConfig,
  ForwardAction,
  HttpConnectionManagerConfig,
  RouteTable,
} from '../../src/runtime-config/config.ts';
import {
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from './configs.ts';
import { ProxyHarness } from './proxy-harness.ts';
import { type OriginConnection, RawClient, RawOrigin } from './raw-peer.ts';

export interface SimpleProxyOptions {
  readonly onData: (connection: OriginConnection) => void;
  readonly manager?: Partial<HttpConnectionManagerConfig>;
  readonly forward?: Partial<ForwardAction>;
  readonly cluster?: Partial<ClusterConfig>;
  readonly table?: RouteTable;
  readonly dataPlane?: Partial<DataPlaneOptions>;
  /** Further origins behind the same cluster. */
  readonly more?: readonly RawOrigin[];
}

/** One listener, one route, one cluster `origin`, one origin. */
export class SimpleProxy {
  readonly origin: RawOrigin;
  readonly harness: ProxyHarness;

  readonly #t: TestContext;

  private constructor(t: TestContext, origin: RawOrigin, harness: ProxyHarness) {
    this.#t = t;
    this.origin = origin;
    this.harness = harness;
  }

  /** Everything is closed when the test of `t` ends. */
  static async start(t: TestContext, options: SimpleProxyOptions): Promise<SimpleProxy> {
    const origin = await RawOrigin.start(options.onData);
    t.after(() => origin.close());
    const harness = new ProxyHarness(options.dataPlane);
    t.after(() => harness.close());
    const endpoints = [origin, ...(options.more ?? [])].map(({ port }) => endpoint(port));
    const result = await harness.apply(
      runtimeConfig({
        listeners: [listener([chain(httpManager({ delayedCloseTimeoutMs: 200, ...options.manager }))])],
        routes: [options.table ?? routeTable('routes', [virtualHost([route(forwardTo('origin', options.forward))])])],
        clusters: [cluster('origin', endpoints, options.cluster)],
      }),
    );
    if (result.failedListeners.length > 0) {
      throw new Error(JSON.stringify(result.failedListeners));
    }
    return new SimpleProxy(t, origin, harness);
  }

  get port(): number {
    return this.harness.port();
  }

  async client(): Promise<RawClient> {
    const client = await RawClient.connect(this.port);
    this.#t.after(() => client.close());
    return client;
  }

  /** Sends bytes on a connection of its own and gives everything up to the end of the connection. */
  async exchange(bytes: string): Promise<string> {
    const client = await this.client();
    client.send(bytes);
    await client.untilEnd();
    client.close();
    return client.text;
  }
}

/** A request that ends its connection. */
export function getOnce(path = '/', fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n`;
}

/** A request on a connection that stays. */
export function get(path = '/', fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}
