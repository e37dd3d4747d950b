import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '@weft/base';
import { eventually } from '@weft/testkit';
import { CappedLog, lastLines, readableLogLine } from './capped-log.ts';
import { ChildProgram, exitCodeOf } from './child-program.ts';
import { isAlive } from './control-plane-process.ts';
import { findProgram } from './find-program.ts';
import { findFreePorts, requireFreePort } from './free-port.ts';
import { OrphanGuard } from './orphan-guard.ts';
import { programPaths } from './program-paths.ts';
import { stateFolder } from './state-folder.ts';

let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-platform-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

const env = { PATH: process.env['PATH'] };

test('a child that is killed -9 with its parent leaves nothing behind', async () => {
  const source = `
    import { ChildProgram } from ${JSON.stringify(join(import.meta.dirname, 'child-program.ts'))};
    import { OrphanGuard } from ${JSON.stringify(join(import.meta.dirname, 'orphan-guard.ts'))};
    const guard = new OrphanGuard();
    const options = { file: '/bin/sh', env: process.env, output: 'ignore', guard };
    const gone = await ChildProgram.start('gone', { ...options, args: ['-c', 'exit 0'] });
    await gone.ended;
    const polite = await ChildProgram.start('polite', { ...options, args: ['-c', 'sleep 60 & wait'] });
    const deaf = await ChildProgram.start('deaf', { ...options, args: ['-c', 'trap "" TERM; while :; do sleep 1; done'] });
    console.log(JSON.stringify([polite.pid, deaf.pid, guard.pid]));
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (chunk: Buffer) => resolve(`${chunk}`)),
  );
  const pids = JSON.parse(line) as number[];
  assert.ok(pids.every(isAlive));
  parent.kill('SIGKILL');
  await eventually(() => pids.every((pid) => !isAlive(pid)), { what: 'children and guard are gone', timeoutMs: 8_000 });
});

test('the guard ends by itself when its owner is done', async () => {
  const guard = new OrphanGuard();
  const { pid } = guard;
  assert.ok(pid !== undefined && isAlive(pid));
  guard.close();
  await eventually(() => !isAlive(pid), { what: 'the guard is gone' });
});

test('a child is asked to stop, and killed when it does not listen', async () => {
  const start = (script: string) =>
    ChildProgram.start('sh', { file: '/bin/sh', args: ['-c', script], env, output: 'pipe' });
  const polite = await start('trap "exit 7" TERM; echo up; while :; do sleep 0.05; done');
  await new Promise((resolve) => polite.stdout?.once('data', resolve));
  assert.equal(exitCodeOf(await polite.stop(systemClock, 5_000)), 7);
  const deaf = await start('trap "" TERM; echo up; while :; do sleep 0.05; done');
  await new Promise((resolve) => deaf.stdout?.once('data', resolve));
  assert.equal(exitCodeOf(await deaf.stop(systemClock, 50)), 128 + 9);
  assert.equal(exitCodeOf(await deaf.stop(systemClock, 50)), 128 + 9);
});

test('a program that is not there is named', async () => {
  await assert.rejects(
    ChildProgram.start('x', { file: '/none/at/all', args: [], env, output: 'ignore' }),
    /\/none\/at\/all cannot be started: there is no such program/,
  );
  assert.equal(findProgram('sh', '/none:/bin')?.endsWith('/sh'), true);
  assert.equal(findProgram('no-such-program', env.PATH), undefined);
});

test('free ports differ, and a taken one is named with the fix', async () => {
  const ports = await findFreePorts(20);
  assert.equal(new Set(ports).size, 20);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await assert.rejects(requireFreePort(port, 'the shop'), {
    code: 'PORT_IN_USE',
    message: new RegExp(`port ${port} on 127\\.0\\.0\\.1, wanted for the shop`),
  });
  await new Promise((resolve) => server.close(resolve));
  await requireFreePort(port, 'the shop');
});

test('a log does not grow beyond its limit', () => {
  const path = join(folder, 'logs', 'a.log');
  const log = new CappedLog(path, 100);
  for (let i = 0; i < 50; i += 1) {
    log.write(`line ${i}\n`);
  }
  log.close();
  assert.ok(statSync(path).size <= 100);
  assert.ok(statSync(`${path}.1`).size <= 100);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(lastLines(path, 1), ['line 49']);
  assert.deepEqual(lastLines(join(folder, 'none'), 1), []);
  assert.ok(readFileSync(`${path}.1`, 'utf8').length > 0);
});

test('our own log lines are shown as sentences, others as they are', () => {
  assert.equal(readableLogLine('{"level":"error","msg":"It ended","error":{"message":"no"}}'), 'It ended: no');
  assert.equal(readableLogLine('plain'), 'plain');
});

test('programs are found in a build and in a checkout', () => {
  assert.equal(programPaths('/opt/weft/dist/weft.js').proxy, '/opt/weft/dist/proxy.js');
  assert.equal(programPaths('/opt/weft/dist/weft.js').demo, '/opt/weft/demo');
  assert.ok(existsSync(programPaths().controlPlane));
  assert.ok(existsSync(join(programPaths().demo, 'bookshop.yaml')));
});

test('the state folder is that of WEFT_HOME', () => {
  const state = stateFolder({ WEFT_HOME: '/x' });
  assert.equal(state.workloadFolder('default', 'a'), '/x/run/default.a');
  assert.match(stateFolder({}).path, /\/\.weft$/);
});
