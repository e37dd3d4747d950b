import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Ends our children if we are killed without a chance to do so. A small shell holds the other end of a pipe: each line tells
 * it a process group that lives (`+ 4711`) or is gone (`- 4711`); when the pipe closes because we died, it ends the groups
 * that are left, politely first. A shell and not Node, because it takes 1 MB and not 45.
 */
const script = `
trap '' HUP INT TERM
groups=''
while read -r sign group; do
  case "$sign" in
    +) groups="$groups $group" ;;
    -) rest=''; for one in $groups; do [ "$one" = "$group" ] || rest="$rest $one"; done; groups="$rest" ;;
  esac
done
[ -n "$groups" ] || exit 0
for one in $groups; do kill -TERM "-$one" 2>/dev/null; done
tries=0
while [ $tries -lt 20 ]; do
  left=''
  for one in $groups; do kill -0 "-$one" 2>/dev/null && left="$left $one"; done
  [ -n "$left" ] || exit 0
  tries=$((tries + 1))
  sleep 0.1
done
for one in $left; do kill -KILL "-$one" 2>/dev/null; done
`;

/** See the file comment. */
export class OrphanGuard {
  readonly #shell: ChildProcess;
  readonly #pipe: Writable;

  constructor() {
    this.#shell = spawn('/bin/sh', ['-c', script, 'weft-orphan-guard'], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#shell.on('error', () => {});
    this.#shell.unref();
    this.#pipe = this.#shell.stdin as Writable;
    this.#pipe.on('error', () => {});
  }

  /** Process id of the shell, for tests. */
  get pid(): number | undefined {
    return this.#shell.pid;
  }

  /** @param group a process id that leads its own group (spawned `detached`). */
  add(group: number): void {
    this.#pipe.write(`+ ${group}\n`);
  }

  /** To be called when the group is gone: process ids are used again. */
  remove(group: number): void {
    this.#pipe.write(`- ${group}\n`);
  }

  /** Ends the shell; groups that are still known to it are ended as well. */
  close(): void {
    this.#pipe.end();
  }
}
