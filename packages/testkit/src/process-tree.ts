import { readdirSync, readFileSync } from 'node:fs';

/** Fields of `/proc/<pid>/stat` behind the command: state, parent, … @throws when the process is gone. */
export function processStat(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** All descendants of a process that live now, without itself. Linux only. */
export function childPids(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) {
      try {
        parents.set(Number(name), Number(processStat(Number(name))[1]));
      } catch {
        // The process ended while we looked.
      }
    }
  }
  const found: number[] = [];
  const pending = [pid];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const [child, of] of parents) {
      if (of === parent) {
        found.push(child);
        pending.push(child);
      }
    }
  }
  return found;
}

/** Whether a process lives: it exists and is no zombie. */
export function isRunning(pid: number): boolean {
  try {
    return processStat(pid)[0] !== 'Z';
  } catch {
    return false;
  }
}
