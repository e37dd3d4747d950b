import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programs, startMesh } from '@weft/testkit';
import { quietly } from './quiet.ts';
import { proxyProgram, sidecarNodeFlags } from './start-sidecar.ts';
import { median } from './statistics.ts';

/** From starting our proxy's process to `/ready` answering 200, with certificate and configuration stored by an earlier run; milliseconds. */
export interface ProxyStartResult {
  readonly runs: number;
  readonly p50Ms: number;
  readonly maxMs: number;
  /** The same while the control plane is away. */
  readonly aloneP50Ms: number;
  readonly aloneMaxMs: number;
}

const timeoutMs = 20_000;

export async function benchProxyStart(options: {
  readonly runs: number;
  readonly say: (line: string) => void;
}): Promise<ProxyStartResult> {
  const mesh = await startMesh();
  try {
    await mesh.runWorkload(['--service', 'echo', '--', process.execPath, programs.echo]);
    const workload = await mesh.runWorkload(['--name', 'caller', '--upstream', 'echo', '--', 'sleep', '100000']);
    // The sidecar ends with `weft run`; its files and its objects in the control plane stay.
    await workload.process.stop('SIGKILL');
    const bootstrap = join(mesh.home, 'run', `default.${workload.name}`, 'bootstrap.json');
    const { admin } = JSON.parse(readFileSync(bootstrap, 'utf8')) as { readonly admin: { readonly port: number } };
    const several = async (what: string): Promise<readonly number[]> => {
      const times: number[] = [];
      for (let run = 0; run < options.runs; run++) {
        times.push(await quietly(() => startOnce(bootstrap, admin.port)));
      }
      options.say(`${what}: ${times.map((time) => time.toFixed(0)).join(', ')} ms`);
      return times;
    };
    await startOnce(bootstrap, admin.port);
    const times = await several('start to ready');
    await mesh.killControlPlane();
    const alone = await several('without the control plane');
    return {
      runs: options.runs,
      p50Ms: median(times) ?? Number.NaN,
      maxMs: Math.max(...times),
      aloneP50Ms: median(alone) ?? Number.NaN,
      aloneMaxMs: Math.max(...alone),
    };
  } finally {
    await mesh.stop();
  }
}

async function startOnce(bootstrap: string, adminPort: number): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [...sidecarNodeFlags, proxyProgram, '--bootstrap', bootstrap], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-2_000);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    while (performance.now() - started < timeoutMs && child.exitCode === null) {
      if (await isReady(adminPort)) {
        return performance.now() - started;
      }
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    throw new Error(`the proxy does not become ready:\n${output}`);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/ready`);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
