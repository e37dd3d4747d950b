import type { TestContext } from 'node:test';
import type {
  ClusterConfig,
  ForwardAction,
  HttpConnectionManagerConfig,
  UpstreamHttpOptions,
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
import { clientTls, exactly, meshRoots, ownKeyPair, serverTls, spiffe, type TestCa } from './test-ca.ts';

export interface RouteOptions {
  readonly upstream: UpstreamHttpOptions['protocol'];
  readonly originPorts: readonly number[];
  readonly manager?: Partial<HttpConnectionManagerConfig>;
  readonly forward?: Partial<ForwardAction>;
  readonly cluster?: Partial<ClusterConfig>;
  readonly upstreamHttp?: Partial<UpstreamHttpOptions>;
}

function upstreamHttp(
  protocol: UpstreamHttpOptions['protocol'],
  overrides: Partial<UpstreamHttpOptions> = {},
): UpstreamHttpOptions {
  return { ...cluster('x', []).upstreamHttp, protocol, ...overrides };
}

/** One proxy before the given origins. */
export async function startProxy(t: TestContext, options: RouteOptions): Promise<ProxyHarness> {
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager({ delayedCloseTimeoutMs: 200, ...options.manager }))])],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('origin', options.forward))])])],
      clusters: [
        cluster(
          'origin',
          options.originPorts.map((port) => endpoint(port)),
          { upstreamHttp: upstreamHttp(options.upstream, options.upstreamHttp), ...options.cluster },
        ),
      ],
    }),
  );
  return harness;
}

/** A client sidecar and a server sidecar, with mutual TLS between them. */
export class SidecarPair {
  readonly client = new ProxyHarness();
  readonly server = new ProxyHarness();

  /** @param alpn what both sides offer and take, best first. */
  static async start(
    t: TestContext,
    ca: TestCa,
    alpn: readonly string[],
    options: RouteOptions & { readonly between?: UpstreamHttpOptions['protocol'] },
  ): Promise<SidecarPair> {
    const pair = new SidecarPair();
    t.after(() => Promise.all([pair.client.close(), pair.server.close()]));
    const { client, server } = pair;
    server.secrets.set(ownKeyPair, await ca.keyPair('catalog'));
    server.secrets.set(meshRoots, ca.roots);
    client.secrets.set(ownKeyPair, await ca.keyPair('storefront'));
    client.secrets.set(meshRoots, ca.roots);
    const routes = [routeTable('routes', [virtualHost([route(forwardTo('origin', options.forward))])])];
    await server.apply(
      runtimeConfig({
        listeners: [
          listener([chain(httpManager(options.manager), { downstreamTls: serverTls([], { alpn }) })], {
            direction: 'inbound',
          }),
        ],
        routes,
        clusters: [
          cluster(
            'origin',
            options.originPorts.map((port) => endpoint(port)),
            { upstreamHttp: upstreamHttp(options.upstream, options.upstreamHttp), ...options.cluster },
          ),
        ],
      }),
    );
    await client.apply(
      runtimeConfig({
        listeners: [listener([chain(httpManager(options.manager))])],
        routes,
        clusters: [
          cluster('origin', [endpoint(server.port())], {
            upstreamHttp: upstreamHttp(options.between ?? 'auto'),
            transportSocket: { kind: 'tls', tls: clientTls(exactly(spiffe('catalog')), { alpn }) },
          }),
        ],
      }),
    );
    return pair;
  }
}
