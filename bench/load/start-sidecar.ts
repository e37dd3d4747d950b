/** Our proxy and Envoy as processes of their own with a static configuration, each bound to one core. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findPeer, freePort } from '@weft/testkit';
import { proxyCore, type Running, startPinned } from './running.ts';
import { type SidecarConfig, withSecretSource } from './sidecar-config.ts';

/** A proxy that is measured as a sidecar. */
export type Engine = 'weft' | 'envoy';

/** Node's flags of `weft run` (packages/cli/src/workload/sidecar.ts). `node-flags.test.ts` holds them together. */
export const sidecarNodeFlags: readonly string[] = [
  '--max-semi-space-size=2',
  '--single-threaded-gc',
  '--v8-pool-size=1',
  '--no-maglev',
  '--disable-warning=ExperimentalWarning',
];

/** The built proxy. */
export const proxyProgram = resolve(import.meta.dirname, '../../dist/proxy.js');

/** A sidecar and the port of its admin API. */
export interface RunningSidecar extends Running {
  readonly adminPort: number;
}

let counter = 0;

/**
 * @param options.nodeFlags added to those of `weft run`; for Weft only.
 * @throws Error with what the proxy printed when it refuses the configuration.
 */
export async function startSidecar(
  engine: Engine,
  config: SidecarConfig,
  options: {
    readonly folder: string;
    /** Port that shows that it serves: one of its listeners. */
    readonly port: number;
    readonly core?: number;
    readonly nodeFlags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<RunningSidecar> {
  counter += 1;
  const home = join(options.folder, `${engine}-${counter}`);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file = join(home, 'bootstrap.json');
  const adminPort = await freePort();
  const node = {
    id: `default/bench-${counter}`,
    cluster: 'bench.default',
    metadata: { NAME: `bench-${counter}`, NAMESPACE: 'default', SERVICE_ACCOUNT: 'bench', LABELS: { app: 'bench' } },
  };
  const common = {
    port: options.port,
    core: options.core ?? proxyCore,
    ready: () => isReady(adminPort),
    ...(options.env === undefined ? {} : { env: options.env }),
  };
  if (engine === 'weft') {
    const { listeners, clusters, secrets } = withSecretSource(config, { ads: {}, resourceApiVersion: 2 });
    const bootstrap = {
      node,
      stateDir: home,
      admin: { address: '127.0.0.1', port: adminPort },
      static: { listeners, clusters, routes: [], endpoints: [], secrets },
    };
    writeFileSync(file, JSON.stringify(bootstrap), { mode: 0o600 });
    const flags = [...sidecarNodeFlags, ...(options.nodeFlags ?? [])];
    const running = await startPinned('weft', process.execPath, [...flags, proxyProgram, '--bootstrap', file], common);
    return { ...running, adminPort };
  }
  const { listeners, clusters, secrets } = withSecretSource(config, undefined);
  const bootstrap = {
    node,
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } },
    static_resources: { listeners, clusters, secrets },
  };
  writeFileSync(file, JSON.stringify(bootstrap), { mode: 0o600 });
  const args = ['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart'];
  const running = await startPinned('envoy', findPeer('envoy') ?? 'envoy', args, common);
  return { ...running, adminPort };
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/ready`)).status === 200;
  } catch {
    return false;
  }
}
