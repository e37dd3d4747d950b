import { readFileSync } from 'node:fs';
import { childPids } from '@weft/testkit';
import type { Engine } from './start-sidecar.ts';

/**
 * The proxy process below a `weft run`.
 * @throws Error when there is none: the workload has ended.
 */
export function sidecarPid(weftRunPid: number, engine: Engine): number {
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
