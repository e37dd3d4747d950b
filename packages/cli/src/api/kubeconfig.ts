import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MeshError } from '@weft/base';
import { parse } from 'yaml';
import type { StateFolder } from '../platform/state-folder.ts';

/** How to reach one API server and how to prove who we are. PEM texts, not paths. */
export interface ApiAccess {
  /** `https://127.0.0.1:7443`, without a trailing slash. */
  readonly server: string;
  readonly caPem: string | undefined;
  readonly certificatePem: string | undefined;
  readonly keyPem: string | undefined;
  readonly token: string | undefined;
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
  /** Where this came from, for error messages. */
  readonly file: string;
}

interface KubeconfigFile {
  readonly 'current-context'?: string;
  readonly contexts?: readonly {
    readonly name: string;
    readonly context?: { readonly cluster?: string; readonly user?: string; readonly namespace?: string };
  }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster?: Readonly<Record<string, unknown>> }[];
  readonly users?: readonly { readonly name: string; readonly user?: Readonly<Record<string, unknown>> }[];
}

const maxFileBytes = 4 * 1024 * 1024;

/**
 * Finds the kubeconfig: `--kubeconfig`, else the one of the mesh in `WEFT_HOME`, else the first file of `KUBECONFIG`.
 * @throws MeshError `NOT_RUNNING` when there is none.
 */
export function findKubeconfig(
  options: { readonly kubeconfig?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
  state: StateFolder,
): string {
  if (options.kubeconfig !== undefined) {
    return resolve(options.kubeconfig);
  }
  if (existsSync(state.kubeconfig)) {
    return state.kubeconfig;
  }
  const fromEnv = (env['KUBECONFIG'] ?? '').split(':').find((file) => file !== '' && existsSync(file));
  if (fromEnv !== undefined) {
    return resolve(fromEnv);
  }
  throw new MeshError('NOT_RUNNING', `no mesh was started here: ${state.kubeconfig} does not exist`, {
    details: { where: state.path },
    hint: 'Start one with `weft up` or `npm start`, or set WEFT_HOME to its state folder (`npm start` uses .weft in the checkout).',
  });
}

/**
 * Reads the current context of a kubeconfig.
 * @throws MeshError `BAD_CONFIGURATION` that names the file and the field, `PERMISSION_DENIED` when it cannot be read.
 */
export function readKubeconfig(file: string, contextName?: string): ApiAccess {
  const text = readText(file);
  const bad = (message: string): MeshError =>
    new MeshError('BAD_CONFIGURATION', message, {
      details: { where: file },
      hint: 'Weft writes a good one to its state folder when it starts; --kubeconfig or KUBECONFIG choose another.',
    });
  let config: KubeconfigFile;
  try {
    config = (parse(text) ?? {}) as KubeconfigFile;
  } catch (error) {
    throw bad(`the kubeconfig is not YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : error}`);
  }
  const wanted = contextName ?? config['current-context'];
  const context = config.contexts?.find((entry) => entry.name === wanted)?.context;
  if (context === undefined) {
    throw bad(`the kubeconfig has no context ${JSON.stringify(wanted ?? '')}`);
  }
  const cluster = config.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
  const user = config.users?.find((entry) => entry.name === context.user)?.user ?? {};
  const server = cluster?.['server'];
  if (cluster === undefined || typeof server !== 'string' || !/^https?:\/\//.test(server)) {
    throw bad(`the kubeconfig's cluster ${JSON.stringify(context.cluster ?? '')} has no server URL`);
  }
  const pem = (holder: Readonly<Record<string, unknown>>, name: string): string | undefined => {
    const data = holder[`${name}-data`];
    if (typeof data === 'string') {
      return Buffer.from(data, 'base64').toString('utf8');
    }
    const path = holder[name];
    return typeof path === 'string' ? readText(resolve(dirname(file), path)) : undefined;
  };
  const tokenFile = user['tokenFile'];
  return {
    server: server.replace(/\/+$/, ''),
    caPem: pem(cluster, 'certificate-authority'),
    certificatePem: pem(user, 'client-certificate'),
    keyPem: pem(user, 'client-key'),
    token:
      typeof user['token'] === 'string'
        ? user['token']
        : typeof tokenFile === 'string'
          ? readText(resolve(dirname(file), tokenFile)).trim()
          : undefined,
    namespace: context.namespace ?? 'default',
    file,
  };
}

function readText(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length > maxFileBytes) {
      throw new MeshError('TOO_LARGE', `${file} holds more than ${maxFileBytes} bytes`);
    }
    return text;
  } catch (error) {
    const cause = MeshError.from(error);
    throw new MeshError(cause.code, `${file} cannot be read: ${cause.message}`, { cause: error, hint: cause.hint });
  }
}
