import { type MeshApi, openMeshApi } from './api/mesh-api.ts';
import { type ProgramPaths, programPaths } from './platform/program-paths.ts';
import { type StateFolder, stateFolder } from './platform/state-folder.ts';
import type { Terminal } from './terminal/terminal.ts';

/** What every command gets. */
export interface Context {
  readonly terminal: Terminal;
  readonly state: StateFolder;
  readonly paths: ProgramPaths;
  readonly cwd: string;
  /** Version of this CLI. */
  readonly version: string;
  /** Set by commands that end with a code of their own (`run`, `diff`). */
  exitCode: number;
  /** Resolves at the first of these signals after it was called; a third one ends the process at once. Default SIGINT, SIGTERM, SIGHUP. */
  untilSignal(signals?: readonly NodeJS.Signals[]): Promise<NodeJS.Signals>;
  /** Calls `listener` at each of these signals, instead of what the system does by itself. */
  onSignal(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): void;
}

/** Flags that choose the API server, on every command that talks to one. */
export interface ApiFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

export function createContext(terminal: Terminal, version: string): Context {
  return {
    terminal,
    version,
    state: stateFolder(terminal.env),
    paths: programPaths(),
    cwd: process.cwd(),
    exitCode: 0,
    untilSignal: (signals = ['SIGINT', 'SIGTERM', 'SIGHUP']) =>
      new Promise((resolve) => {
        let seen = 0;
        onSignal(signals, (signal) => {
          seen += 1;
          if (seen === 1) {
            resolve(signal);
          } else if (seen === 2) {
            terminal.err('\nstill stopping; once more ends everything at once\n');
          } else {
            // The orphan guard ends what is left.
            process.exit(130);
          }
        });
      }),
    onSignal,
  };
}

function onSignal(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): void {
  for (const signal of signals) {
    process.on(signal, listener);
  }
}

/** Opens the API, hands it to `use` and closes it. */
export async function withApi<T>(context: Context, flags: ApiFlags, use: (api: MeshApi) => Promise<T>): Promise<T> {
  const api = openMeshApi(flags, context.terminal.env, context.state);
  try {
    return await use(api);
  } finally {
    api.close();
  }
}
