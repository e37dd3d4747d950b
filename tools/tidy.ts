/**
 * Keeps the shape of the code: import direction, cycles, sizes, banned calls, documented dependencies. Each rule has a reason,
 * and `tidy.test.ts` plants a violation of each. Usage: `node tools/tidy.ts [ROOT]`; exit code 1 when something is found.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Which packages a package may import. Tests may import `testkit` and anything below them besides. */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  base: [],
  resources: ['base'],
  ir: ['base'],
  'xds-types': ['base'],
  identity: ['base', 'xds-types'],
  'http-codec': ['base'],
  translate: ['base', 'resources', 'ir', 'xds-types', 'identity'],
  'api-server': ['base', 'resources'],
  sources: ['base', 'resources'],
  'xds-server': ['base', 'xds-types'],
  'xds-client': ['base', 'xds-types'],
  proxy: ['base', 'http-codec', 'identity', 'xds-client', 'xds-types'],
  agent: ['base', 'identity', 'xds-types'],
  'envoy-agent': ['agent', 'base', 'identity', 'xds-types', 'xds-server'],
  'grpc-agent': ['agent', 'base', 'identity', 'xds-types', 'xds-client'],
  telemetry: ['base'],
  'admin-api': ['base'],
  'control-plane': [
    'base',
    'resources',
    'ir',
    'xds-types',
    'identity',
    'translate',
    'api-server',
    'sources',
    'xds-server',
    'telemetry',
    'admin-api',
  ],
  cli: ['base', 'http-codec', 'resources', 'admin-api'],
  dashboard: ['admin-api'],
  testkit: ['base'],
};

/** Longest file, in lines. A longer one holds two concepts. */
const maxLines = 700;

/** Calls that source code (not tests) may not make, with the reason. */
const banned: readonly {
  readonly pattern: RegExp;
  readonly reason: string;
  readonly where: (file: string) => boolean;
}[] = [
  {
    pattern: /\bconsole\.\w+\(/,
    reason: 'libraries log through the injected Logger',
    where: (file) => file.startsWith('packages/') && !/^packages\/(cli|dashboard)\//.test(file),
  },
  {
    pattern: /\bprocess\.exit\(/,
    reason: 'only a program entry may end the process',
    where: (file) => file.startsWith('packages/') && !file.endsWith('/main.ts') && !file.startsWith('packages/cli/'),
  },
  {
    pattern: /\b(Date\.now|Math\.random|setTimeout|setInterval)\(/,
    reason: 'translation and codecs are pure: time and chance are injected',
    where: (file) => /^packages\/(translate|ir|http-codec|resources)\//.test(file),
  },
  {
    pattern: /rejectUnauthorized:\s*false/,
    reason: 'a TLS peer is always verified; where Node must not do it the comment `verified-by:` names who does',
    where: (file) => file.startsWith('packages/'),
  },
  {
    pattern: /\beval\(|new Function\(/,
    reason: 'no code is made from data',
    where: () => true,
  },
];

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

const importPattern =
  /^\s*(?:import|export)\b(?:[^'"]*?\bfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

function importsOf(text: string): { readonly specifier: string; readonly line: number; readonly typeOnly: boolean }[] {
  return [...text.matchAll(importPattern)].map((match) => ({
    specifier: match[1] ?? match[2] ?? '',
    line: text.slice(0, match.index).split('\n').length + (match[0].match(/^\s*\n/g)?.length ?? 0),
    typeOnly: /^\s*(import|export)\s+type\b/.test(match[0]),
  }));
}

function isTest(file: string): boolean {
  return /\.test\.ts$|\/test\/|\/testdata\//.test(file);
}

/** Everything that breaks a rule below `root`; `examined` counts the files, because a gate that looked at nothing passes. */
export function tidy(root: string): { readonly findings: readonly Finding[]; readonly examined: number } {
  const findings: Finding[] = [];
  const files = globSync(
    [
      'packages/*/src/**/*.ts',
      'packages/*/test/**/*.ts',
      'demo/**/*.ts',
      'bench/**/*.ts',
      'test/**/*.ts',
      'tools/*.ts',
    ],
    { cwd: root },
  )
    .filter((file) => !file.includes('node_modules') && !file.includes('testdata'))
    .sort();
  const graph = new Map<string, { readonly to: string; readonly line: number }[]>();
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    const lines = text.split('\n');
    if (lines.length > maxLines && !isTest(file)) {
      findings.push({
        file,
        line: maxLines,
        message: `${lines.length} lines: more than ${maxLines}; split it by concept`,
      });
    }
    const own = /^packages\/([^/]+)\//.exec(file)?.[1];
    if (own !== undefined && !(own in arrows)) {
      findings.push({ file, line: 1, message: `package ${own} has no row in the table of arrows (tools/tidy.ts)` });
    }
    const edges: { to: string; line: number }[] = [];
    for (const { specifier, line, typeOnly } of importsOf(text)) {
      const target = /^@weft\/([^/]+)(\/.*)?$/.exec(specifier);
      if (target !== null) {
        const name = target[1] ?? '';
        if (own !== undefined && !isTest(file) && name !== own && !(arrows[own] ?? []).includes(name)) {
          findings.push({
            file,
            line,
            message: `${own} may not import ${name}: the arrows are in docs/architecture.md`,
          });
        }
        if (name === 'testkit' && own !== undefined && !isTest(file)) {
          findings.push({ file, line, message: 'only tests import testkit' });
        }
        if (target[2] !== undefined && name !== 'xds-types' && specifier !== '@weft/identity/authority') {
          findings.push({ file, line, message: `import ${name} by its door, not ${specifier}` });
        }
      } else if (specifier.startsWith('.')) {
        const to = relative(root, resolve(root, dirname(file), specifier));
        if (own !== undefined && !isTest(file) && !to.startsWith(`packages/${own}/`)) {
          findings.push({ file, line, message: `${specifier} reaches out of the package` });
        }
        if (!typeOnly) {
          edges.push({ to, line });
        }
      }
    }
    graph.set(file, edges);
    if (!isTest(file) && file !== 'tools/tidy.ts') {
      for (const rule of banned) {
        if (!rule.where(file)) {
          continue;
        }
        lines.forEach((line, index) => {
          if (
            rule.pattern.test(line) &&
            !/^\s*(\*|\/\/)/.test(line) &&
            !/verified-by:/.test(`${lines[index - 1] ?? ''}${line}`)
          ) {
            findings.push({ file, line: index + 1, message: `${rule.pattern.source} is banned here: ${rule.reason}` });
          }
        });
      }
    }
  }
  findings.push(...cycles(graph), ...undocumentedDependencies(root));
  return { findings, examined: files.length };
}

function cycles(graph: ReadonlyMap<string, readonly { readonly to: string; readonly line: number }[]>): Finding[] {
  const findings: Finding[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (file: string): void => {
    state.set(file, 'open');
    path.push(file);
    for (const { to, line } of graph.get(file) ?? []) {
      if (state.get(to) === 'open') {
        findings.push({ file, line, message: `import cycle: ${[...path.slice(path.indexOf(to)), to].join(' → ')}` });
      } else if (state.get(to) === undefined && graph.has(to)) {
        visit(to);
      }
    }
    path.pop();
    state.set(file, 'done');
  };
  for (const file of graph.keys()) {
    if (state.get(file) === undefined) {
      visit(file);
    }
  }
  return findings;
}

function undocumentedDependencies(root: string): Finding[] {
  const page = 'docs/dependencies.md';
  let text = '';
  try {
    text = readFileSync(join(root, page), 'utf8');
  } catch {
    return [{ file: page, line: 1, message: 'the page is missing' }];
  }
  const findings: Finding[] = [];
  for (const file of globSync(['package.json', 'packages/*/package.json', 'demo/package.json', 'bench/package.json'], {
    cwd: root,
  })) {
    const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<
      string,
      Record<string, string> | undefined
    >;
    for (const [name, range] of Object.entries({ ...manifest['dependencies'], ...manifest['devDependencies'] })) {
      if (name.startsWith('@weft/')) {
        continue;
      }
      if (!text.includes(`\`${name}\``)) {
        findings.push({ file, line: 1, message: `${name} has no line in ${page}` });
      }
      if (!/^\d/.test(range)) {
        findings.push({ file, line: 1, message: `${name} ${range} is not pinned to one version` });
      }
    }
  }
  return findings;
}

if (import.meta.main) {
  const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
  const { findings, examined } = tidy(root);
  for (const { file, line, message } of findings) {
    process.stdout.write(`${file}:${line}: ${message}\n`);
  }
  process.stdout.write(`tidy: ${examined} files, ${findings.length} findings\n`);
  process.exitCode = findings.length > 0 || examined === 0 ? 1 : 0;
}
