import { spawn } from 'node:child_process';

/**
 * Runs a measurement while holding the lock of `WEFT_BENCH_LOCK`, a file that several benchmarks on one machine agree upon; at once where it is
 * not set. Uses `flock` of util-linux.
 */
export async function quietly<T>(measure: () => Promise<T>): Promise<T> {
  const file = process.env['WEFT_BENCH_LOCK'];
  if (file === undefined || file === '') {
    return await measure();
  }
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('error', reject);
      holder.once('close', () => reject(new Error(`flock cannot lock ${file}`)));
    });
    return await measure();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
