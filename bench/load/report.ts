/** Tables for people. */
import type { CaseOutcome, CaseResult } from './case-result.ts';
import type { GarbageResult } from './garbage.ts';
import type { MemoryResult } from './memory.ts';

export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((text, column) => Math.max(text.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [header, ...rows]) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    process.stdout.write(`  ${cells.join('  ')}\n`);
  }
}

export function printCase({ results, skipped }: CaseOutcome): void {
  const perUnit = (row: CaseResult): string =>
    row.bytesPerCpuSecond !== undefined
      ? `${(row.bytesPerCpuSecond / 1e9).toFixed(2)} GB`
      : row.handshakesPerCpuSecond !== undefined
        ? `${Math.round(row.handshakesPerCpuSecond)}`
        : `${Math.round(1e6 / row.cpuUsPerRequest)}`;
  printTable(
    ['proxy', 'CPU µs', 'spread', 'user', 'system', 'per CPU s', '/ Envoy', '/ HAProxy', 'per s', 'RSS MB', 'errors'],
    results.map((row) => [
      name(row),
      row.cpuUsPerRequest.toFixed(1),
      `${row.cpuUsSpread[0].toFixed(1)}–${row.cpuUsSpread[1].toFixed(1)}`,
      row.cpuUserUs.toFixed(1),
      row.cpuSystemUs.toFixed(1),
      perUnit(row),
      row.ratioToEnvoy?.toFixed(2) ?? '–',
      row.ratioToHaproxy?.toFixed(2) ?? '–',
      String(Math.round(row.rps)),
      row.rssMb.toFixed(0),
      String(row.errors),
    ]),
  );
  const timed = results.filter(({ p50Ms }) => p50Ms !== undefined);
  if (timed.length > 0) {
    process.stdout.write('  latency, ms: at 1,000 requests/s, added to a direct call, and one request at a time\n');
    const ms = (value: number | undefined): string => value?.toFixed(3) ?? '–';
    printTable(
      ['proxy', 'p50', 'p99', 'p99.9', 'added p50', 'added p99', 'single p50', 'single p99', 'added p50', 'added p99'],
      timed.map((row) => [
        name(row),
        ...[row.p50Ms, row.p99Ms, row.p999Ms, row.addedP50Ms, row.addedP99Ms].map(ms),
        ...[row.sequentialP50Ms, row.sequentialP99Ms, row.sequentialAddedP50Ms, row.sequentialAddedP99Ms].map(ms),
      ]),
    );
  }
  for (const { proxy, reason } of skipped) {
    process.stdout.write(`  not measured: ${proxy}: ${reason.split('\n').slice(0, 3).join(' ').slice(0, 400)}\n`);
  }
}

export function printGarbage(row: GarbageResult): void {
  printTable(
    ['requests', 'bytes/request', 'scavenges', 'majors', 'pause p50 ms', 'p99 ms', 'max ms', 'time in pauses'],
    [
      [
        String(row.requests),
        row.bytesPerRequest.toFixed(0),
        String(row.scavenges),
        String(row.majors),
        row.pauseP50Ms.toFixed(2),
        row.pauseP99Ms.toFixed(2),
        row.pauseMaxMs.toFixed(2),
        `${(row.share * 100).toFixed(2)} %`,
      ],
    ],
  );
}

export function printMemory({ idle, services, perIdleConnection }: MemoryResult): void {
  printTable(
    ['at rest', 'RSS MB'],
    idle.map((row) => [row.process, row.rssMb.toFixed(1)]),
  );
  printTable(
    ['5 services used of 1,000', 'first traffic MB', 'then added MB'],
    services.map((row) => [row.proxy, row.firstTrafficMb.toFixed(1), row.addedMb.toFixed(1)]),
  );
  printTable(
    ['idle connection', 'KB each', 'connections'],
    perIdleConnection.map((row) => [`${row.proxy}, ${row.transport}`, row.kb.toFixed(1), String(row.connections)]),
  );
}

function name({ proxy, variant }: CaseResult): string {
  return variant === undefined ? proxy : `${proxy}, ${variant}`;
}
