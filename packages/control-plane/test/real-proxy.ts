import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { type Background, eventually, freePort, startBackground } from '@weft/testkit';

const proxyMain = resolve(import.meta.dirname, '../../proxy/src/main.ts');

export interface RealProxyOptions {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly joinAddress: string;
  readonly xdsAddress: string;
  readonly trustBundle: string;
  readonly token: string;
  /** Kept from a run before: starts from what is there. */
  readonly stateDir?: string;
}

export interface RealProxy {
  readonly process: Background;
  readonly stateDir: string;
  readonly adminPort: number;
  /** Answers of its admin API. */
  admin(path: string): Promise<Response>;
}

/** Starts Weft's own proxy as a process of its own and waits until it is ready. */
export async function startRealProxy(t: TestContext, options: RealProxyOptions): Promise<RealProxy> {
  const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), 'weft-proxy-'));
  const adminPort = await freePort();
  const file = (name: string, text: string): string => {
    const path = join(stateDir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const bootstrap = file(
    'bootstrap.json',
    JSON.stringify({
      node: { id: `${options.namespace}/${options.name}`, cluster: options.name, metadata: {} },
      identity: {
        trustDomain: 'cluster.local',
        namespace: options.namespace,
        serviceAccount: options.serviceAccount,
        caAddress: options.joinAddress,
        renewAddress: options.xdsAddress,
        trustBundleFile: file('trust-bundle.pem', options.trustBundle),
        tokenFile: file('join-token', options.token),
      },
      xds: { address: options.xdsAddress },
      admin: { address: '127.0.0.1', port: adminPort },
      stateDir,
    }),
  );
  const started = startBackground(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    proxyMain,
    '--bootstrap',
    bootstrap,
  ]);
  t.after(async () => {
    await started.stop('SIGKILL');
    rmSync(stateDir, { recursive: true, force: true });
  });
  const admin = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${adminPort}${path}`);
  await eventually(
    async () => {
      if (started.child.exitCode !== null) {
        return true;
      }
      return (await admin('/ready')).status === 200;
    },
    { what: `proxy ${options.name} is ready; it printed:\n${started.output()}`, timeoutMs: 20_000 },
  );
  if (started.child.exitCode !== null) {
    throw new Error(`proxy ${options.name} ended:\n${started.output()}`);
  }
  return { process: started, stateDir, adminPort, admin };
}
