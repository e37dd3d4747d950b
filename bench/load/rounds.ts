import { type Contender, title } from './contender.ts';
import { processCost } from './process-cost.ts';
import { quietly } from './quiet.ts';
import { median } from './statistics.ts';

/** What one run of a load generator did. */
export interface Load {
  /** Requests, handshakes, or units of 64 KiB. */
  readonly work: number;
  readonly seconds: number;
  readonly errors: number;
}

/** Medians of the rounds of one contender. */
export interface CostSummary {
  readonly cpuUsPerRequest: number;
  readonly cpuUsSpread: readonly [number, number];
  readonly cpuUserUs: number;
  readonly cpuSystemUs: number;
  readonly rps: number;
  readonly rssMb: number;
  readonly errors: number;
}

interface Row {
  readonly userUs: number;
  readonly systemUs: number;
  readonly rps: number;
  readonly rssMb: number;
  readonly errors: number;
}

/** Work after which nothing is compiled any more, and how often the load is run to get there at most. */
const warmUpWork = 60_000;
const maxWarmUps = 6;
const warmUpSeconds = 2;

/**
 * Puts load on each contender in turn, round after round, and takes what the kernel accounted to it meanwhile. Before that each is warmed up: compilers
 * and pools.
 * @param options.seconds length of one run. @param options.warmUpWork default {@link warmUpWork}.
 */
export async function costRounds(
  contenders: readonly Contender[],
  options: {
    readonly rounds: number;
    readonly seconds: number;
    readonly warmUpWork?: number;
    readonly say: (line: string) => void;
    readonly load: (contender: Contender, seconds: number) => Promise<Load>;
  },
): Promise<ReadonlyMap<Contender, CostSummary>> {
  const rows = new Map<Contender, Row[]>(contenders.map((contender) => [contender, []]));
  for (const contender of contenders) {
    let work = 0;
    for (let run = 0; run < maxWarmUps && work < (options.warmUpWork ?? warmUpWork); run++) {
      work += (await quietly(() => options.load(contender, warmUpSeconds))).work;
    }
  }
  for (let round = 1; round <= options.rounds; round++) {
    for (const contender of contenders) {
      const row = await quietly(() => measure(contender, () => options.load(contender, options.seconds)));
      rows.get(contender)?.push(row);
      const cpu = (row.userUs + row.systemUs).toFixed(1);
      const failed = row.errors === 0 ? '' : `, ${row.errors} errors`;
      options.say(`round ${round} ${title(contender)}: ${cpu} µs, ${Math.round(row.rps)}/s${failed}`);
    }
  }
  return new Map([...rows].map(([contender, list]) => [contender, summary(list)]));
}

async function measure(contender: Contender, load: () => Promise<Load>): Promise<Row> {
  const before = processCost(...contender.pids);
  const { work, seconds, errors } = await load();
  const after = processCost(...contender.pids);
  if (work === 0) {
    throw new Error(`${title(contender)} did no work under load (${errors} errors)`);
  }
  return {
    userUs: ((after.userSeconds - before.userSeconds) * 1e6) / work,
    systemUs: ((after.systemSeconds - before.systemSeconds) * 1e6) / work,
    rps: work / seconds,
    rssMb: after.rssBytes / 2 ** 20,
    errors,
  };
}

function summary(rows: readonly Row[]): CostSummary {
  const middle = (pick: (row: Row) => number): number => median(rows.map(pick)) ?? Number.NaN;
  const cpu = rows.map(({ userUs, systemUs }) => userUs + systemUs);
  return {
    cpuUsPerRequest: median(cpu) ?? Number.NaN,
    cpuUsSpread: [Math.min(...cpu), Math.max(...cpu)],
    cpuUserUs: middle((row) => row.userUs),
    cpuSystemUs: middle((row) => row.systemUs),
    rps: middle((row) => row.rps),
    rssMb: middle((row) => row.rssMb),
    errors: rows.reduce((sum, row) => sum + row.errors, 0),
  };
}
