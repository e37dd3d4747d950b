import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { pieces, readRequests, readResponse } from '../conformance/http1/codec-feed.ts';
import { randomRequest, randomResponse } from './http1-grammar.ts';

/** Set `WEFT_FUZZ_SEED` to repeat a run, `WEFT_FUZZ_CASES` for a longer one. */
const seed = Number(process.env['WEFT_FUZZ_SEED'] ?? 20_260_101);
const cases = Number(process.env['WEFT_FUZZ_CASES'] ?? 4000);

function randomCuts(random: () => number, length: number): number[] {
  const count = Math.floor(random() * 6);
  return Array.from({ length: count }, () => Math.floor(random() * length)).sort((a, b) => a - b);
}

test(`requests: no input throws, and pieces are read as the whole (seed ${seed}, ${cases} cases)`, () => {
  const random = seededRandom(seed);
  let accepted = 0;
  for (let index = 0; index < cases; index += 1) {
    const bytes = randomRequest(random);
    const whole = readRequests([bytes]);
    const cut = readRequests(pieces(bytes, randomCuts(random, bytes.length)));
    assert.deepEqual(cut, whole, `case ${index}: ${JSON.stringify(bytes.toString('latin1'))}`);
    accepted += whole.error === undefined && whole.messages.some((message) => message.complete) ? 1 : 0;
    for (const message of whole.messages) {
      for (const field of [...message.fields, ...message.trailers]) {
        assert.match(field, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*$/);
      }
    }
  }
  assert.ok(
    accepted > cases / 10 && accepted < (cases * 9) / 10,
    `${accepted} of ${cases} accepted: the grammar is off`,
  );
});

test(`responses: no input throws, and pieces are read as the whole (seed ${seed}, ${cases} cases)`, () => {
  const random = seededRandom(seed + 1);
  let accepted = 0;
  for (let index = 0; index < cases; index += 1) {
    const bytes = randomResponse(random);
    const whole = readResponse([bytes]);
    const cut = readResponse(pieces(bytes, randomCuts(random, bytes.length)));
    assert.deepEqual(cut, whole, `case ${index}: ${JSON.stringify(bytes.toString('latin1'))}`);
    accepted += whole.error === undefined ? 1 : 0;
  }
  assert.ok(
    accepted > cases / 10 && accepted < (cases * 9) / 10,
    `${accepted} of ${cases} accepted: the grammar is off`,
  );
});
