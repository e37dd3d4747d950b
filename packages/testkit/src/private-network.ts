import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

/**
 * Runs a file of tests in a network and a mount namespace of its own: loopback is all there is, every port is free (those below 1024 too),
 * and {@link replaceFile} changes files for it alone. Its tests are reported as if they stood in the file that calls this. Where a machine
 * gives no namespaces to its users, one test is skipped with the reason.
 */
export async function runInPrivateNetwork(file: string): Promise<void> {
  const prepared = 'ip link set lo up && exec "$0" "$@"';
  const command = ['-rmn', 'sh', '-c', prepared];
  if (spawnSync('unshare', [...command, 'true']).status !== 0) {
    test(file, { skip: 'SKIP: this machine gives no network namespaces to its users' }, () => undefined);
    return;
  }
  const child = spawn('unshare', [...command, process.execPath, file], { stdio: 'inherit' });
  const stop = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGTERM', stop).on('SIGINT', stop);
  process.exitCode = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  process.off('SIGTERM', stop).off('SIGINT', stop);
}

/** Puts other content at the path of a file of the system, for this process and those that it starts, in a private network. */
export function replaceFile(path: string, content: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'weft-replaced-'));
  const own = join(folder, 'content');
  writeFileSync(own, content);
  execFileSync('mount', ['--bind', own, path]);
  // The mount goes with the namespace.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
}
