import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What one run of the load generator saw. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Responses of status 400 and above, and socket errors. */
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** wrk calls this at its end; the numbers come out as one line of JSON. */
const script = `done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('\\n{"requests":%d,"seconds":%.6f,"errors":%d,"p50Ms":%.3f,"p99Ms":%.3f}\\n',
    summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`;

/**
 * Runs wrk on one core with one thread.
 * @param options.connections keep-alive connections; @param options.seconds length of the run.
 * @throws Error when wrk cannot be run or does not end with its totals.
 */
export async function runWrk(options: {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly core: number;
  readonly headers?: Readonly<Record<string, string>>;
}): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-wrk-'));
  const scriptFile = join(folder, 'report.lua');
  writeFileSync(scriptFile, script);
  const headers = Object.entries(options.headers ?? {}).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = [
    '-t',
    '1',
    '-c',
    String(options.connections),
    '-d',
    `${options.seconds}s`,
    '-s',
    scriptFile,
    ...headers,
    options.url,
  ];
  try {
    const output = await new Promise<string>((resolve, reject) => {
      const child = spawn('taskset', ['-c', String(options.core), 'wrk', ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
      });
      child.stderr.on('data', (chunk) => {
        text += chunk;
      });
      child.on('error', reject);
      child.on('close', () => resolve(text));
    });
    const line = output.split('\n').find((text) => text.startsWith('{"requests"'));
    if (line === undefined) {
      throw new Error(`wrk gave no totals:\n${output}`);
    }
    return JSON.parse(line) as LoadResult;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
