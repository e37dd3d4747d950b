/**
 * Loaded into our proxy by `--import`: SIGUSR2 begins to record garbage collections, the next one writes {@link GcRecord} to the file of
 * `WEFT_BENCH_GC_FILE`. The product knows nothing of it.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { GCProfiler } from 'node:v8';

export interface GcRecord {
  /** Bytes allocated in V8's heap between the first collection and the last. */
  readonly allocatedBytes: number;
  /** Time between the first collection and the last, milliseconds. */
  readonly spanMs: number;
  /** Pauses, milliseconds. */
  readonly scavengesMs: readonly number[];
  readonly majorsMs: readonly number[];
}

const file = process.env['WEFT_BENCH_GC_FILE'];
let profiler: GCProfiler | undefined;

process.on('SIGUSR2', () => {
  if (profiler === undefined) {
    profiler = new GCProfiler();
    profiler.start();
    return;
  }
  const { statistics, startTime, endTime } = profiler.stop();
  profiler = undefined;
  let allocatedBytes = 0;
  let last: number | undefined;
  for (const { beforeGC, afterGC } of statistics) {
    allocatedBytes += last === undefined ? 0 : beforeGC.heapStatistics.usedHeapSize - last;
    last = afterGC.heapStatistics.usedHeapSize;
  }
  const pauses = (minor: boolean): number[] =>
    statistics.filter(({ gcType }) => (gcType === 'Scavenge') === minor).map(({ cost }) => cost / 1000);
  const record: GcRecord = {
    allocatedBytes,
    spanMs: endTime - startTime,
    scavengesMs: pauses(true),
    majorsMs: pauses(false),
  };
  if (file !== undefined) {
    writeFileSync(`${file}.new`, JSON.stringify(record));
    renameSync(`${file}.new`, file);
  }
});
