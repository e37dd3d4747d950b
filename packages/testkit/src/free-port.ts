import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from './process-tree.ts';

/** Below the ports that Linux gives to outgoing connections and to listeners on port 0: those of tests that run at the same time. */
const firstPort = 20_000;
const lastPort = 32_000;
const maxTries = 500;

/** A file for each port that was given out, with the process that has it: test files run side by side, each in a process of its own. */
const folder = join(tmpdir(), 'weft-test-ports');
const own = new Set<string>();
process.on('exit', () => {
  for (const file of own) {
    rmSync(file, { force: true });
  }
});

/** A port on loopback that nobody listens on right now, and that nobody else among the tests is given while this process runs. */
export async function freePort(): Promise<number> {
  mkdirSync(folder, { recursive: true });
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const port = randomInt(firstPort, lastPort);
    if (reserve(join(folder, String(port))) && (await isFree(port))) {
      return port;
    }
  }
  throw new Error(`${maxTries} ports from ${firstPort} to ${lastPort} are taken`);
}

function reserve(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    own.add(file);
    return true;
  } catch {
    const owner = Number(readIfThere(file));
    if (owner > 0 && owner !== process.pid && !isRunning(owner)) {
      // Killed: the next one to draw this port gets it.
      rmSync(file, { force: true });
    }
    return false;
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
