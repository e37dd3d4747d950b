import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openMeshApi, readControlPlaneFile } from '../api/mesh-api.ts';
import type { Context } from '../context.ts';
import { findRunning, isAlive, stopProcess } from '../platform/control-plane-process.ts';
import type { StateFolder } from '../platform/state-folder.ts';
import { Progress } from '../terminal/progress.ts';

const demoStopMs = 30_000;

/** Where a running demo leaves its process id, so that `weft down` ends it as a whole. */
export function demoFile(state: StateFolder): string {
  return join(state.path, 'demo.json');
}

/** `weft down`: stops what runs on this state folder, in order; nothing running is fine. */
export async function down(context: Context): Promise<void> {
  const { terminal, state } = context;
  const progress = new Progress(terminal);
  const demo = readPid(demoFile(state));
  const running = await findRunning(state, terminal.env);
  if (demo !== undefined && isAlive(demo) && running !== undefined) {
    progress.start('stopping the demo');
    const polite = await stopProcess(demo, terminal.clock, demoStopMs);
    rmSync(demoFile(state), { force: true });
    progress.done(polite ? 'demo stopped' : 'demo ended by force');
  }
  const left = await findRunning(state, terminal.env);
  if (left === undefined) {
    const stale = readControlPlaneFile(state);
    if (stale !== undefined && !isAlive(stale.processId)) {
      rmSync(state.controlPlaneFile, { force: true });
    }
    if (running === undefined) {
      terminal.err('nothing runs here\n');
    }
    return;
  }
  const connected = await connectedProxies(context);
  progress.start('stopping the control plane');
  const polite = await stopProcess(left.processId, terminal.clock);
  progress.done(polite ? 'control plane stopped' : 'control plane ended by force');
  if (connected > 0) {
    terminal.err(
      connected === 1
        ? '1 workload goes on with the configuration that it has; end its `weft run` to stop it\n'
        : `${connected} workloads go on with the configuration that they have; end their \`weft run\` to stop them\n`,
    );
  }
}

async function connectedProxies(context: Context): Promise<number> {
  const api = openMeshApi({}, context.terminal.env, context.state);
  try {
    return (await api.proxies()).proxies.filter((proxy) => proxy.connected).length;
  } catch {
    return 0;
  } finally {
    api.close();
  }
}

function readPid(file: string): number | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as { processId?: unknown };
    return typeof value.processId === 'number' ? value.processId : undefined;
  } catch {
    return undefined;
  }
}
