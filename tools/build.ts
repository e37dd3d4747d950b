/**
 * Builds what is run: `dist/{weft,control-plane,preview-thread,proxy,envoy-agent,grpc-agent}.js` and `dist/dashboard/`. Bundled and minified, because a
 * small program starts fast and keeps its memory low; names are kept, because stack traces are read by people.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');

const generated = spawnSync(process.execPath, [join(root, 'tools/generate-xds-types.ts')], { stdio: 'inherit' });
if (generated.status !== 0) {
  process.exit(generated.status ?? 1);
}

const entries: Readonly<Record<string, string>> = {
  weft: 'packages/cli/src/main.ts',
  'control-plane': 'packages/control-plane/src/main.ts',
  'preview-thread': 'packages/control-plane/src/admin/preview-thread.ts',
  proxy: 'packages/proxy/src/main.ts',
  'envoy-agent': 'packages/envoy-agent/src/main.ts',
  'grpc-agent': 'packages/grpc-agent/src/main.ts',
};
const dashboard = join(root, 'packages/dashboard');

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await build({
  entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(root, file)])),
  outdir: dist,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  keepNames: false,
  legalComments: 'linked',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  // Some dependencies are CommonJS and call require() for Node's own modules.
  banner: {
    js: "import { createRequire as weftRequire } from 'node:module'; const require = weftRequire(import.meta.url);",
  },
});
if (existsSync(join(dashboard, 'src/main.ts'))) {
  await build({
    entryPoints: { main: join(dashboard, 'src/main.ts') },
    outdir: join(dist, 'dashboard'),
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    minify: true,
    logLevel: 'warning',
  });
  cpSync(join(dashboard, 'static'), join(dist, 'dashboard'), { recursive: true });
}
