import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually, freePort, startBackground } from '@weft/testkit';
import { median } from './statistics.ts';

const root = resolve(import.meta.dirname, '../..');

/** From `npm start` to the first page of the shop through the mesh, seconds. */
export interface StartUpResult {
  /** Median with everything built. */
  readonly builtSeconds: number;
  /** Once with the build still to be made, dependencies downloaded. */
  readonly unbuiltSeconds: number;
  readonly rounds: number;
}

/** Runs `npm start` again and again in this checkout, with a state folder and ports of its own. */
export async function benchStartUp(options: {
  readonly rounds: number;
  readonly say: (line: string) => void;
}): Promise<StartUpResult> {
  rmSync(join(root, '.tools/build.stamp'), { force: true });
  const unbuiltSeconds = await startOnce();
  options.say(`with the build: ${unbuiltSeconds.toFixed(1)} s`);
  const times: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    times.push(await startOnce());
    options.say(`round ${round + 1}: ${times.at(-1)?.toFixed(1)} s`);
  }
  return { builtSeconds: median(times) ?? Number.NaN, unbuiltSeconds, rounds: options.rounds };
}

async function startOnce(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'weft-start-'));
  const shopPort = await freePort();
  const ports = [
    '--api-port',
    '0',
    '--xds-port',
    '0',
    '--join-port',
    '0',
    '--page-port',
    '0',
    '--shop-port',
    String(shopPort),
  ];
  const started = performance.now();
  const demo = startBackground('npm', ['start', '--', ...ports], {
    cwd: root,
    env: { WEFT_HOME: home, NO_COLOR: '1' },
    detached: true,
  });
  try {
    await eventually(async () => (await fetch(`http://127.0.0.1:${shopPort}/`)).status === 200, {
      what: 'the shop answers',
      timeoutMs: 120_000,
    });
    return (performance.now() - started) / 1000;
  } finally {
    // Ctrl-C in a terminal goes to the whole group.
    process.kill(-demo.pid, 'SIGINT');
    await demo.ended;
    rmSync(home, { recursive: true, force: true });
  }
}
