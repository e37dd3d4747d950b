import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger, InvariantError, systemClock } from '@weft/base';
import { parseBootstrap } from '../src/bootstrap/parse-bootstrap.ts';
import { ProxyProcess } from '../src/bootstrap/proxy-process.ts';
import { createDataPlane } from '../src/create-data-plane.ts';

test('what nothing caught is counted, logged once for each message, and never ends the process', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'weft-unhandled-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const parsed = parseBootstrap(JSON.stringify({ node: { id: 'a/b' }, stateDir: folder, static: {} }));
  assert.ok('ok' in parsed);
  const lines: string[] = [];
  const exits: number[] = [];
  const proxy = new ProxyProcess({
    bootstrap: parsed.ok,
    version: '0',
    clock: systemClock,
    logger: createLogger({ write: (line) => void lines.push(line) }),
    random: Math.random,
    createDataPlane,
    exit: (code) => void exits.push(code),
  });
  await proxy.start();
  t.after(() => proxy.stop(0));
  const broken = new InvariantError('planted');
  for (const error of [broken, broken, new TypeError('planted'), 'a text', undefined]) {
    proxy.handleUnhandled(error);
  }
  for (let index = 0; index < 200; index += 1) {
    proxy.handleUnhandled(new Error(`another ${index}`));
  }
  const logged = lines.filter((line) => line.includes('an error that nothing caught'));
  assert.equal(logged.filter((line) => line.includes('InvariantError')).length, 1);
  assert.equal(logged.length, 50);
  assert.deepEqual(exits, []);
  assert.equal(proxy.state, 'LIVE');
  const answer = await fetch(`http://127.0.0.1:${proxy.adminPort}/stats`);
  assert.match(await answer.text(), /^weft_unhandled_errors_total: 205$/m);
});
