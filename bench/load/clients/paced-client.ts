/**
 * Latency at a fixed rate. A request is due by the clock, whatever became of those before it, and its latency counts from the moment at which it was due and
 * this program awake, so waiting for a free connection is in it: coordinated omission is avoided. What is not in it is that a timer of Node may be late by a
 * millisecond; no proxy has a part in that.
 *
 * `node paced-client.ts '{"port":…,"protocol":"http1"|"http2"|"grpc","rate":1000,"connections":64,"seconds":3}'`; a rate of 0 is one request at a time.
 * Prints {@link PacedResult} as JSON.
 */
import { quantile } from '../statistics.ts';
import { grpcMessage, grpcPath } from '../upstreams.ts';
import { connectHttp1, connectHttp2Client, type RequestConnection } from './one-request.ts';

export interface PacedOptions {
  readonly port: number;
  readonly protocol: 'http1' | 'http2' | 'grpc';
  /** Requests a second; 0 for the next one when the last is answered. */
  readonly rate: number;
  /** HTTP/1.1 connections that are open; HTTP/2 uses one. */
  readonly connections: number;
  readonly seconds: number;
}

export interface PacedResult {
  readonly requests: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

const settleMs = 300;

/** Requests that may wait for a connection; more means that the rate cannot be had. */
const maxWaiting = 10_000;

async function run(options: PacedOptions): Promise<PacedResult> {
  const http2 = options.protocol !== 'http1';
  const connections: RequestConnection[] = [];
  for (let i = 0; i < (http2 || options.rate === 0 ? 1 : options.connections); i++) {
    connections.push(await connectTo(options));
  }
  // The first request of a connection is no part of what is measured: pools fill, code is compiled.
  for (const connection of connections) {
    await connection.request();
  }
  const result = options.rate === 0 ? await oneAtATime(connections, options) : await paced(connections, options, http2);
  for (const connection of connections) {
    connection.close();
  }
  return result;
}

function connectTo({ port, protocol }: PacedOptions): Promise<RequestConnection> {
  return protocol === 'http1'
    ? connectHttp1(port)
    : connectHttp2Client(port, protocol === 'grpc' ? { path: grpcPath, message: grpcMessage() } : undefined);
}

async function oneAtATime(connections: readonly RequestConnection[], { seconds }: PacedOptions): Promise<PacedResult> {
  const [connection] = connections;
  const samples: number[] = [];
  const started = performance.now();
  for (let now = started; now - started < seconds * 1000 + settleMs; ) {
    await connection?.request();
    const end = performance.now();
    if (end - started > settleMs) {
      samples.push(end - now);
    }
    now = end;
  }
  return summary(samples, 0);
}

async function paced(
  connections: readonly RequestConnection[],
  { rate, seconds }: PacedOptions,
  shared: boolean,
): Promise<PacedResult> {
  const samples: number[] = [];
  const free = [...connections];
  const waiting: number[] = [];
  let errors = 0;
  let open = 0;
  const started = performance.now();

  function send(due: number): void {
    const connection = shared ? connections[0] : free.pop();
    if (connection === undefined) {
      waiting.push(due);
      return;
    }
    open++;
    connection.request().then(
      () => {
        const end = performance.now();
        if (due - started > settleMs) {
          samples.push(end - due);
        }
        done(connection);
      },
      () => {
        errors++;
        open--;
      },
    );
  }

  function done(connection: RequestConnection): void {
    open--;
    if (!shared) {
      free.push(connection);
      const due = waiting.shift();
      if (due !== undefined) {
        send(due);
      }
    }
  }

  await new Promise<void>((resolve) => {
    let sent = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      const elapsed = now - started;
      if (elapsed > seconds * 1000 + settleMs || waiting.length > maxWaiting) {
        clearInterval(timer);
        resolve();
        return;
      }
      for (const total = Math.floor((elapsed * rate) / 1000); sent < total; sent++) {
        send(now);
      }
    }, 1);
  });
  const deadline = performance.now() + 2_000;
  while (open > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return summary(samples, errors + open + waiting.length);
}

function summary(samples: readonly number[], errors: number): PacedResult {
  const at = (q: number): number => quantile(samples, q) ?? Number.NaN;
  return { requests: samples.length, errors, p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) };
}

if (process.argv[1] === import.meta.filename) {
  const result = await run(JSON.parse(process.argv[2] ?? '{}') as PacedOptions);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}
