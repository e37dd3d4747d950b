/** The reporter sees everything that is skipped: CI fails by what it counts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const planted = `
import { describe, test } from 'node:test';
test('passes', () => {});
test('alone', { skip: 'reason 1' }, () => {});
describe('suite', { skip: 'reason 2' }, () => test('inside', () => {}));
describe('outer', () => {
  describe('inner', { skip: 'reason 3' }, () => test('inside', () => {}));
  test('passes, too', () => {});
});
`;

test('tests and whole suites that are skipped are told with their reasons and counted', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-reporter-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'planted.test.mjs');
  const totals = join(folder, 'totals.json');
  writeFileSync(file, planted);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--test', `--test-reporter=${join(import.meta.dirname, 'test-reporter.ts')}`, file],
    { encoding: 'utf8', env: { ...env, WEFT_TEST_TOTALS: totals } },
  );
  assert.equal(status, 0, stdout);
  const { passed, failed, skipped } = JSON.parse(readFileSync(totals, 'utf8')) as {
    passed: number;
    failed: number;
    skipped: { reason: string }[];
  };
  assert.deepEqual([passed, failed], [2, 0]);
  assert.deepEqual(skipped.map(({ reason }) => reason).sort(), ['reason 1', 'reason 2', 'reason 3']);
  assert.match(stdout, /^SKIP .*: suite: reason 2$/m);
});
