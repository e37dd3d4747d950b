import { readFileSync } from 'node:fs';
import { childPids, processStat } from '@weft/testkit';

/** Clock ticks a second of `/proc/<pid>/stat`: fixed at 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** What the kernel has accounted for processes and their children that still run, all threads. */
export interface ProcessCost {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** Resident memory, bytes. */
  readonly rssBytes: number;
}

/** @param pids first processes of trees (nginx and HAProxy work in children). */
export function processCost(...pids: readonly number[]): ProcessCost {
  let userSeconds = 0;
  let systemSeconds = 0;
  let rssBytes = 0;
  for (const member of pids.flatMap((pid) => [pid, ...childPids(pid)])) {
    const fields = processStat(member);
    userSeconds += Number(fields[11]) / ticksPerSecond;
    systemSeconds += Number(fields[12]) / ticksPerSecond;
    const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${member}/status`, 'utf8'));
    rssBytes += Number(rss?.[1] ?? 0) * 1024;
  }
  return { userSeconds, systemSeconds, rssBytes };
}
