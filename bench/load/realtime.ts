import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { childPids } from '@weft/testkit';
import { runningPids } from './running.ts';

/**
 * Runs a measurement of latencies with proxies, upstream and load before everything else on the machine (`SCHED_FIFO`), where `WEFT_BENCH_REALTIME` is 1: on a
 * machine with other work a p99 says otherwise what the others did. Helper threads come behind the threads that serve. Needs `chrt` of util-linux, and root.
 * @throws Error when the priority cannot be had: a figure that others spoilt is not to pass for one that they did not.
 */
export async function undisturbed<T>(measure: () => Promise<T>): Promise<T> {
  if (process.env['WEFT_BENCH_REALTIME'] !== '1') {
    return await measure();
  }
  const pids = runningPids();
  const all = [process.pid, ...pids, ...pids.flatMap((pid) => childPids(pid))];
  try {
    for (const pid of all) {
      setPolicy(pid, (isMain) => ['--fifo', '--pid', isMain ? '2' : '1']);
    }
    return await measure();
  } finally {
    for (const pid of all) {
      setPolicy(pid, () => ['--other', '--pid', '0']);
    }
  }
}

function setPolicy(pid: number, args: (isMain: boolean) => readonly string[]): void {
  for (const thread of threadsOf(pid)) {
    const { status, stderr } = spawnSync('chrt', [...args(thread === String(pid)), thread], { encoding: 'utf8' });
    if (status !== 0 && existsSync(`/proc/${pid}/task/${thread}`)) {
      throw new Error(`chrt for process ${pid}: ${stderr}`);
    }
  }
}

/** None when the process has ended. */
function threadsOf(pid: number): readonly string[] {
  return existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
}
