/** Load generators that are programs of the distribution: wrk (HTTP/1.1), h2load (HTTP/2, gRPC), iperf3 (TCP). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Load } from './rounds.ts';
import { loadCore, programPath, runPinned } from './running.ts';

/** Unit of work of a TCP stream: one write of the load. */
export const tcpUnitBytes = 64 * 1024;

/** wrk calls this at its end; the numbers come out as one line of JSON. */
const wrkScript = `done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('\\n{"work":%d,"seconds":%.6f,"errors":%d}\\n',
    summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`;

/** HTTP/1.1 with keep-alive. @param connections open at once, each with one request in flight. */
export async function wrkLoad(port: number, connections: number, seconds: number): Promise<Load> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-wrk-'));
  try {
    const script = join(folder, 'report.lua');
    writeFileSync(script, wrkScript);
    const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script, url(port)];
    const output = await runPinned(loadCore, programPath('wrk'), args);
    const line = output.split('\n').find((text) => text.startsWith('{"work"'));
    if (line === undefined) {
      throw new Error(`wrk gave no totals:\n${output}`);
    }
    return JSON.parse(line) as Load;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** HTTP/2 by prior knowledge. @param options.connections default 1. @param options.body file with the body of each request; absent for GET. */
export async function h2loadLoad(options: {
  readonly port: number;
  readonly path: string;
  readonly connections?: number;
  /** Requests in flight on each connection. */
  readonly streams: number;
  readonly seconds: number;
  readonly headers?: readonly string[];
  readonly body?: string;
}): Promise<Load> {
  const output = await runPinned(loadCore, programPath('h2load'), [
    ...['-t', '1', '-c', String(options.connections ?? 1), '-m', String(options.streams)],
    ...['-D', String(options.seconds), '--warm-up-time', '0'],
    ...(options.headers ?? []).flatMap((header) => ['-H', header]),
    ...(options.body === undefined ? [] : ['-d', options.body]),
    `${url(options.port)}${options.path}`,
  ]);
  const seconds = /finished in ([\d.]+)(m?s)/.exec(output);
  const requests =
    /requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(
      output,
    );
  if (seconds === null || requests === null) {
    throw new Error(`h2load gave no totals:\n${output}`);
  }
  return {
    work: Number(requests[1]),
    seconds: Number(seconds[1]) / (seconds[2] === 'ms' ? 1000 : 1),
    errors: Number(requests[2]) + Number(requests[4]),
  };
}

interface IperfReport {
  readonly error?: string;
  readonly end?: { readonly sum_received?: { readonly bytes: number; readonly seconds: number } };
}

/** Bytes in one direction through four connections, written 64 KiB at a time. */
export async function iperfLoad(port: number, seconds: number): Promise<Load> {
  const args = ['-c', '127.0.0.1', '-p', String(port), '-l', '64K', '-P', '4', '-t', String(seconds), '-J'];
  const report = JSON.parse(await runPinned(loadCore, programPath('iperf3'), args)) as IperfReport;
  const sum = report.end?.sum_received;
  if (sum === undefined) {
    throw new Error(`iperf3: ${report.error ?? 'no totals'}`);
  }
  return { work: sum.bytes / tcpUnitBytes, seconds: sum.seconds, errors: 0 };
}

function url(port: number): string {
  return `http://127.0.0.1:${port}`;
}
