import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { childPids } from '@weft/testkit';

/**
 * The proxy process below a `weft run`.
 * @throws Error when there is none: the workload has ended.
 */
export function sidecarPid(weftRunPid: number, engine: 'weft' | 'envoy'): number {
  for (const pid of childPids(weftRunPid)) {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const matches =
      engine === 'weft'
        ? command.some((part) => part.endsWith('/dist/proxy.js'))
        : /(^|\/)envoy$/.test(command[0] ?? '');
    if (matches) {
      return pid;
    }
  }
  throw new Error(`no ${engine} sidecar below process ${weftRunPid}`);
}

/** Binds all threads of a process to one core. */
export function pinToCore(pid: number, core: number): void {
  const result = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { encoding: 'utf8' });
  if (result.status !== 0) {
    throw new Error(`taskset: ${result.stderr}`);
  }
}
