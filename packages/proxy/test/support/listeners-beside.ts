import type { JsonObject } from '../../src/runtime-config/wire/schema.ts';
import { ProxyHarness } from './proxy-harness.ts';
import { staticConfig } from './static-config.ts';
import { StockEnvoy } from './stock-envoy.ts';

/** The same listeners (on port 0) and clusters in Envoy and in ours, side by side. */
export class ListenersBeside {
  readonly harness: ProxyHarness;
  readonly envoy: StockEnvoy;

  private constructor(harness: ProxyHarness, envoy: StockEnvoy) {
    this.harness = harness;
    this.envoy = envoy;
  }

  /** @param options.bootstrap more of Envoy's; `options.harness` is closed with both. */
  static async start(
    listeners: readonly JsonObject[],
    clusters: readonly JsonObject[],
    options: { readonly bootstrap?: JsonObject; readonly harness?: ProxyHarness } = {},
  ): Promise<ListenersBeside> {
    const { harness = new ProxyHarness(), bootstrap = {} } = options;
    await harness.apply(staticConfig({ listeners, clusters }));
    try {
      const resources = { static_resources: { listeners: [...listeners], clusters: [...clusters] } };
      return new ListenersBeside(harness, await StockEnvoy.start({ ...resources, ...bootstrap }));
    } catch (error) {
      await harness.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.envoy.stop();
    await this.harness.close();
  }
}
