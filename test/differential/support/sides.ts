import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@weft/base';
import { type Background, eventually, findPeer, startBackground } from '@weft/testkit';
import { compileFormat } from '../../../packages/proxy/src/access-log/format.ts';
import { createDataPlane } from '../../../packages/proxy/src/create-data-plane.ts';
import type { DataPlane } from '../../../packages/proxy/src/data-plane.ts';
import { runtimeConfigFromStatic } from '../../../packages/proxy/src/runtime-config/static-resources.ts';
import type { JsonObject } from '../../../packages/proxy/src/runtime-config/wire/schema.ts';
import type { Configuration } from './configuration.ts';
import { listenerResource, logFields } from './resources.ts';

/** One of the two proxies, with all configurations of a run. */
export interface Side {
  /** First letter of its request ids. */
  readonly letter: 'e' | 'w';
  port(configuration: string): number;
  /** The log line of a request, once it is there. */
  log(id: string): Readonly<Record<string, string>> | undefined;
  /** Reads what was logged since. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export class EnvoySide implements Side {
  readonly letter = 'e';
  readonly #folder: string;
  readonly #process: Background;
  readonly #ports = new Map<string, number>();
  readonly #lines = new Map<string, Record<string, string>>();
  #read = 0;

  private constructor(folder: string, process: Background) {
    this.#folder = folder;
    this.#process = process;
  }

  static async start(configurations: readonly Configuration[], clusters: readonly JsonObject[]): Promise<EnvoySide> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-differential-'));
    const file = join(folder, 'envoy.json');
    const log = join(folder, 'access.log');
    await writeFile(
      file,
      JSON.stringify({
        node: { id: 'n', cluster: 'test' },
        admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
        static_resources: {
          listeners: configurations.map((configuration) => listenerResource(configuration, log)),
          clusters,
        },
      }),
    );
    const process = startBackground(findPeer('envoy') ?? 'envoy', [
      '-c',
      file,
      '--concurrency',
      '1',
      '-l',
      'error',
      '--disable-hot-restart',
      '--file-flush-interval-msec',
      '20',
      '--admin-address-path',
      join(folder, 'admin'),
    ]);
    const side = new EnvoySide(folder, process);
    try {
      await side.#ready(configurations);
    } catch (error) {
      await side.close();
      throw new Error(`Envoy does not take the configuration: ${process.output().slice(0, 4000)}`, { cause: error });
    }
    return side;
  }

  async #ready(configurations: readonly Configuration[]): Promise<void> {
    await eventually(
      async () => {
        if (this.#process.child.exitCode !== null) {
          return true;
        }
        const admin = await readFile(join(this.#folder, 'admin'), 'utf8');
        const text = await (await fetch(`http://${admin}/listeners?format=json`)).text();
        const { listener_statuses: statuses = [] } = JSON.parse(text) as {
          listener_statuses?: { name: string; local_address: { socket_address: { port_value: number } } }[];
        };
        for (const { name, local_address: bound } of statuses) {
          this.#ports.set(name, bound.socket_address.port_value);
        }
        return configurations.every(({ name }) => this.#ports.has(name));
      },
      { what: 'Envoy listens', timeoutMs: 20_000 },
    );
    if (this.#process.child.exitCode !== null) {
      throw new Error('it ended');
    }
  }

  port(configuration: string): number {
    return this.#ports.get(configuration) ?? 0;
  }

  log(id: string): Readonly<Record<string, string>> | undefined {
    return this.#lines.get(id);
  }

  async refresh(): Promise<void> {
    const text = await readFile(join(this.#folder, 'access.log'), 'utf8').catch(() => '');
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
    await this.#process.stop('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
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
