import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { socketFileAt } from './socket-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-socket-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('only a socket that nobody listens on counts as abandoned', async () => {
  const path = (name: string): string => join(folder, name);
  const server = createServer().listen(path('live'));
  await once(server, 'listening');
  const program = `require('node:net').createServer().listen(${JSON.stringify(path('stale'))}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program]);
  writeFileSync(path('file'), 'x');
  mkdirSync(path('folder'));
  symlinkSync(path('stale'), path('link'));
  for (const [name, what] of [
    ['live', 'in-use'],
    ['stale', 'abandoned'],
    ['file', 'foreign'],
    ['folder', 'foreign'],
    ['link', 'foreign'],
    ['nothing', 'absent'],
    ['nowhere/nothing', 'absent'],
  ]) {
    assert.equal(await socketFileAt(path(name ?? '')), what, name);
  }
  await assert.rejects(socketFileAt(path('file/below')), { code: 'ENOTDIR' });
  server.close();
});
