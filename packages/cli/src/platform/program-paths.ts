import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Where the other programs of Weft are, relative to this one: in a release all are bundles in `dist/`; in a checkout they
 * run from source with the same Node. This is the only file that knows.
 */
export interface ProgramPaths {
  readonly controlPlane: string;
  readonly proxy: string;
  readonly envoyAgent: string;
  readonly grpcAgent: string;
  readonly cli: string;
  /** Built files of the first page; absent when it was not built. */
  readonly dashboard: string | undefined;
  /** The bookshop. */
  readonly demo: string;
  /** Where `install-peers` puts other people's programs (`envoy`, `kubectl`). */
  readonly peers: string;
}

/** @param here the file that runs: `dist/weft.js` or a source file of this package. */
export function programPaths(here: string = import.meta.filename): ProgramPaths {
  if (basename(here).endsWith('.ts')) {
    const root = join(dirname(here), '../../../..');
    const source = (name: string): string => join(root, 'packages', name, 'src/main.ts');
    return paths(root, (name) => source(name === 'weft' ? 'cli' : name));
  }
  const dist = dirname(here);
  const bundle = (name: string): string => join(dist, `${name}.js`);
  return paths(dirname(dist), bundle);
}

/** @param program where a program is, by its name. */
function paths(root: string, program: (name: string) => string): ProgramPaths {
  const dashboard = join(root, 'dist/dashboard');
  return {
    controlPlane: program('control-plane'),
    proxy: program('proxy'),
    envoyAgent: program('envoy-agent'),
    grpcAgent: program('grpc-agent'),
    cli: program('weft'),
    dashboard: existsSync(join(dashboard, 'index.html')) ? dashboard : undefined,
    demo: join(root, 'demo'),
    peers: join(root, '.tools'),
  };
}
