import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The files of one mesh on this machine. Everything in it is private to its owner (0700, files 0600). */
export interface StateFolder {
  readonly path: string;
  readonly kubeconfig: string;
  /** Written by the control plane when it listens. */
  readonly controlPlaneFile: string;
  readonly logs: string;
  /** Folder of one proxy. */
  workloadFolder(namespace: string, workload: string): string;
}

/** `WEFT_HOME`, or `~/.weft`. */
export function stateFolder(env: Readonly<Record<string, string | undefined>>): StateFolder {
  const wanted = env['WEFT_HOME'];
  const path = wanted === undefined || wanted === '' ? join(homedir(), '.weft') : resolve(wanted);
  return {
    path,
    kubeconfig: join(path, 'kubeconfig'),
    controlPlaneFile: join(path, 'control-plane.json'),
    logs: join(path, 'logs'),
    workloadFolder: (namespace, workload) => join(path, 'run', `${namespace}.${workload}`),
  };
}
