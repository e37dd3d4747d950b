/**
 * Generates `packages/xds-types/gen/` from the protocol buffer trees that ship inside the npm package
 * `@grpc/grpc-js-xds` (a pinned dev dependency). Nothing generated is committed: the stamp file records
 * what the output was made from, so an unchanged tree is generated once.
 *
 * Usage: `node tools/generate-xds-types.ts [--force]`
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const out = join(root, 'packages/xds-types/gen');
const stampFile = join(out, '.stamp');
const require = createRequire(import.meta.url);
const deps = join(dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps');
const rootsFile = join(root, 'packages/xds-types/proto-roots.txt');
const localProtos = join(root, 'packages/xds-types/proto');

/** ts-proto options: lean messages, no services, no JSON. `forceLong=bigint` keeps 64-bit counters exact. */
const tsProtoOptions = [
  'esModuleInterop=true',
  'enumsAsLiterals=true',
  'oneof=unions-value',
  'forceLong=bigint',
  'outputServices=none',
  'outputPartialMethods=false',
  'outputJsonMethods=false',
  'importSuffix=.ts',
  'outputIndex=false',
  'useDate=false',
  'removeComments=true',
].join(',');

/** What Envoy 1.40 has and the bundled protos have not yet, by file: what it needs, the message that it belongs to, and its fields. */
const newer: Readonly<Record<string, { readonly needs: string; readonly message: string; readonly fields: string }>> = {
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto': {
    needs: 'envoy/config/common/matcher/v3/matcher.proto',
    message: 'HttpProtocolOptions',
    fields: `message OutlierDetection { envoy.config.common.matcher.v3.MatchPredicate error_matcher = 1; }
      OutlierDetection outlier_detection = 8;`,
  },
  'envoy/config/cluster/v3/circuit_breaker.proto': {
    needs: 'google/protobuf/duration.proto',
    message: 'RetryBudget',
    fields: 'google.protobuf.Duration budget_interval = 3;',
  },
};

function withNewer(proto: string, text: string): string {
  const { needs, message, fields } = newer[proto] ?? {};
  if (needs === undefined) {
    return text;
  }
  const found = text.includes(`message ${message} {`) && !text.includes(needs);
  if (!found) {
    throw new Error(`${proto} is not what tools/generate-xds-types.ts adds to`);
  }
  return text
    .replace(/^import /m, `import "${needs}";\nimport `)
    .replace(`message ${message} {`, `message ${message} {\n${fields}`);
}

function versionOf(packageName: string): string {
  const entry = require.resolve(`${packageName}/package.json`);
  return (JSON.parse(readFileSync(entry, 'utf8')) as { version: string }).version;
}

const roots = readFileSync(rootsFile, 'utf8')
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '' && !line.startsWith('#'));

const ownProtos = existsSync(localProtos) ? listFiles(localProtos).filter((file) => file.endsWith('.proto')) : [];
const stamp = createHash('sha256')
  .update(JSON.stringify([versionOf('@grpc/grpc-js-xds'), versionOf('ts-proto'), tsProtoOptions, roots]))
  .update(ownProtos.map((file) => readFileSync(file, 'utf8')).join('\0'))
  .update(readFileSync(import.meta.filename))
  .digest('hex');

if (!process.argv.includes('--force') && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
  process.exit(0);
}

function listFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? listFiles(path) : [path];
  });
}

const work = join(root, 'packages/xds-types/.gen-work');
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const modules = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((name) => join(deps, name));
if (ownProtos.length > 0) {
  modules.push(localProtos);
}
for (const proto of roots) {
  if (!modules.some((module) => existsSync(join(module, proto)))) {
    throw new Error(`packages/xds-types/proto-roots.txt names ${proto}, which no proto tree holds`);
  }
}
// buf refuses modules outside its working folder and wants one owner per package, so the closure of the roots is copied
// into one tree first.
const closure = new Set<string>();
const pending = [...roots, ...ownProtos.map((file) => relative(localProtos, file))];
while (pending.length > 0) {
  const proto = pending.pop() as string;
  if (closure.has(proto) || proto.startsWith('google/protobuf/')) {
    continue;
  }
  const module = modules.find((path) => existsSync(join(path, proto)));
  if (module === undefined) {
    throw new Error(`proto ${proto} is imported but no proto tree holds it`);
  }
  closure.add(proto);
  // The bundled validate.proto is older than Envoy's use of it: this option is unknown to it and nothing here reads it.
  const text = withNewer(proto, readFileSync(join(module, proto), 'utf8').replaceAll(/\s+ignore_empty: true/g, ''));
  const target = join(work, 'tree', proto);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  for (const match of text.matchAll(/^import\s+(?:public\s+)?"([^"]+)";/gm)) {
    pending.push(match[1] as string);
  }
}
writeFileSync(join(work, 'buf.yaml'), JSON.stringify({ version: 'v2', modules: [{ path: 'tree' }] }));
writeFileSync(
  join(work, 'buf.gen.yaml'),
  JSON.stringify({
    version: 'v2',
    plugins: [
      {
        local: [process.execPath, require.resolve('ts-proto/protoc-gen-ts_proto')],
        out: 'out',
        opt: tsProtoOptions,
        include_imports: true,
        include_wkt: true,
        strategy: 'all',
      },
    ],
  }),
);
const bufBinary = join(
  dirname(require.resolve(`@bufbuild/buf-${process.platform}-${process.arch}/package.json`)),
  'bin/buf',
);
execFileSync(bufBinary, ['generate', '--error-format=text'], { cwd: work, stdio: 'inherit' });

let count = 0;
for (const file of listFiles(join(work, 'out'))) {
  // Generated code follows ts-proto's style, not our compiler flags.
  writeFileSync(file, `// @ts-nocheck\n${readFileSync(file, 'utf8')}`);
  count += 1;
}
rmSync(out, { recursive: true, force: true });
renameSync(join(work, 'out'), out);
writeFileSync(stampFile, stamp);
rmSync(work, { recursive: true, force: true });
console.log(`xds-types: generated ${count} files from ${closure.size} protos`);
