import { readFileSync } from 'node:fs';
import { childPids, processStat } from '@weft/testkit';

/** Clock ticks a second of `/proc/<pid>/stat`: fixed at 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** What the kernel has accounted for a process and its children that still run. */
export interface ProcessCost {
  /** User plus system time, seconds. */
  readonly cpuSeconds: number;
  /** Resident memory, bytes. */
  readonly rssBytes: number;
}

/** @param pid the first process of a tree (nginx and HAProxy work in children). */
export function processCost(pid: number): ProcessCost {
  let cpuSeconds = 0;
  let rssBytes = 0;
  for (const member of [pid, ...childPids(pid)]) {
    const fields = processStat(member);
    cpuSeconds += (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${member}/status`, 'utf8'));
    rssBytes += Number(rss?.[1] ?? 0) * 1024;
  }
  return { cpuSeconds, rssBytes };
}
