/**
 * `npm run bench`: measures, and prints tables. Names of benchmarks as arguments (all by default); options are in bench/README.md, which also
 * says what the figures mean.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type CaseName, type CaseOutcome, caseNames } from './load/case-result.ts';
import { benchHttp1MtlsPair, benchHttp1Plain } from './load/cases/http1.ts';
import { benchHttp2 } from './load/cases/http2.ts';
import { benchTcp } from './load/cases/tcp.ts';
import { benchTlsHandshake } from './load/cases/tls-handshake.ts';
import type { Field } from './load/field.ts';
import { benchGarbage } from './load/garbage.ts';
import { benchMemory } from './load/memory.ts';
import { meshResources } from './load/mesh-resources.ts';
import { benchPropagation } from './load/propagation.ts';
import { benchProxyStart } from './load/proxy-start.ts';
import { printCase, printGarbage, printMemory, printTable } from './load/report.ts';
import type { Results } from './load/results.ts';
import { benchStartUp } from './load/start-up.ts';

const otherNames = ['memory', 'garbage', 'propagation', 'proxy-start', 'start'] as const;
const names: readonly string[] = [...caseNames, ...otherNames];

const usage = `usage: npm run bench -- [BENCHMARK …] [--rounds 3] [--seconds 3] [--connections 64] [--idle 5000]
                        [--proxies 10] [--changes 100] [--json FILE]
benchmarks (all by default): ${names.join(', ')}
bench/README.md says what they measure and what the options mean.
`;
const { values, positionals } = orUsage(() =>
  parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      json: { type: 'string' },
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      idle: { type: 'string', default: '5000' },
      proxies: { type: 'string', default: '10' },
      changes: { type: 'string', default: '100' },
    },
  }),
);
if (values.help === true) {
  process.stdout.write(usage);
  process.exit(0);
}
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no benchmark ${unknown.join(', ')}; there are ${names.join(', ')}\n`);
  process.exit(2);
}
for (const key of ['seconds', 'rounds', 'connections', 'idle', 'proxies', 'changes'] as const) {
  if (!(Number(values[key]) > 0)) {
    process.stderr.write(`bench: --${key} must be a number above 0\n`);
    process.exit(2);
  }
}
const wanted = (name: CaseName | (typeof otherNames)[number]): boolean =>
  positionals.length === 0 || positionals.includes(name);
const begun = performance.now();
const say = (line: string): void =>
  void process.stderr.write(`  [${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s] ${line}\n`);
const rounds = Number(values.rounds);

const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux, Node ${process.versions.node}`;
const results: Results = { machine, cases: [], skipped: [], failed: [] };
const folder = mkdtempSync(join(tmpdir(), 'weft-bench-'));
process.stdout.write(`machine: ${machine}\n`);

process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(code));
}

function orUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

/** One benchmark that fails does not take the others with it: it is named, and the exit code says so. */
async function part(name: string, heading: string, run: () => Promise<void>): Promise<void> {
  process.stdout.write(`\n${name}: ${heading}\n`);
  say(name);
  try {
    await run();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    results.failed.push({ name, reason });
    process.stdout.write(`  FAILED: ${reason}\n`);
  }
  save();
}

function save(): void {
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  }
}

const cases: readonly (readonly [CaseName, string, (field: Field) => Promise<CaseOutcome>])[] = [
  ['http1-plain', 'plaintext HTTP/1.1 with keep-alive, one hop', benchHttp1Plain],
  ['http1-mtls-pair', 'HTTP/1.1, sidecar, mutual TLS, sidecar, HTTP/1.1; CPU of both sidecars', benchHttp1MtlsPair],
  ['http2-plain', 'plaintext HTTP/2, one hop, 100 streams', (field) => benchHttp2(field, 'http2-plain')],
  ['grpc-unary', 'unary gRPC, one hop, 100 streams', (field) => benchHttp2(field, 'grpc-unary')],
  ['tcp-plain', 'TCP, 64 KiB writes, one hop; CPU for 64 KiB', (field) => benchTcp(field, 'tcp-plain')],
  [
    'tcp-mtls',
    'TCP, 64 KiB writes, sidecar, mutual TLS, sidecar; CPU for 64 KiB',
    (field) => benchTcp(field, 'tcp-mtls'),
  ],
  ['tls-handshake', 'mutual TLS handshakes answered; CPU of one', benchTlsHandshake],
];
try {
  const needField = caseNames.some(wanted) || wanted('memory') || wanted('garbage');
  if (needField) {
    say('a mesh makes the configuration');
    const field: Field = {
      folder,
      resources: await meshResources(folder),
      rounds,
      seconds: Number(values.seconds),
      connections: Number(values.connections),
      say,
    };
    for (const [name, heading, run] of cases.filter(([caseName]) => wanted(caseName))) {
      await part(name, heading, async () => {
        const outcome = await run(field);
        results.cases.push(...outcome.results);
        results.skipped.push(...outcome.skipped);
        printCase(outcome);
      });
    }
    if (wanted('garbage')) {
      await part('garbage', 'what our proxy allocates and collects under http1-plain', async () => {
        results.garbage = await benchGarbage(field);
        printGarbage(results.garbage);
      });
    }
    if (wanted('memory')) {
      await part('memory', 'resident memory', async () => {
        results.memory = await benchMemory(field, Number(values.idle));
        printMemory(results.memory);
      });
    }
  }
  if (wanted('propagation')) {
    await part('propagation', 'a routing change written to the API until every proxy has applied it', async () => {
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
    });
  }
  if (wanted('proxy-start')) {
    await part('proxy-start', 'our proxy from its start until it is ready, with a stored configuration', async () => {
      results.proxyStart = await benchProxyStart({ runs: 10, say });
      const { runs, p50Ms, maxMs, aloneP50Ms, aloneMaxMs } = results.proxyStart;
      printTable(
        ['runs', 'p50 ms', 'max ms', 'p50 ms, no control plane', 'max ms, no control plane'],
        [[String(runs), ...[p50Ms, maxMs, aloneP50Ms, aloneMaxMs].map((ms) => ms.toFixed(0))]],
      );
    });
  }
  if (wanted('start')) {
    await part('start', 'npm start until the first page of the shop has come through the mesh', async () => {
      results.startUp = await benchStartUp({ rounds, say });
      const { builtSeconds, unbuiltSeconds } = results.startUp;
      printTable(
        ['rounds', 'built s', 'with the build s'],
        [[String(rounds), builtSeconds.toFixed(1), unbuiltSeconds.toFixed(1)]],
      );
    });
  }
} finally {
  save();
}
process.exitCode = results.failed.length > 0 ? 1 : 0;
