import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pieces, type Reading, readRequests, readResponse } from '../conformance/http1/codec-feed.ts';
import { type FuzzTarget, fuzz, mutateBytes, type Random } from './fuzz-run.ts';
import { randomRequest, randomResponse } from './http1-grammar.ts';

/** Bytes, and where they are cut. */
interface CutBytes {
  readonly bytes: Buffer;
  readonly cuts: readonly number[];
}

function target(
  corpus: string,
  grammar: (random: Random) => Buffer,
  read: (parts: readonly Buffer[]) => Reading,
): FuzzTarget<CutBytes> {
  return {
    corpus,
    read: (line) => {
      const [text = '""', ...cuts] = line.split('\t');
      return { bytes: Buffer.from(String(JSON.parse(text)), 'latin1'), cuts: cuts.map(Number) };
    },
    write: ({ bytes, cuts }) => [JSON.stringify(bytes.toString('latin1')), ...cuts].join('\t'),
    make: (random, known) => {
      const others = known.map(({ bytes }) => bytes);
      const origin = random() < 0.8 ? grammar(random) : (others[Math.floor(random() * others.length)] as Buffer);
      const bytes = random() < 0.7 ? origin : mutateBytes(random, origin, others);
      const count = Math.floor(random() * 6);
      const cuts = Array.from({ length: count }, () => Math.floor(random() * bytes.length)).sort((a, b) => a - b);
      return { bytes, cuts };
    },
    check: ({ bytes, cuts }) => {
      const whole = read([bytes]);
      assert.deepEqual(read(pieces(bytes, cuts)), whole, 'pieces are not read as the whole');
      for (const message of whole.messages) {
        for (const field of [...message.fields, ...message.trailers]) {
          assert.match(field, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*$/);
        }
      }
      return whole.error !== undefined
        ? 'refused'
        : whole.messages.some((message) => message.complete)
          ? 'accepted'
          : 'incomplete';
    },
    expected: { accepted: 0.1, refused: 0.1 },
  };
}

test('requests: no input throws, and pieces are read as the whole', async (t) => {
  t.diagnostic(`${await fuzz(target('http1-requests.txt', randomRequest, (parts) => readRequests(parts)))} cases`);
});

test('responses: no input throws, and pieces are read as the whole', async (t) => {
  t.diagnostic(`${await fuzz(target('http1-responses.txt', randomResponse, (parts) => readResponse(parts)))} cases`);
});
