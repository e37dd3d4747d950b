import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openSqliteStorage } from './sqlite-storage.ts';

function databasePath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-sqlite-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'weft.db');
}

const change = (name: string, revision: number, value: string | undefined) => ({
  resource: 'configmaps',
  namespace: 'default',
  name,
  revision,
  value,
});

test('what was committed is there after opening again, and so is the highest revision of deleted objects', async (t) => {
  const path = databasePath(t);
  const storage = openSqliteStorage({ path });
  await storage.commit([change('a', 1, '{"x":1}'), change('b', 2, '{}')], 2);
  await storage.commit([change('b', 3, undefined)], 3);
  await storage.close();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const again = openSqliteStorage({ path });
  t.after(() => again.close());
  const { revision, records } = await again.load();
  assert.equal(revision, 3);
  assert.deepEqual(
    [...records].map((record) => ({ ...record })),
    [{ resource: 'configmaps', namespace: 'default', name: 'a', revision: 1, value: '{"x":1}' }],
  );
});

test('a file that another holds is refused with the way out', (t) => {
  const path = databasePath(t);
  const storage = openSqliteStorage({ path });
  t.after(() => storage.close());
  assert.throws(() => openSqliteStorage({ path }), { code: 'ALREADY_RUNNING', hint: /WEFT_HOME/ });
});

test('a file that is no database, and one of another layout, are refused', (t) => {
  const path = databasePath(t);
  writeFileSync(path, 'not a database, but long enough to be read as one '.repeat(100));
  assert.throws(() => openSqliteStorage({ path }), { code: 'STORAGE_CORRUPT' });
  const other = databasePath(t);
  const database = new DatabaseSync(other);
  database.exec('PRAGMA user_version = 99');
  database.close();
  assert.throws(() => openSqliteStorage({ path: other }), { code: 'STORAGE_CORRUPT', message: /layout 99/ });
});
