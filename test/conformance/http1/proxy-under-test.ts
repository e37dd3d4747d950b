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
} from '../../../packages/proxy/test/support/configs.ts';
import { ProxyHarness } from '../../../packages/proxy/test/support/proxy-harness.ts';
import { type OriginConnection, RawOrigin } from '../../../packages/proxy/test/support/raw-peer.ts';

/** The proxy with one route to one origin that records raw bytes. */
export interface ProxyUnderTest {
  readonly port: number;
  readonly origin: RawOrigin;
  readonly proxy: ProxyHarness;
  close(): Promise<void>;
}

export async function startProxyUnderTest(
  onData: (connection: OriginConnection) => void,
  options: { readonly acceptHttp10?: boolean; readonly upgrades?: readonly string[] } = {},
): Promise<ProxyUnderTest> {
  const origin = await RawOrigin.start(onData);
  const proxy = new ProxyHarness();
  await proxy.apply(
    runtimeConfig({
      listeners: [
        listener([
          chain(
            httpManager({
              acceptHttp10: options.acceptHttp10 ?? true,
              upgrades: options.upgrades ?? [],
              delayedCloseTimeoutMs: 200,
            }),
          ),
        ]),
      ],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('origin'))])])],
      clusters: [cluster('origin', [endpoint(origin.port)])],
    }),
  );
  return {
    port: proxy.port(),
    origin,
    proxy,
    close: async () => {
      await proxy.close();
      await origin.close();
    },
  };
}
