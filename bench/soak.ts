/**
 * A soak: mixed traffic through two sidecars with mutual TLS for a long time, with a certificate rotation every few minutes. It shows whether
 * memory is flat at the end and whether anything failed.
 *
 * `node bench/soak.ts [--minutes 30] [--http 1500] [--http2 700] [--tcp-mb 10] [--json FILE]`: requests a second of HTTP/1.1 and of HTTP/2, megabytes a
 * second over TCP connections that last a minute. Prints a line a minute, a table at the end; exits with 1 if a request failed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { eventually, freePort, programs, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';
import { connectHttp2Client } from './load/clients/one-request.ts';
import type { PacedResult } from './load/clients/paced-client.ts';
import { runClient } from './load/clients/run-client.ts';
import { sidecarPid } from './load/sidecar-process.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    http: { type: 'string', default: '1500' },
    http2: { type: 'string', default: '700' },
    'tcp-mb': { type: 'string', default: '10' },
    json: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
const certificateTtlSeconds = 300;
const sliceSeconds = 20;
const tcpConnections = 4;
const tcpPieceBytes = 64 * 1024;
const tcpConnectionMs = 60_000;

interface Sample {
  readonly minute: number;
  readonly rssMb: Readonly<Record<string, number>>;
}

interface Totals {
  requests: number;
  errors: number;
  tcpBytes: number;
  tcpErrors: number;
}

function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** Sends requests in slices, so that connections come and go as well. */
async function keepSending(
  port: number,
  protocol: 'http1' | 'http2',
  rate: number,
  until: number,
  totals: Totals,
): Promise<void> {
  while (performance.now() < until && rate > 0) {
    const options = { port, protocol, rate, connections: 64, seconds: sliceSeconds };
    const result = await runClient<PacedResult>('paced-client.ts', options);
    totals.requests += result.requests;
    totals.errors += result.errors;
  }
}

/**
 * Connections that carry bytes there and back, at a steady rate; what comes back must be as long as what went. Each lasts a minute: with mutual TLS
 * none lives longer than the certificates that it began with.
 */
async function keepPumping(port: number, mbPerSecond: number, until: number, totals: Totals): Promise<void> {
  const periodMs = mbPerSecond === 0 ? 1000 : (tcpPieceBytes * tcpConnections) / (mbPerSecond * 1000);
  await Promise.all(
    Array.from({ length: mbPerSecond === 0 ? 0 : tcpConnections }, async () => {
      while (performance.now() < until) {
        await pump(port, periodMs, Math.min(until, performance.now() + tcpConnectionMs), totals);
      }
    }),
  );
}

async function pump(port: number, periodMs: number, until: number, totals: Totals): Promise<void> {
  const piece = Buffer.alloc(tcpPieceBytes, 'w');
  const socket = connect(port, '127.0.0.1');
  let received = 0;
  let sent = 0;
  socket.on('error', () => {
    totals.tcpErrors += 1;
  });
  socket.on('data', (bytes) => {
    received += bytes.length;
  });
  while (performance.now() < until && !socket.destroyed) {
    sent += piece.length;
    if (!socket.write(piece)) {
      await new Promise<void>((resolve) => {
        socket.once('drain', resolve);
        socket.once('close', resolve);
      });
    }
    await new Promise((resolve) => setTimeout(resolve, periodMs));
  }
  await eventually(() => received === sent || socket.destroyed, { what: 'all bytes came back', timeoutMs: 10_000 });
  totals.tcpBytes += received;
  totals.tcpErrors += received === sent ? 0 : 1;
  socket.destroy();
}

async function start(
  mesh: TestMesh,
): Promise<{ readonly client: TestWorkload; readonly server: TestWorkload; readonly ports: readonly number[] }> {
  const speaks = (what: string): { readonly env: Readonly<Record<string, string>> } => ({ env: { SPEAKS: what } });
  const server = await mesh.runWorkload(
    ['--service', 'target', '--protocol', 'http', '--', process.execPath, programs.anyProtocol],
    speaks('http'),
  );
  await mesh.runWorkload(
    ['--service', 'multi', '--protocol', 'http2', '--', process.execPath, programs.anyProtocol],
    speaks('h2c'),
  );
  await mesh.runWorkload(
    ['--service', 'bytes', '--port', '7000:0', '--protocol', 'tcp', '--', process.execPath, programs.anyProtocol],
    speaks('echo'),
  );
  const ports = [await freePort(), await freePort(), await freePort()];
  const upstreams = ['target', 'multi', 'bytes'].flatMap((name, index) => ['--upstream', `${name}=${ports[index]}`]);
  const client = await mesh.runWorkload(['--name', 'soak-client', ...upstreams, '--', 'sleep', '1000000']);
  await eventually(async () => (await fetch(`http://127.0.0.1:${ports[0]}/`)).status === 200, {
    what: 'the target answers',
  });
  const multi = await connectHttp2Client(ports[1] ?? 0);
  await eventually(async () => (await multi.request()) === undefined, { what: 'the HTTP/2 target answers' });
  multi.close();
  return { client, server, ports };
}

const mesh = await startMesh({ certificateTtlSeconds });
let failed = true;
try {
  const { client, server, ports } = await start(mesh);
  const [httpPort = 0, http2Port = 0, tcpPort = 0] = ports;
  const pids: Readonly<Record<string, number>> = {
    'client sidecar': sidecarPid(client.process.pid, 'weft'),
    'server sidecar': sidecarPid(server.process.pid, 'weft'),
    'control plane': mesh.facts().processId,
  };
  const totals: Totals = { requests: 0, errors: 0, tcpBytes: 0, tcpErrors: 0 };
  const samples: Sample[] = [];
  const started = performance.now();
  const until = started + minutes * 60_000;
  const take = (): void => {
    const rss = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, rssMb(pid)]));
    const minute = Math.round((performance.now() - started) / 60_000);
    samples.push({ minute, rssMb: rss });
    const shown = Object.entries(rss).map(([name, mb]) => `${name} ${mb.toFixed(1)} MB`);
    process.stdout.write(
      `minute ${minute}: ${totals.requests} requests, ${totals.errors} failed, ${totals.tcpErrors} TCP errors; ${shown.join(', ')}\n`,
    );
  };
  const timer = setInterval(take, 60_000);
  await Promise.all([
    keepSending(httpPort, 'http1', Number(values.http), until, totals),
    keepSending(http2Port, 'http2', Number(values.http2), until, totals),
    keepPumping(tcpPort, Number(values['tcp-mb']), until, totals),
  ]);
  clearInterval(timer);
  take();
  process.stdout.write(`\n${'process'.padEnd(16)} RSS MB: after 1/3   after 2/3   at the end\n`);
  for (const name of Object.keys(pids)) {
    const at = (share: number): string =>
      (samples[Math.min(samples.length - 1, Math.floor((samples.length - 1) * share))]?.rssMb[name] ?? 0).toFixed(1);
    process.stdout.write(`${name.padEnd(24)}${at(1 / 3).padEnd(12)}${at(2 / 3).padEnd(12)}${at(1)}\n`);
  }
  process.stdout.write(
    `${totals.requests} requests, ${totals.errors} failed; ${Math.round(totals.tcpBytes / 1e6)} MB over TCP there and back, ${totals.tcpErrors} errors\n`,
  );
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ totals, samples }, null, 2)}\n`);
  }
  failed = totals.errors + totals.tcpErrors > 0;
} finally {
  await mesh.stop();
}
process.exitCode = failed ? 1 : 0;
