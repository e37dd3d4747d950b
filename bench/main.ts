/**
 * `npm run bench`: measures, and prints tables. Options: names of benchmarks (all by default), `--json FILE`, `--seconds N` (length of one
 * measurement, default 8), `--rounds N` (default 5), `--connections N` (default 64). See bench/README.md for what the figures mean.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchHttp1Plain, type CaseResult } from './load/http1-plain.ts';
import { benchIdleMemory, type MemoryRow } from './load/idle-memory.ts';
import { benchPropagation, type PropagationResult } from './load/propagation.ts';
import { benchStartUp, type StartUpResult } from './load/start-up.ts';

interface Results {
  machine: string;
  cases: readonly CaseResult[];
  memory: readonly MemoryRow[];
  propagation: PropagationResult | undefined;
  startUp: StartUpResult | undefined;
}

const names = ['http1-plain', 'memory', 'propagation', 'start'] as const;
type BenchmarkName = (typeof names)[number];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    proxies: { type: 'string', default: '10' },
    changes: { type: 'string', default: '100' },
  },
});
const unknown = positionals.filter((name) => !(names as readonly string[]).includes(name));
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no benchmark ${unknown.join(', ')}; there are ${names.join(', ')}\n`);
  process.exit(2);
}
const wanted = (name: BenchmarkName): boolean => positionals.length === 0 || positionals.includes(name);
const say = (line: string): void => void process.stderr.write(`  ${line}\n`);

const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux, Node ${process.versions.node}`;
const results: Results = { machine, cases: [], memory: [], propagation: undefined, startUp: undefined };
const folder = mkdtempSync(join(tmpdir(), 'weft-bench-'));
process.stdout.write(`machine: ${machine}\n`);
try {
  if (wanted('http1-plain')) {
    process.stdout.write('\nhttp1-plain: CPU per proxied request, plaintext HTTP/1.1 keep-alive, proxy on one core\n');
    results.cases = await benchHttp1Plain({
      seconds: Number(values.seconds),
      rounds: Number(values.rounds),
      connections: Number(values.connections),
      folder,
      say,
    });
    printTable(
      ['proxy', 'µs/request', 'spread', 'ratio to Envoy', 'requests/s', 'p50 ms', 'p99 ms', 'RSS MB', 'errors'],
      results.cases.map((row) => [
        row.proxy,
        row.cpuUsPerRequest.toFixed(1),
        `${row.cpuUsSpread[0].toFixed(1)}–${row.cpuUsSpread[1].toFixed(1)}`,
        row.ratioToEnvoy?.toFixed(2) ?? '–',
        String(Math.round(row.rps)),
        row.p50Ms.toFixed(2),
        row.p99Ms.toFixed(2),
        row.rssMb.toFixed(0),
        String(row.errors),
      ]),
    );
  }
  if (wanted('memory')) {
    process.stdout.write('\nmemory: resident memory at rest\n');
    results.memory = await benchIdleMemory({ say });
    printTable(
      ['process', 'RSS MB'],
      results.memory.map((row) => [row.process, row.rssMb.toFixed(1)]),
    );
  }
  if (wanted('propagation')) {
    process.stdout.write('\npropagation: a routing change written to the API until every proxy has applied it\n');
    results.propagation = await benchPropagation({
      proxies: Number(values.proxies),
      changes: Number(values.changes),
      say,
    });
    const { proxies, changes, p50Ms, p99Ms, maxMs } = results.propagation;
    printTable(
      ['proxies', 'changes', 'p50 ms', 'p99 ms', 'max ms'],
      [[String(proxies), String(changes), p50Ms.toFixed(1), p99Ms.toFixed(1), maxMs.toFixed(1)]],
    );
  }
  if (wanted('start')) {
    process.stdout.write('\nstart: npm start until the first page of the shop has come through the mesh\n');
    results.startUp = await benchStartUp({ rounds: Number(values.rounds), say });
    const { rounds, builtSeconds, unbuiltSeconds } = results.startUp;
    printTable(
      ['rounds', 'built s', 'with the build s'],
      [[String(rounds), builtSeconds.toFixed(1), unbuiltSeconds.toFixed(1)]],
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}

function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [header, ...rows]) {
    process.stdout.write(
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}\n`,
    );
  }
}
