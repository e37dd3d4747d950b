import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { findPeer, type PeerName } from '@weft/testkit';

/** A proxy or server that runs for a benchmark. */
export interface Running {
  readonly pid: number;
  readonly port: number;
  /** Ends the process and waits for its end. */
  stop(): Promise<void>;
}

/** The proxies have one core; load and upstream share the other, so that neither takes time from what is measured. */
export const proxyCore = 0;
export const loadCore = 1;

/** What runs now; it ends with this process, however that ends. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) {
    child.kill('SIGKILL');
  }
});

/**
 * Starts a program bound to one core and waits until `port` on loopback accepts connections.
 * @param options.ready asked instead of the port where given.
 * @throws Error with what the program printed when it ends or is not up after 20 s.
 */
export async function startPinned(
  name: string,
  command: string,
  args: readonly string[],
  options: {
    readonly port: number;
    readonly core: number;
    readonly env?: Readonly<Record<string, string>>;
    readonly ready?: () => Promise<boolean>;
  },
): Promise<Running> {
  const child = spawn('taskset', ['-c', String(options.core), command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  children.add(child);
  child.once('close', () => children.delete(child));
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-4_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  };
  const ready = options.ready ?? (() => accepts(options.port));
  for (let attempt = 0; attempt < 1_000; attempt++) {
    if (hasEnded(child)) {
      break;
    }
    if (await ready()) {
      return { pid: child.pid ?? 0, port: options.port, stop };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await stop();
  throw new Error(`${name} does not come up on port ${options.port}:\n${output}`);
}

/** Processes that were started here and run now. */
export function runningPids(): readonly number[] {
  return [...children].flatMap(({ pid }) => pid ?? []);
}

/** Runs a program on one core to its end. @throws Error with its output when it fails. */
export function runPinned(
  core: number,
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    child.once('close', () => children.delete(child));
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) {
        resolve(stdout);
      } else {
        reject(new Error(`${command} ended with ${code}:\n${stdout.slice(-1_000)}${stderr.slice(-2_000)}`));
      }
    });
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Where a program of the distribution is; its name where nothing is found, so that starting it says what is missing. */
export function programPath(name: PeerName): string {
  return findPeer(name) ?? name;
}
