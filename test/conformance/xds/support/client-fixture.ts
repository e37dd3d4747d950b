import { type Logger, silentLogger } from '@weft/base';
import { eventually, ManualClock } from '@weft/testkit';
import { createXdsClient, type ResourceType, type UpdateBatch, type XdsClient } from '@weft/xds-client';
import { type RuntimeConfig, RuntimeConfigAssembly, resourceTypes } from './proxy-resource-types.ts';
import { node } from './resources.ts';
import { ScriptedServer, type ServedStream } from './scripted-server.ts';
import type { Variant } from './session.ts';

export interface ClientFixtureOptions {
  readonly types?: readonly ResourceType[];
  readonly cacheFile?: string;
  readonly logger?: Logger;
  readonly fetchTimeoutMs?: number;
  /** Draws for the backoff. Default: always half of the bound. */
  readonly random?: () => number;
}

/** Our xDS client with the proxy's resource types, against a scripted server and with a clock that is turned by hand. */
export class ClientFixture implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly server: ScriptedServer;
  readonly batches: UpdateBatch[] = [];
  readonly client: XdsClient;
  readonly #assembly = new RuntimeConfigAssembly();

  private constructor(variant: Variant, server: ScriptedServer, options: ClientFixtureOptions) {
    this.server = server;
    this.client = createXdsClient({
      address: { host: '127.0.0.1', port: server.port },
      credentials: () => ({ kind: 'plaintext' }),
      node: node('n'),
      types: options.types ?? resourceTypes,
      cacheFile: options.cacheFile,
      clock: this.clock,
      logger: options.logger ?? silentLogger,
      variant,
      random: options.random ?? (() => 0.5),
      onUpdate: (batch) => {
        this.batches.push(batch);
        this.#assembly.update(batch.changes);
      },
      ...(options.fetchTimeoutMs === undefined ? {} : { fetchTimeoutMs: options.fetchTimeoutMs }),
    });
  }

  /** The client, connected, and its stream. */
  static async start(
    variant: Variant,
    options: ClientFixtureOptions = {},
  ): Promise<{ fixture: ClientFixture; stream: ServedStream } & AsyncDisposable> {
    const server = new ScriptedServer();
    await server.start();
    const fixture = new ClientFixture(variant, server, options);
    await fixture.client.start();
    const stream = await server.stream();
    return { fixture, stream, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() };
  }

  /** What the data plane runs on. */
  get config(): RuntimeConfig {
    return this.#assembly.config();
  }

  /** Turns the clock through the backoff until the client is back. */
  async reconnected(): Promise<ServedStream> {
    await eventually(() => !this.client.connected, { what: 'the client noticed the end', intervalMs: 2 });
    for (let attempt = 0; this.server.waitingStreams === 0; attempt += 1) {
      this.clock.advance(10_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (attempt > 500) {
        throw new Error('the client does not come back');
      }
    }
    return this.server.stream();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    this.server.stop();
  }
}
