import { readdirSync, readFileSync } from 'node:fs';

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
  for (const member of processTree(pid)) {
    const stat = readFileSync(`/proc/${member}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    cpuSeconds += (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${member}/status`, 'utf8'));
    rssBytes += Number(rss?.[1] ?? 0) * 1024;
  }
  return { cpuSeconds, rssBytes };
}

/** `pid` and all its descendants. */
export function processTree(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
      } catch {
        // The process ended while we looked.
      }
    }
  }
  const tree = [pid];
  for (let i = 0; i < tree.length; i++) {
    for (const [child, parent] of parents) {
      if (parent === tree[i]) {
        tree.push(child);
      }
    }
  }
  return tree;
}
