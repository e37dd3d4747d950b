import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

/** A finished program. */
export interface Finished {
  /** Exit code, or 128 + signal number as a shell says it; -1 when it could not be started. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Make it the leader of a process group of its own, so that a signal can be sent to all of it, as a terminal does. */
  readonly detached?: boolean;
  /** Written to standard input, which is then closed. */
  readonly input?: string;
  /** Default 60,000. The program is killed after it. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Never throws: a program that cannot be started is code -1 with the reason in `stderr`. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env: { ...process.env, ...options.env }, cwd: options.cwd });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const timer = setTimeout(() => {
      stderr += `\n(killed after ${options.timeoutMs ?? 60_000} ms)`;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 60_000);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: -1, stdout, stderr: `${stderr}${error.message}` });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : signal === 'SIGINT' ? 130 : 143), stdout, stderr });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** A program that goes on running; what it prints is kept, for messages of failed tests. */
export interface Background {
  readonly child: ChildProcessWithoutNullStreams;
  readonly pid: number;
  /** All output so far, both streams in order of arrival. */
  output(): string;
  /** Resolves when the program has ended and its streams are closed. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Sends `signal` (default SIGTERM) and waits for the end; SIGKILL after `graceMs` (default 15,000). */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

/** Starts a program that the test stops itself. */
export function startBackground(
  file: string,
  args: readonly string[],
  options: Omit<RunOptions, 'timeoutMs' | 'input'> = {},
): Background {
  const child = spawn(file, args, {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    detached: options.detached === true,
  });
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-200_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
    child.on('error', (error) => {
      text += error.message;
      resolve({ code: -1, signal: null });
    });
  });
  return {
    child,
    pid: child.pid ?? -1,
    output: () => text,
    ended,
    async stop(signal = 'SIGTERM', graceMs = 15_000) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
        await ended;
        clearTimeout(timer);
      }
    },
  };
}
