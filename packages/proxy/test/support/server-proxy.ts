import type { DownstreamTls } from '../../src/runtime-config/config.ts';
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
import { meshRoots, ownKeyPair, serverTls, type TestCa } from './test-ca.ts';

/** A proxy that is `catalog` of the mesh, ends TLS, and forwards everything to an origin. @param options.manager fields of its connection manager. */
export async function startServerProxy(
  ca: TestCa,
  originPort: number,
  options: {
    readonly harness?: ProxyHarness;
    readonly manager?: Parameters<typeof httpManager>[0];
    readonly downstreamTls?: DownstreamTls;
  } = {},
): Promise<ProxyHarness> {
  const { harness = new ProxyHarness(), manager, downstreamTls = serverTls() } = options;
  harness.secrets.set(ownKeyPair, await ca.keyPair('catalog'));
  harness.secrets.set(meshRoots, ca.roots);
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager(manager), { downstreamTls })], { direction: 'inbound' })],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('app'))])])],
      clusters: [cluster('app', [endpoint(originPort)])],
    }),
  );
  return harness;
}
