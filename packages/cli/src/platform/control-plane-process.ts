import { existsSync, mkdirSync, openSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlaneFile } from '@weft/admin-api';
import { type Clock, type ErrorCode, errorCodes, MeshError } from '@weft/base';
import { openMeshApi, readControlPlaneFile } from '../api/mesh-api.ts';
import { lastLines, readableLogLine } from './capped-log.ts';
import { ChildProgram, exitCodeOf } from './child-program.ts';
import type { OrphanGuard } from './orphan-guard.ts';
import type { ProgramPaths } from './program-paths.ts';
import type { StateFolder } from './state-folder.ts';

/** What a user may set for the control plane on the command line; undefined: its default. */
export interface ControlPlaneFlags {
  readonly apiPort?: number | undefined;
  readonly xdsPort?: number | undefined;
  readonly joinPort?: number | undefined;
  readonly pagePort?: number | undefined;
  readonly trustDomain?: string | undefined;
  /** `istio` or `envoy`. */
  readonly defaults?: string | undefined;
  readonly pathNormalization?: string | undefined;
  /** Life of workload certificates: `24h`, `90s`. */
  readonly certificateTtl?: string | undefined;
}

/** A young generation of 4 MB keeps the process about 40 MB smaller under changes (183 MB to 140 MB after 400 of them). */
const nodeFlags = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];
const readyTimeoutMs = 30_000;
const pollMs = 50;
/** The control plane needs this long at most to end its streams and close its store. */
const stopTimeoutMs = 15_000;

export function controlPlaneLog(state: StateFolder): string {
  return join(state.logs, 'control-plane.log');
}

function controlPlaneArgs(flags: ControlPlaneFlags): string[] {
  const pairs: readonly [string, string | number | undefined][] = [
    ['--api-port', flags.apiPort],
    ['--xds-port', flags.xdsPort],
    ['--join-port', flags.joinPort],
    ['--page-port', flags.pagePort],
    ['--trust-domain', flags.trustDomain],
    ['--defaults', flags.defaults],
    ['--path-normalization', flags.pathNormalization],
    ['--certificate-ttl', flags.certificateTtl],
  ];
  return pairs.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
}

/** Whether a process with this id exists (and is ours to signal). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The control plane of this state folder, if one runs and answers. */
export async function findRunning(
  state: StateFolder,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ControlPlaneFile | undefined> {
  const file = readControlPlaneFile(state);
  if (file === undefined || !isAlive(file.processId)) {
    return undefined;
  }
  const api = openMeshApi({ kubeconfig: file.kubeconfig }, env, state);
  try {
    const version = await api.version(3_000);
    return version.processId === file.processId ? file : undefined;
  } catch {
    // The process id may belong to another program by now.
    return undefined;
  } finally {
    api.close();
  }
}

/**
 * Starts the control plane in a process group of its own and waits until it answers.
 * @param guard absent: it goes on when we end.
 * @throws MeshError with the control plane's own reason when it ends, `TIMEOUT` when it does not answer in time.
 */
export async function startControlPlane(options: {
  readonly paths: ProgramPaths;
  readonly state: StateFolder;
  readonly flags: ControlPlaneFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly guard?: OrphanGuard;
}): Promise<{ readonly child: ChildProgram; readonly file: ControlPlaneFile }> {
  const { paths, state, clock, env } = options;
  const log = controlPlaneLog(state);
  createStateFolder(state);
  const child = await ChildProgram.start('control plane', {
    file: process.execPath,
    args: [
      ...nodeFlags,
      paths.controlPlane,
      ...controlPlaneArgs(options.flags),
      ...(paths.dashboard === undefined ? [] : ['--page-folder', paths.dashboard]),
    ],
    env: { ...env, WEFT_HOME: state.path },
    output: openSync(log, 'a', 0o600),
    ...(options.guard === undefined ? {} : { guard: options.guard }),
  });
  const deadline = clock.monotonicMs() + readyTimeoutMs;
  for (;;) {
    if (child.end !== undefined) {
      throw controlPlaneEnded(log, exitCodeOf(child.end));
    }
    const file = await findRunning(state, env);
    if (file !== undefined && file.processId === child.pid) {
      return { child, file };
    }
    if (clock.monotonicMs() > deadline) {
      await child.stop(clock, stopTimeoutMs);
      throw new MeshError('TIMEOUT', `the control plane did not answer within ${readyTimeoutMs / 1000} s`, {
        details: { where: log },
      });
    }
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, pollMs));
  }
}

/** Stops a control plane that another `weft` started; returns whether it was stopped politely. */
export async function stopProcess(pid: number, clock: Clock, timeoutMs = stopTimeoutMs): Promise<boolean> {
  const deadline = clock.monotonicMs() + timeoutMs;
  trySignal(pid, 'SIGTERM');
  while (isAlive(pid)) {
    if (clock.monotonicMs() > deadline) {
      trySignal(pid, 'SIGKILL');
      return false;
    }
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, pollMs));
  }
  return true;
}

/** Below this nothing is started: the store, the logs and the files of the proxies would fail one after the other. */
const minFreeBytes = 32 * 1024 * 1024;

/**
 * Makes the private folder of the mesh.
 * @throws MeshError `DISK_FULL`, `PERMISSION_DENIED`, or `BAD_CONFIGURATION` when something else stands in its place.
 */
export function createStateFolder(state: StateFolder): void {
  try {
    mkdirSync(state.path, { recursive: true, mode: 0o700 });
    mkdirSync(state.logs, { recursive: true, mode: 0o700 });
  } catch (error) {
    const cause = MeshError.from(error);
    const code = cause.code === 'INTERNAL' ? 'BAD_CONFIGURATION' : cause.code;
    throw new MeshError(code, `the state folder cannot be made: ${cause.message}`, {
      cause: error,
      details: { where: state.path },
      hint: cause.code === 'DISK_FULL' ? cause.hint : 'Set WEFT_HOME to a folder that you may write in.',
    });
  }
  const { bavail, bsize } = statfsSync(state.path);
  if (bavail * bsize < minFreeBytes) {
    throw new MeshError(
      'DISK_FULL',
      `only ${Math.floor((bavail * bsize) / 1_048_576)} MiB are free on the disk of the state folder`,
      {
        details: { where: state.path },
      },
    );
  }
}

function trySignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone.
  }
}

/** The log's last error says why, with its code and hint. */
function controlPlaneEnded(log: string, code: number): MeshError {
  const lines = existsSync(log) ? lastLines(log, 20) : [];
  for (const line of lines.toReversed()) {
    try {
      const entry = JSON.parse(line) as { level?: string; error?: { code?: string; message?: string; hint?: string } };
      if (entry.level === 'error' && entry.error?.message !== undefined) {
        const error = MeshError.from(entry.error);
        return new MeshError(knownCode(entry.error.code) ?? error.code, entry.error.message, {
          details: { where: log },
          ...(entry.error.hint === undefined ? {} : { hint: entry.error.hint }),
        });
      }
    } catch {
      // Not one of our lines.
    }
  }
  const said = lines.slice(-3).map(readableLogLine).join('\n');
  return new MeshError(
    'CHILD_FAILED',
    `the control plane ended with code ${code}${said === '' ? '' : `; it said last:\n${said}`}`,
    {
      details: { where: log },
    },
  );
}

function knownCode(text: string | undefined): ErrorCode | undefined {
  return errorCodes.find((code) => code === text);
}
