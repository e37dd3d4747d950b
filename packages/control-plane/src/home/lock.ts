import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { MeshError } from '@weft/base';

/** Who holds the state folder. */
interface Holder {
  readonly pid: number;
  /** When the process started, as the kernel counts it; tells a process from a later one with its number. */
  readonly processStart: string;
  /** RFC 3339. */
  readonly since: string;
}

/** Held until {@link release}, or until the process is no more. */
export interface Lock {
  release(): void;
}

/**
 * Takes the lock file of the state folder. A lock whose process is gone (`kill -9`) is taken over.
 * @throws MeshError `ALREADY_RUNNING`, saying who holds it since when.
 */
export function takeLock(path: string, now: Date): Lock {
  const own: Holder = { pid: process.pid, processStart: processStart(process.pid) ?? '', since: now.toISOString() };
  const content = `${JSON.stringify(own)}\n`;
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, content, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      if (tryLink(temporary, path)) {
        return { release: () => releaseLock(path, content) };
      }
      const found = readLock(path);
      if (found === undefined) {
        continue;
      }
      if (found.holder !== undefined && isAlive(found.holder)) {
        throw alreadyRunning(found.holder);
      }
      removeStale(path, found.content);
    }
  } finally {
    rmSync(temporary, { force: true });
  }
  throw new MeshError('ALREADY_RUNNING', `the lock ${path} cannot be taken: another control plane starts now`);
}

/** `link` is atomic, and the file has its whole content at once. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw MeshError.from(error);
  }
}

function readLock(path: string): { readonly content: string; readonly holder: Holder | undefined } | undefined {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const parsed: unknown = JSON.parse(content);
    const { pid, processStart: start, since } = parsed as Holder;
    return { content, holder: { pid: Number(pid), processStart: String(start), since: String(since) } };
  } catch {
    return { content, holder: undefined };
  }
}

/** Two processes may find the same stale lock: only what was looked at is removed, a newer lock is put back. */
function removeStale(path: string, content: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (readFileSync(aside, 'utf8') !== content) {
    tryLink(aside, path);
  }
  rmSync(aside, { force: true });
}

function releaseLock(path: string, content: string): void {
  if (readLock(path)?.content === content) {
    rmSync(path, { force: true });
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') {
      return false;
    }
  }
  const start = processStart(holder.pid);
  return start === undefined || holder.processStart === '' || start === holder.processStart;
}

/** Field 22 of /proc/<pid>/stat; undefined where there is no such file. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the name, may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function alreadyRunning(holder: Holder): MeshError {
  return new MeshError('ALREADY_RUNNING', `process ${holder.pid} runs this mesh since ${holder.since}`, {
    details: { pid: holder.pid, since: holder.since },
  });
}
