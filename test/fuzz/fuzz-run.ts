import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@weft/testkit';

/**
 * How long each target runs: `WEFT_FUZZ_SECONDS`, else a minute in CI and a moment elsewhere. `WEFT_FUZZ_SEED` is the seed of the first
 * case, each further case has the next one: so a case can be repeated alone, with the seed that its failure names.
 */
const isCi = process.env['CI'] === 'true' || process.env['WEFT_CI'] === '1';
/** Targets that count cases instead of seconds run so many times as many in CI: some tens of seconds. */
export const ciFactor: number = isCi ? 10 : 1;
const seconds = Number(process.env['WEFT_FUZZ_SECONDS'] ?? (isCi ? 60 : 2));
/**
 * The seeds are fixed, so that one commit gives one verdict: without this bound a faster machine would look at inputs that nobody has
 * looked at. Whoever hunts gives a time and a seed, and no bound.
 */
const mostCases = process.env['WEFT_FUZZ_SECONDS'] === undefined ? 300_000 : Number.POSITIVE_INFINITY;
const firstSeed = Number(process.env['WEFT_FUZZ_SEED'] ?? 1);
/** Runs of a second look at too little to say anything about their distribution. */
const enoughCases = 200;

export type Random = () => number;

export interface FuzzTarget<Input> {
  /** File in `corpus/`, one input a line; lines with `#` are comments. */
  readonly corpus: string;
  read(line: string): Input;
  /** As a line of the corpus. */
  write(input: Input): string;
  make(random: Random, corpus: readonly Input[]): Input;
  /** Throws when the code under test does not do what it should. @returns a label of what came of it. */
  check(input: Input): string | Promise<string>;
  /** Labels that have to occur now and then, and the smallest share of each: otherwise the inputs are off. */
  readonly expected: Readonly<Record<string, number>>;
  /** A case may take this long, ms; default 2000. */
  readonly slowestMs?: number;
}

/** Runs the corpus, then random inputs until the time is over. @returns how many cases ran. */
export async function fuzz<Input>(target: FuzzTarget<Input>): Promise<number> {
  const corpus = readFileSync(join(import.meta.dirname, 'corpus', target.corpus), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => target.read(line));
  assert.ok(corpus.length > 0, `${target.corpus} is empty`);
  for (const input of corpus) {
    await run(target, input, 'from the corpus');
  }
  const labels = new Map<string, number>();
  const deadline = performance.now() + seconds * 1000;
  let cases = 0;
  while (performance.now() < deadline && cases < mostCases) {
    const seed = firstSeed + cases;
    const input = target.make(seededRandom(seed), corpus);
    const label = await run(target, input, `repeat it with WEFT_FUZZ_SEED=${seed} WEFT_FUZZ_SECONDS=1`);
    labels.set(label, (labels.get(label) ?? 0) + 1);
    cases += 1;
  }
  for (const [label, share] of cases < enoughCases ? [] : Object.entries(target.expected)) {
    const seen = labels.get(label) ?? 0;
    assert.ok(
      seen >= cases * share,
      `${label}: ${seen} of ${cases}; the inputs are off: ${JSON.stringify([...labels])}`,
    );
  }
  return cases;
}

async function run<Input>(target: FuzzTarget<Input>, input: Input, how: string): Promise<string> {
  const limitMs = target.slowestMs ?? 2000;
  try {
    for (let turn = 1; ; turn += 1) {
      const started = performance.now();
      const label = await target.check(input);
      const tookMs = performance.now() - started;
      if (tookMs <= limitMs) {
        return label;
      }
      // A machine that stood still for a moment is not slow code: that is slow again.
      assert.ok(turn < 3, `took ${Math.round(tookMs)} ms, three times more than ${limitMs}`);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${reason}\n${how}; when it is mended, add this line to test/fuzz/corpus/${target.corpus}:\n${target.write(input)}\n`,
      { cause: error },
    );
  }
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}

/** One to `most` small changes of some bytes: flips, drops, insertions, repetitions, pieces of other inputs. */
export function mutateBytes(random: Random, bytes: Buffer, others: readonly Buffer[], most = 4): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let count = 1 + Math.floor(random() * most); count > 0; count -= 1) {
    result = mutateOnce(random, result, others);
  }
  return result;
}

const interesting = [0, 1, 9, 10, 13, 32, 0x3a, 0x7f, 0x80, 0xff];

function mutateOnce(random: Random, bytes: Buffer, others: readonly Buffer[]): Buffer {
  const at = Math.floor(random() * (bytes.length + 1));
  const length = 1 + Math.floor(random() ** 3 * 20);
  const before = bytes.subarray(0, at);
  switch (Math.floor(random() * 7)) {
    case 0: {
      const changed = Buffer.from(bytes);
      if (at < changed.length) {
        changed[at] = (changed[at] as number) ^ (1 << Math.floor(random() * 8));
      }
      return changed;
    }
    case 1: {
      const changed = Buffer.from(bytes);
      if (at < changed.length) {
        changed[at] = random() < 0.5 ? pick(random, interesting) : Math.floor(random() * 256);
      }
      return changed;
    }
    case 2:
      return Buffer.concat([before, bytes.subarray(at + length)]);
    case 3:
      return Buffer.concat([
        before,
        Buffer.from(Array.from({ length }, () => pick(random, interesting))),
        bytes.subarray(at),
      ]);
    case 4:
      return Buffer.concat([before, bytes.subarray(at, at + length), bytes.subarray(at)]);
    case 5: {
      const other = others.length === 0 ? bytes : pick(random, others);
      const from = Math.floor(random() * other.length);
      return Buffer.concat([before, other.subarray(from, from + length * 4), bytes.subarray(at)]);
    }
    default:
      return random() < 0.3 ? Buffer.from(before) : Buffer.from(bytes);
  }
}
