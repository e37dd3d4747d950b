import type { CaseResult } from './case-result.ts';
import type { PacedOptions, PacedResult } from './clients/paced-client.ts';
import { runClient } from './clients/run-client.ts';
import { type Contender, title } from './contender.ts';
import { quietly } from './quiet.ts';
import { undisturbed } from './realtime.ts';
import { median } from './statistics.ts';

/** Medians of the rounds; milliseconds. */
export interface LatencySummary {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly errors: number;
}

/**
 * Latency of each contender in turn, round after round.
 * @param options.rate requests a second, 0 for one at a time.
 */
export async function latencyRounds(
  contenders: readonly Pick<Contender, 'proxy' | 'variant' | 'port'>[],
  options: {
    readonly protocol: PacedOptions['protocol'];
    readonly rate: number;
    readonly rounds: number;
    readonly seconds: number;
    readonly connections: number;
    readonly say: (line: string) => void;
  },
): Promise<readonly LatencySummary[]> {
  const { protocol, rate, seconds, connections } = options;
  const rows = contenders.map((): PacedResult[] => []);
  for (let round = 1; round <= options.rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const { port } = contender;
      const run = (): Promise<PacedResult> =>
        runClient<PacedResult>('paced-client.ts', { port, protocol, rate, connections, seconds });
      // One request at a time is a core's work: what has priority there takes it from everybody.
      const row = await quietly(() => (rate === 0 ? run() : undisturbed(run)));
      rows[index]?.push(row);
      const how = rate === 0 ? 'one at a time' : `${rate}/s`;
      options.say(
        `round ${round} ${title(contender)} at ${how}: p50 ${row.p50Ms.toFixed(3)} ms, p99 ${row.p99Ms.toFixed(3)} ms`,
      );
    }
  }
  return rows.map((list) => ({
    p50Ms: median(list.map((row) => row.p50Ms)) ?? Number.NaN,
    p99Ms: median(list.map((row) => row.p99Ms)) ?? Number.NaN,
    p999Ms: median(list.map((row) => row.p999Ms)) ?? Number.NaN,
    errors: list.reduce((sum, row) => sum + row.errors, 0),
  }));
}

/** Latency at the fixed rate as a result has it, and what of it is not in a direct call. Nothing for one that was not timed. */
export function pacedFields(
  latency: LatencySummary | undefined,
  direct: LatencySummary | undefined,
): Pick<CaseResult, 'p50Ms' | 'p99Ms' | 'p999Ms' | 'addedP50Ms' | 'addedP99Ms'> {
  if (latency === undefined || direct === undefined) {
    return {};
  }
  const { p50Ms, p99Ms, p999Ms } = latency;
  return { p50Ms, p99Ms, p999Ms, addedP50Ms: p50Ms - direct.p50Ms, addedP99Ms: p99Ms - direct.p99Ms };
}
