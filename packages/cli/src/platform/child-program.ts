import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { type Clock, MeshError } from '@weft/base';
import type { OrphanGuard } from './orphan-guard.ts';

/** How a child ended: its exit code, or the signal that ended it. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What to start. */
export interface ChildOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** `inherit`: our own terminal; `pipe`: lines are read by us; a number: an open file. */
  readonly output: 'inherit' | 'pipe' | 'ignore' | number;
  readonly input?: 'inherit' | 'ignore';
  /** Learns of the child's process group, so that it does not outlive us. */
  readonly guard?: OrphanGuard;
}

/** A program we started, in a process group of its own: a Ctrl-C on the terminal reaches us first, and we stop things in order. */
export class ChildProgram {
  readonly #process: ChildProcess;
  readonly #name: string;
  /** Resolves when the process is gone; never rejects. */
  readonly ended: Promise<ChildEnd>;
  #end: ChildEnd | undefined;

  private constructor(name: string, process: ChildProcess, guard: OrphanGuard | undefined) {
    this.#name = name;
    this.#process = process;
    const pid = process.pid;
    this.ended = new Promise((resolve) => {
      process.once('exit', (code, signal) => {
        this.#end = { code, signal };
        if (pid !== undefined) {
          // What the program itself left behind in its group goes with it.
          signalGroup(pid, 'SIGTERM');
          guard?.remove(pid);
        }
        resolve(this.#end);
      });
    });
  }

  /** @throws MeshError `NOT_FOUND` or `PERMISSION_DENIED` when the program cannot be started. */
  static async start(name: string, options: ChildOptions): Promise<ChildProgram> {
    const process = spawn(options.file, options.args, {
      cwd: options.cwd,
      env: definedOnly(options.env),
      detached: true,
      stdio: [options.input ?? 'ignore', options.output, options.output],
    });
    const child = new ChildProgram(name, process, options.guard);
    await new Promise<void>((resolve, reject) => {
      process.once('spawn', resolve);
      process.once('error', (error) => reject(cannotStart(options, error)));
    });
    process.on('error', () => {});
    if (process.pid !== undefined) {
      options.guard?.add(process.pid);
    }
    return child;
  }

  get name(): string {
    return this.#name;
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** undefined while it runs. */
  get end(): ChildEnd | undefined {
    return this.#end;
  }

  get stdout(): Readable | null {
    return this.#process.stdout;
  }

  get stderr(): Readable | null {
    return this.#process.stderr;
  }

  /** Signals the whole process group. */
  signal(signal: NodeJS.Signals): void {
    if (this.#end === undefined && this.#process.pid !== undefined) {
      signalGroup(this.#process.pid, signal);
    }
  }

  /** Asks politely, waits at most `graceMs`, then kills. */
  async stop(clock: Clock, graceMs: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<ChildEnd> {
    if (this.#end !== undefined) {
      return this.#end;
    }
    this.signal(signal);
    const timer = clock.setTimeout(() => this.signal('SIGKILL'), graceMs);
    const end = await this.ended;
    timer.cancel();
    return end;
  }

  /** Lets us end while the child goes on. */
  unref(): void {
    this.#process.unref();
  }
}

/** `128 + signal` for a program that a signal ended, as shells do. */
export function exitCodeOf(end: ChildEnd): number {
  return end.code ?? 128 + (end.signal === null ? 0 : (constants.signals[end.signal] ?? 0));
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // The group is gone already, which is what a signal is for.
  }
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

function cannotStart(options: ChildOptions, error: NodeJS.ErrnoException): MeshError {
  const code = MeshError.from(error).code;
  return new MeshError(
    code,
    `${options.file} cannot be started: ${error.code === 'ENOENT' ? 'there is no such program' : error.message}`,
    {
      cause: error,
      hint:
        error.code === 'ENOENT'
          ? 'Check the spelling, or give the full path; arguments go after the program, not inside its quotes.'
          : 'Check that the file may be executed.',
    },
  );
}
