/**
 * `npm test`: peers, then static checks, then every test. Options: a list of path fragments runs only the test files whose
 * path contains one of them (and no static checks).
 *
 * With WEFT_CI=1 a skipped test fails the run, unless `tools/allowed-skips.txt` names the reason.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { installPeers } from './install-peers.ts';

const root = resolve(import.meta.dirname, '..');
const only = process.argv.slice(2);
const strict = process.env['WEFT_CI'] === '1';
const conformanceData = process.env['WEFT_CONFORMANCE_DATA'] ?? resolve(root, '../shared/conformance');
const environment = {
  ...process.env,
  NODE_NO_WARNINGS: '1',
  WEFT_CONFORMANCE_DATA: conformanceData,
  ...(existsSync(join(root, '.tools/bin/envoy')) ? { WEFT_ENVOY: join(root, '.tools/bin/envoy') } : {}),
};
const failures: string[] = [];

function stage(title: string, file: string, args: readonly string[], env: NodeJS.ProcessEnv = environment): boolean {
  const started = Date.now();
  process.stdout.write(`\n== ${title}\n`);
  const result = spawnSync(file, args, { cwd: root, stdio: 'inherit', env });
  const passed = result.status === 0;
  process.stdout.write(`== ${title}: ${passed ? 'ok' : 'FAILED'} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
  if (!passed) {
    failures.push(title);
  }
  return passed;
}

const bin = (name: string): string => join(root, 'node_modules/.bin', name);

process.stdout.write('== peers\n');
const missingPeers = installPeers();
for (const [peer, reason] of missingPeers) {
  process.stdout.write(`SKIP peer ${peer}: ${reason}\n`);
}
if (!existsSync(conformanceData)) {
  process.stdout.write(`SKIP conformance data: ${conformanceData} is not there (set WEFT_CONFORMANCE_DATA)\n`);
}

if (only.length === 0) {
  stage('types', process.execPath, [bin('tsc'), '-p', 'tsconfig.json']);
  stage('lint and format', process.execPath, [bin('biome'), 'check', '--error-on-warnings']);
  stage('architecture (tools/tidy.ts)', process.execPath, ['tools/tidy.ts']);
  stage('dead code (knip)', process.execPath, [bin('knip'), '--no-config-hints', '--no-progress']);
}

/** Suites run one after another; files inside a suite run two at a time, or alone where they measure or fill the machine. */
const suites: readonly {
  readonly title: string;
  readonly patterns: readonly string[];
  readonly concurrency: number;
}[] = [
  {
    title: 'unit tests',
    patterns: ['packages/*/src/**/*.test.ts', 'tools/**/*.test.ts', 'demo/**/*.test.ts', 'bench/**/*.test.ts'],
    concurrency: 2,
  },
  { title: 'package tests', patterns: ['packages/*/test/**/*.test.ts'], concurrency: 2 },
  { title: 'conformance', patterns: ['test/conformance/**/*.test.ts'], concurrency: 2 },
  { title: 'differential', patterns: ['test/differential/**/*.test.ts'], concurrency: 1 },
  { title: 'fuzz', patterns: ['test/fuzz/**/*.test.ts'], concurrency: 2 },
  { title: 'attacks', patterns: ['test/attack/**/*.test.ts'], concurrency: 1 },
  { title: 'integration', patterns: ['test/integration/**/*.test.ts'], concurrency: 1 },
];

const totals = { passed: 0, failed: 0, skipped: [] as { test: string; reason: string }[] };
const scratch = mkdtempSync(join(tmpdir(), 'weft-tests-'));
for (const suite of suites) {
  const files = suite.patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((file) => !file.includes('node_modules') && (only.length === 0 || only.some((part) => file.includes(part))))
    .sort();
  if (files.length === 0) {
    continue;
  }
  const totalsFile = join(scratch, `${suite.title}.json`);
  stage(
    `${suite.title} (${files.length} files)`,
    process.execPath,
    [
      '--test',
      `--test-concurrency=${suite.concurrency}`,
      '--test-timeout=600000',
      `--test-reporter=${join(root, 'tools/test-reporter.ts')}`,
      '--test-reporter-destination=stdout',
      ...files,
    ],
    { ...environment, WEFT_TEST_TOTALS: totalsFile },
  );
  if (!existsSync(totalsFile)) {
    failures.push(`${suite.title}: the runner ended without totals`);
    continue;
  }
  const part = JSON.parse(readFileSync(totalsFile, 'utf8')) as typeof totals;
  totals.passed += part.passed;
  totals.failed += part.failed;
  totals.skipped.push(...part.skipped);
}
rmSync(scratch, { recursive: true, force: true });

const allowed = readFileSync(join(root, 'tools/allowed-skips.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const forbidden = totals.skipped.filter(({ reason }) => !allowed.some((text) => reason.includes(text)));
if (strict) {
  for (const [peer, reason] of missingPeers) {
    failures.push(`peer ${peer} is missing in CI: ${reason}`);
  }
  if (!existsSync(conformanceData)) {
    failures.push(`conformance data is missing in CI: ${conformanceData}`);
  }
  for (const { test, reason } of forbidden) {
    failures.push(`skipped in CI: ${test}: ${reason}`);
  }
}
if (totals.passed + totals.failed === 0) {
  failures.push('no test was executed');
}
if (totals.skipped.length > 0) {
  process.stdout.write(
    `\n${totals.skipped.length} skipped:\n${totals.skipped.map(({ test, reason }) => `  SKIP ${test}: ${reason}`).join('\n')}\n`,
  );
}
if (failures.length > 0) {
  process.stdout.write(`\nfailed:\n${failures.map((failure) => `  ${failure}`).join('\n')}\n`);
}
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped.length} skipped\n`);
process.exitCode = failures.length > 0 || totals.failed > 0 ? 1 : 0;
