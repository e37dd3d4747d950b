import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Background, eventually, findPeer, startBackground } from '@weft/testkit';
import type { JsonObject } from '../../src/runtime-config/wire/schema.ts';

interface ListenerStatus {
  readonly name: string;
  readonly local_address: { readonly socket_address: { readonly port_value: number } };
}

/** Stock Envoy (one worker) without a control plane, in a folder of its own. Its listeners may be on port 0. */
export class StockEnvoy {
  readonly #folder: string;
  readonly #process: Background;
  readonly #ports = new Map<string, number>();
  #admin = '';

  private constructor(folder: string, process: Background) {
    this.#folder = folder;
    this.#process = process;
  }

  /**
   * Resolves when it accepts connections at its listeners.
   * @param bootstrap in it the admin address is added; a function is given the folder, where Envoy may write.
   * @throws Error with what it printed when it does not come up.
   */
  static async start(
    bootstrap: JsonObject | ((folder: string) => JsonObject),
    flags: readonly string[] = [],
  ): Promise<StockEnvoy> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-envoy-'));
    const file = join(folder, 'envoy.json');
    const given = typeof bootstrap === 'function' ? bootstrap(folder) : bootstrap;
    const admin = { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } };
    await writeFile(file, JSON.stringify({ ...given, admin }));
    const process = startBackground(findPeer('envoy') ?? '', [
      ...['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart'],
      ...['--admin-address-path', join(folder, 'admin'), ...flags],
    ]);
    const envoy = new StockEnvoy(folder, process);
    const { listeners = [] } = given['static_resources'] as { readonly listeners?: readonly unknown[] };
    try {
      await eventually(() => process.child.exitCode !== null || envoy.#listens(listeners.length), {
        what: 'Envoy listens',
        timeoutMs: 30_000,
      });
      if (process.child.exitCode !== null) {
        throw new Error(`Envoy ended with ${process.child.exitCode}`);
      }
    } catch (error) {
      await envoy.stop();
      throw new Error(`Envoy does not come up: ${process.output().slice(0, 4000)}`, { cause: error });
    }
    return envoy;
  }

  async #listens(count: number): Promise<boolean> {
    this.#admin = await readFile(join(this.#folder, 'admin'), 'utf8');
    // It names ports from when it has bound them, but listens only when clusters are ready: with health checks, after the first.
    if (!(await this.admin('/stats?filter=^listener_manager.workers_started$')).includes(': 1')) {
      return false;
    }
    const { listener_statuses: statuses = [] } = JSON.parse(await this.admin('/listeners?format=json')) as {
      readonly listener_statuses?: readonly ListenerStatus[];
    };
    for (const { name, local_address: bound } of statuses) {
      this.#ports.set(name, bound.socket_address.port_value);
    }
    return this.#ports.size === count;
  }

  /** The port that a listener is bound to. */
  port(listener: string): number {
    const port = this.#ports.get(listener);
    if (port === undefined) {
      throw new Error(`Envoy has no listener ${listener}`);
    }
    return port;
  }

  /** What its admin address answers. */
  async admin(path: string): Promise<string> {
    return (await fetch(`http://${this.#admin}${path}`)).text();
  }

  /** A file that it writes in its folder; empty until it is there. */
  file(name: string, encoding: BufferEncoding = 'latin1'): Promise<string> {
    return readFile(join(this.#folder, name), encoding).catch(() => '');
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
