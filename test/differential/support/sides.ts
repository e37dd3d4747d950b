import { join } from 'node:path';
import { silentLogger, systemClock } from '@weft/base';
import { compileFormat } from '../../../packages/proxy/src/access-log/format.ts';
import { createDataPlane } from '../../../packages/proxy/src/create-data-plane.ts';
import type { DataPlane } from '../../../packages/proxy/src/data-plane.ts';
import { runtimeConfigFromStatic } from '../../../packages/proxy/src/runtime-config/static-resources.ts';
import type { JsonObject } from '../../../packages/proxy/src/runtime-config/wire/schema.ts';
import { StockEnvoy } from '../../../packages/proxy/test/support/stock-envoy.ts';
import type { Configuration } from './configuration.ts';
import { listenerResource, logFields } from './resources.ts';

const accessLog = 'access.log';

/** One of the two proxies, with all configurations of a run. */
export interface Side {
  /** First letter of its request ids. */
  readonly letter: 'e' | 'w';
  port(configuration: string): number;
  /** A further field that says the id of a request, where the log has no other. */
  readonly agentField?: string;
  /** The log line of a request, once it is there. */
  log(id: string): Readonly<Record<string, string>> | undefined;
  /** Reads what was logged since. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export class EnvoySide implements Side {
  readonly letter = 'e';
  readonly #envoy: StockEnvoy;
  readonly #lines = new Map<string, Record<string, string>>();
  #read = 0;

  private constructor(envoy: StockEnvoy) {
    this.#envoy = envoy;
  }

  static async start(configurations: readonly Configuration[], clusters: readonly JsonObject[]): Promise<EnvoySide> {
    const envoy = await StockEnvoy.start(
      (folder) => ({
        node: { id: 'n', cluster: 'test' },
        static_resources: {
          listeners: configurations.map((configuration) => listenerResource(configuration, join(folder, accessLog))),
          clusters,
        },
      }),
      ['--file-flush-interval-msec', '20'],
    );
    return new EnvoySide(envoy);
  }

  port(configuration: string): number {
    return this.#envoy.port(configuration);
  }

  log(id: string): Readonly<Record<string, string>> | undefined {
    return this.#lines.get(id);
  }

  async refresh(): Promise<void> {
    const text = await this.#envoy.file(accessLog, 'utf8');
    const end = text.lastIndexOf('\n') + 1;
    for (const line of text.slice(this.#read, end).split('\n')) {
      if (line !== '') {
        const fields = Object.fromEntries(
          Object.entries(JSON.parse(line) as Record<string, unknown>).map(([name, value]) => [
            name,
            String(value ?? '-'),
          ]),
        );
        this.#lines.set(fields['id'] ?? '', fields);
      }
    }
    this.#read = end;
  }

  async close(): Promise<void> {
    await this.#envoy.stop();
  }
}

export class WeftSide implements Side {
  readonly letter = 'w';
  readonly #dataPlane: DataPlane;
  readonly #lines: ReadonlyMap<string, Record<string, string>>;

  private constructor(dataPlane: DataPlane, lines: ReadonlyMap<string, Record<string, string>>) {
    this.#dataPlane = dataPlane;
    this.#lines = lines;
  }

  static async start(configurations: readonly Configuration[], clusters: readonly JsonObject[]): Promise<WeftSide> {
    const result = runtimeConfigFromStatic({
      listeners: configurations.map((configuration) => listenerResource(configuration, undefined)),
      clusters,
      routes: [],
      endpoints: [],
      secrets: [],
    });
    if (!('ok' in result)) {
      throw new Error(`refused by our proxy:\n${result.problems.join('\n')}`);
    }
    const formats = Object.entries(logFields).map(([name, text]) => {
      const format = compileFormat(text);
      if (typeof format === 'string') {
        throw new Error(format);
      }
      return [name, format] as const;
    });
    const lines = new Map<string, Record<string, string>>();
    const dataPlane = createDataPlane({
      clock: systemClock,
      logger: silentLogger,
      random: Math.random,
      secrets: { get: () => undefined, subscribe: () => () => {} },
      onStreamEnd: (info) => {
        const line = Object.fromEntries(formats.map(([name, format]) => [name, format.http(info)]));
        lines.set(line['id'] ?? '', line);
      },
      onTcpStart: () => {},
      onTcpEnd: () => {},
      requestVirtualHost: () => Promise.resolve('answered'),
    });
    const { failedListeners } = await dataPlane.apply(result.ok);
    if (failedListeners.length > 0) {
      throw new Error(JSON.stringify(failedListeners));
    }
    return new WeftSide(dataPlane, lines);
  }

  port(configuration: string): number {
    return this.#dataPlane.listeners().find(({ name }) => name === configuration)?.port ?? 0;
  }

  log(id: string): Readonly<Record<string, string>> | undefined {
    return this.#lines.get(id);
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#dataPlane.close();
  }
}
