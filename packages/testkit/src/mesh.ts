import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createTestApi, type TestApi } from './api-client.ts';
import { type Background, type Finished, type RunOptions, run, startBackground } from './child.ts';
import { eventually } from './eventually.ts';
import { findPeer } from './peer.ts';

const root = resolve(import.meta.dirname, '../../..');
const dist = join(root, 'dist');

/** The programs of a build, and services for tests. */
export const programs = {
  weft: join(dist, 'weft.js'),
  controlPlane: join(dist, 'control-plane.js'),
  echo: resolve(import.meta.dirname, '../programs/echo.ts'),
  httpFeatures: resolve(import.meta.dirname, '../programs/http-features.ts'),
  anyProtocol: resolve(import.meta.dirname, '../programs/any-protocol.ts'),
} as const;

/** As `weft up` starts it: how much memory it takes is measured with this. */
const controlPlaneFlags = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];

/** What a control plane wrote about itself. */
export interface ControlPlaneFacts {
  readonly processId: number;
  readonly endpoints: { readonly api: string; readonly xds: string; readonly join: string; readonly page: string };
  readonly kubeconfig: string;
  readonly pageLogin: string;
}

export interface MeshOptions {
  /** Life of workload certificates, seconds. Default: the product's. */
  readonly certificateTtlSeconds?: number;
}

/** A workload that `weft run` brought into the mesh. */
export interface TestWorkload {
  readonly process: Background;
  /** Name of its WorkloadEntry and Proxy. */
  readonly name: string;
  /** Ports on loopback of its sidecar. */
  readonly httpProxyPort: number;
  readonly adminPort: number;
  /** Where the command listens; undefined for one that only calls others. */
  readonly appPort: number | undefined;
}

/** A control plane of the built product in a state folder of its own, on free ports. */
export interface TestMesh {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  facts(): ControlPlaneFacts;
  /** The resource API as its administrator; closed with the mesh. */
  api(): TestApi;
  /** Real kubectl. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<Finished>;
  weft(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** `weft run …` in the background; resolves when its sidecar is ready and the command starts. */
  runWorkload(
    args: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>> },
  ): Promise<TestWorkload>;
  /** `kill -9`. */
  killControlPlane(): Promise<void>;
  /** On the same ports and state. @param flags more of `weft up`'s. */
  startControlPlane(flags?: readonly string[]): Promise<void>;
  /** Ends everything that was started, workloads first, and removes the state folder. */
  stop(): Promise<void>;
}

/** Starts a mesh. @throws Error with the log of the control plane when it does not come up. */
export async function startMesh(options: MeshOptions = {}): Promise<TestMesh> {
  const home = mkdtempSync(join(tmpdir(), 'weft-mesh-'));
  const env = { WEFT_HOME: home, KUBECONFIG: join(home, 'kubeconfig'), NO_COLOR: '1' };
  const workloads: Background[] = [];
  let api: TestApi | undefined;
  let controlPlane: Background | undefined;
  let ports: readonly string[] = ['--api-port', '0', '--xds-port', '0', '--join-port', '0', '--page-port', '0'];
  const facts = (): ControlPlaneFacts =>
    JSON.parse(readFileSync(join(home, 'control-plane.json'), 'utf8')) as ControlPlaneFacts;

  const startControlPlane = async (flags: readonly string[] = []): Promise<void> => {
    const ttl = options.certificateTtlSeconds;
    const started = startBackground(
      process.execPath,
      [
        ...controlPlaneFlags,
        programs.controlPlane,
        '--home',
        home,
        ...ports,
        ...flags,
        ...(ttl === undefined ? [] : ['--certificate-ttl', `${ttl}s`]),
      ],
      { env },
    );
    controlPlane = started;
    await eventually(() => started.child.exitCode !== null || facts().processId === started.pid, {
      what: 'the control plane comes up',
      timeoutMs: 30_000,
    });
    if (started.child.exitCode !== null) {
      throw new Error(`the control plane ended with ${started.child.exitCode}:\n${started.output()}`);
    }
    const { endpoints } = facts();
    const portOf = (address: string): string => address.slice(address.lastIndexOf(':') + 1);
    ports = [
      ...['--api-port', portOf(endpoints.api), '--xds-port', portOf(endpoints.xds)],
      ...['--join-port', portOf(endpoints.join), '--page-port', portOf(endpoints.page)],
    ];
  };

  const mesh: TestMesh = {
    home,
    env,
    facts,
    api() {
      api ??= createTestApi(join(home, 'kubeconfig'));
      return api;
    },
    kubectl: (args, runOptions) =>
      run(findPeer('kubectl') ?? 'kubectl', args, { ...runOptions, env: { ...env, ...runOptions?.env } }),
    weft: (args, runOptions) =>
      run(process.execPath, [programs.weft, ...args], { ...runOptions, env: { ...env, ...runOptions?.env } }),
    async runWorkload(args, runOptions) {
      const workload = startBackground(process.execPath, [programs.weft, 'run', ...args], {
        env: { ...env, ...runOptions?.env },
      });
      workloads.push(workload);
      const joined =
        /\/(\S+) joined: (?:sidecar \w+, http_proxy (\d+)|no proxy, \S+ .*?), admin (\d+)(?:, the command listens on (\d+))?/;
      await eventually(() => workload.child.exitCode !== null || joined.test(workload.output()), {
        what: `weft run ${args.join(' ')} joins the mesh`,
        timeoutMs: 30_000,
      }).catch((error: Error) => {
        throw new Error(`${error.message}; it printed:\n${workload.output()}`);
      });
      const [, name, httpProxyPort, adminPort, appPort] = joined.exec(workload.output()) ?? [];
      if (name === undefined) {
        throw new Error(`weft run ${args.join(' ')} ended with ${workload.child.exitCode}:\n${workload.output()}`);
      }
      return {
        process: workload,
        name,
        httpProxyPort: Number(httpProxyPort),
        adminPort: Number(adminPort),
        appPort: appPort === undefined ? undefined : Number(appPort),
      };
    },
    async killControlPlane() {
      await controlPlane?.stop('SIGKILL');
    },
    startControlPlane,
    async stop() {
      api?.close();
      await Promise.all(workloads.map((workload) => workload.stop()));
      await controlPlane?.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
  try {
    await startControlPlane();
  } catch (error) {
    await mesh.stop();
    throw error;
  }
  return mesh;
}
