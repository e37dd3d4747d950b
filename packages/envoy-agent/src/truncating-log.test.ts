import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import { TruncatingLog } from './truncating-log.ts';

test('a log that has grown beyond its limit is kept once and emptied', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-log-'));
  const clock = new ManualClock();
  const log = new TruncatingLog(join(folder, 'envoy.log'), clock, 10);
  try {
    assert.equal(statSync(log.path).mode & 0o777, 0o600);
    appendFileSync(log.path, 'one\n');
    clock.advance(10_000);
    appendFileSync(log.path, 'two\nthree\n');
    assert.deepEqual(log.lastLines(2), ['two', 'three']);
    clock.advance(10_000);
    assert.equal(readFileSync(log.path, 'utf8'), '');
    assert.equal(readFileSync(`${log.path}.1`, 'utf8'), 'one\ntwo\nthree\n');
  } finally {
    log.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
