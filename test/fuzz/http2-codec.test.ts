import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { http2Preface } from '@weft/http-codec';
import { seededRandom } from '@weft/testkit';
import { ciFactor } from './fuzz-run.ts';
import { spoilt } from './http2-mutation.ts';
import { ask, judge, serve } from './http2-reading.ts';
import { runScenario } from './http2-scenario.ts';

/** Set `WEFT_FUZZ_SEED` to repeat a run, `WEFT_FUZZ_CASES` for a longer one. */
const seed = Number(process.env['WEFT_FUZZ_SEED'] ?? 20_260_102);
const cases = Number(process.env['WEFT_FUZZ_CASES'] ?? 2000 * ciFactor);

/** Spoilt conversations for each one that is had. */
const perScenario = 40;
const sides = [
  ['up', serve, http2Preface.length],
  ['down', ask, 0],
] as const;

describe('HTTP/2 codecs', () => {
  test(`conversations come out as they were meant, over tiny windows and in any pieces (seed ${seed})`, () => {
    for (let index = 0; index < cases / perScenario; index += 1) {
      const { differences } = runScenario(seededRandom(seed + index));
      assert.deepEqual(differences, [], `seed ${seed + index}`);
    }
  });

  test('the corpus: inputs found before', () => {
    const text = readFileSync(join(import.meta.dirname, 'corpus', 'http2.txt'), 'utf8');
    const entries = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.ok(entries.length > 10);
    for (const entry of entries) {
      const [direction, hex] = entry.split('/');
      const side = sides.find(([name]) => name === direction);
      assert.ok(side !== undefined, entry.slice(0, 20));
      judge(side[1], Buffer.from(hex ?? '', 'hex'), seededRandom(seed));
    }
  });

  for (const [direction, read, from] of sides) {
    test(`spoilt conversations ${direction}: never a throw, the same in pieces (seed ${seed}, ${cases} cases)`, () => {
      const random = seededRandom(seed);
      let ended = 0;
      let source: Buffer = Buffer.alloc(0);
      for (let index = 0; index < cases; index += 1) {
        if (index % perScenario === 0) {
          const scenario = runScenario(seededRandom(seed + index));
          source = scenario[direction];
        }
        const bytes = spoilt(random, source, from);
        try {
          ended += judge(read, bytes, random).finished ? 1 : 0;
        } catch (error) {
          throw new Error(`for the corpus: ${direction}/${bytes.toString('hex')}`, { cause: error });
        }
      }
      assert.ok(ended > cases / 10 && ended < (cases * 9) / 10, `${ended} of ${cases} ended: the grammar is off`);
    });
  }
});
