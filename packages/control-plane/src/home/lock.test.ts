import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { takeLock } from './lock.ts';

function lockPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-lock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'control-plane.lock');
}

test('a second taker is told who holds the lock since when', (t) => {
  const path = lockPath(t);
  const lock = takeLock(path, new Date('2026-01-02T03:04:05Z'));
  assert.throws(() => takeLock(path, new Date()), {
    code: 'ALREADY_RUNNING',
    message: new RegExp(`process ${process.pid} .* since 2026-01-02T03:04:05`),
  });
  lock.release();
  assert.equal(existsSync(path), false);
  takeLock(path, new Date()).release();
});

test('the lock of a process that was killed is taken over', async (t) => {
  const path = lockPath(t);
  const module = JSON.stringify(join(import.meta.dirname, 'lock.ts'));
  const code = `const { takeLock } = await import(${module}); takeLock(${JSON.stringify(path)}, new Date()); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  assert.throws(() => takeLock(path, new Date()), { code: 'ALREADY_RUNNING' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  takeLock(path, new Date()).release();
});

test('a number that another process has by now does not hold the lock', (t) => {
  const path = lockPath(t);
  writeFileSync(path, JSON.stringify({ pid: process.pid, processStart: '1', since: 'long ago' }));
  takeLock(path, new Date()).release();
});

test('a damaged lock file is taken over, and nothing is left lying about', (t) => {
  const path = lockPath(t);
  writeFileSync(path, '{');
  const lock = takeLock(path, new Date());
  assert.deepEqual(readdirSync(join(path, '..')), ['control-plane.lock']);
  lock.release();
  assert.deepEqual(readdirSync(join(path, '..')), []);
});
