import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { HeadFields } from '../../packages/http-codec/src/head-fields.ts';
import type { HpackDecoder } from '../../packages/http-codec/src/http2/hpack/decoder.ts';
import { FieldBlock, HpackEncoder } from '../../packages/http-codec/src/http2/hpack/encoder.ts';
import type { FieldSection } from '../../packages/http-codec/src/http2/hpack/pseudo-fields.ts';
import { decodeBlock, fieldsOf, newDecoder, sizeUpdate } from '../../packages/http-codec/test/hpack-blocks.ts';
import { ciFactor } from './fuzz-run.ts';
import { FieldSource, mutated, type Pair, pick, type Random, randomBlock } from './hpack-grammar.ts';
import { ReferenceDecoder } from './hpack-reference.ts';

/** `WEFT_FUZZ_SEED` repeats a run, `WEFT_FUZZ_CASES` (blocks) makes a longer one. */
const seed = Number(process.env['WEFT_FUZZ_SEED'] ?? 20_260_104);
const cases = Number(process.env['WEFT_FUZZ_CASES'] ?? 30_000 * ciFactor);
const limits = { maxHeadBytes: 2000, maxFields: 8 };
const sections: readonly FieldSection[] = ['request', 'request', 'response', 'trailers'];

/** What may come out, whatever goes in. */
function checkHead(decoder: HpackDecoder, bytes: Buffer, section: FieldSection, expected: Pair[] | undefined): string {
  const fields = new HeadFields();
  const { result, problem, pseudo, lines } = decodeBlock(decoder, bytes, section, fields);
  assert.equal(result === 'compression-error', expected === undefined, `${result} ${problem}`);
  assert.ok(fields.count <= limits.maxFields);
  assert.ok(fields.size <= limits.maxHeadBytes + 4 * limits.maxFields + 'host: \r\n'.length);
  if (result !== 'ok') {
    return `${result}: ${problem}`;
  }
  for (const line of lines) {
    assert.match(line, /^[!#$%&'*+\-.^_`|~0-9a-z]+: (?![\t ])[\t\x20-\x7e\x80-\xff]*(?<![\t ])$|^[^ ]+: $/);
  }
  const { method, scheme, authority, path, protocol, status } = pseudo;
  assert.match(`${scheme ?? ''}${authority ?? ''}${path ?? ''}`, /^[^\0-\x20\x7f#]*$/);
  assert.match(`${method ?? ''}${protocol ?? ''}`, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*$/);
  const ofPseudo: (readonly [string, string | undefined])[] = [
    [':method', method],
    [':scheme', scheme],
    [':authority', authority],
    [':path', path],
    [':protocol', protocol],
    [':status', status === 0 ? undefined : String(status)],
  ];
  for (const [name, value] of ofPseudo) {
    assert.equal(value, expected?.find((pair) => pair[0] === name)?.[1], name);
  }
  assert.deepEqual(lines, expectedLines(expected ?? [], section));
  return 'ok';
}

/** The lines of a head that is well-formed: host first, made of the authority, cookies joined. */
function expectedLines(pairs: readonly Pair[], section: FieldSection): string[] {
  const authority = pairs.find(([name]) => name === ':authority')?.[1] ?? '';
  const lines = section === 'request' && authority !== '' ? [`host: ${authority}`] : [];
  let cookie = -1;
  for (const [name, value] of pairs) {
    if (name.startsWith(':') || (name === 'host' && section === 'request' && authority !== '')) {
      continue;
    }
    if (name === 'cookie' && section === 'request' && cookie >= 0) {
      const before = lines[cookie] as string;
      lines[cookie] = `${before}${before === 'cookie: ' || value === '' ? '' : '; '}${value}`;
    } else {
      cookie = name === 'cookie' ? lines.length : cookie;
      lines.push(`${name}: ${value}`);
    }
  }
  return lines;
}

/** A stretch of blocks through one decoder and the reference; ends when the connection would. */
function feed(blocks: readonly (readonly [FieldSection, Buffer])[], outcomes: Map<string, number>): void {
  const decoder = newDecoder(limits);
  const reference = new ReferenceDecoder();
  let alive = true;
  for (const [section, bytes] of blocks) {
    const expected = reference.decode(bytes);
    const outcome = checkHead(decoder, bytes, section, expected);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (expected === undefined) {
      alive = false;
      break;
    }
  }
  if (alive) {
    // Whatever the table holds, a peer that empties it can begin anew.
    const encoder = new HpackEncoder();
    const out = new FieldBlock();
    for (let time = 0; time < 3; time += 1) {
      encoder.begin(out);
      encoder.status(200);
      encoder.fields(fieldsOf([['x-after', 'garbage']]));
      const bytes = Buffer.from(out.bytes.subarray(0, out.length));
      const whole = time === 0 ? Buffer.concat([sizeUpdate(0), sizeUpdate(4096), bytes]) : bytes;
      assert.deepEqual(decodeBlock(decoder, whole, 'response').lines, ['x-after: garbage']);
    }
  }
}

describe('HPACK decoder', () => {
  test('the corpus: inputs found before', () => {
    const text = readFileSync(join(import.meta.dirname, 'corpus', 'hpack.txt'), 'utf8');
    const entries = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.ok(entries.length > 20);
    for (const entry of entries) {
      const blocks = entry.split(' ').map((part) => {
        const [section, hex] = part.split('/');
        return [section as FieldSection, Buffer.from(hex ?? '', 'hex')] as const;
      });
      feed(blocks, new Map());
    }
  });

  test(`agrees with a plain decoder on any bytes, and keeps its limits (seed ${seed}, ${cases} blocks)`, () => {
    const random = seededRandom(seed);
    const outcomes = new Map<string, number>();
    const perConnection = 12;
    for (let done = 0; done < cases; done += perConnection) {
      const source = new FieldSource(random);
      const blocks = Array.from(
        { length: perConnection },
        () => [pick(random, sections), randomBlock(random, source)] as const,
      );
      try {
        feed(blocks, outcomes);
      } catch (error) {
        const entry = blocks.map(([section, bytes]) => `${section}/${bytes.toString('hex')}`).join(' ');
        throw new Error(`for the corpus: ${entry}`, { cause: error });
      }
    }
    for (const outcome of [
      'ok',
      'too-large: head too large',
      'malformed: invalid field name',
      'compression-error: truncated',
    ]) {
      assert.ok(
        (outcomes.get(outcome) ?? 0) > cases / 1000,
        `${outcome}: ${outcomes.get(outcome)}: the grammar is off`,
      );
    }
  });
});

const dropped = [
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

/** A head as the proxy has it: received by either protocol, edited. */
function randomFields(random: Random, source: FieldSource): HeadFields {
  const pairs = source.pairs().map(([name, value]) => [random() < 0.2 ? name.toUpperCase() : name, value] as const);
  const fields = fieldsOf(random() < 0.1 ? [...pairs, [pick(random, dropped), 'x']] : pairs);
  for (const [name, value] of source.pairs().slice(0, Math.floor(random() * 4))) {
    const kind = random();
    if (kind < 0.4) {
      fields.add(name, value);
    } else if (kind < 0.7) {
      fields.set(name, value);
    } else {
      fields.remove(name);
    }
  }
  if (fields.count > 0 && random() < 0.1) {
    fields.markNeverIndexed();
  }
  return fields;
}

test(`what the encoder writes is read back, through sizes and edits (seed ${seed})`, () => {
  const random = seededRandom(seed + 1);
  for (let connection = 0; connection < cases / 1000; connection += 1) {
    const source = new FieldSource(random);
    const encoder = new HpackEncoder(pick(random, [0, 100, 4096, 4096, 16_384]));
    const decoder = newDecoder({ maxTableBytes: 16_384, maxHeadBytes: 1 << 20 });
    const reference = new ReferenceDecoder();
    const out = new FieldBlock();
    for (let head = 0; head < 200; head += 1) {
      if (random() < 0.03) {
        const size = pick(random, [0, 80, 1000, 4096]);
        encoder.setPeerMaxTableBytes(size);
        decoder.setMaxTableBytes(size);
      }
      const fields = randomFields(random, source);
      encoder.begin(out);
      encoder.fields(fields);
      const bytes = Buffer.from(out.bytes.subarray(0, out.length));
      const expected: string[] = [];
      fields.forEach((name, value) => {
        if (!dropped.includes(name.toLowerCase())) {
          expected.push(`${name.toLowerCase()}: ${value}`);
        }
      });
      const { result, problem, lines } = decodeBlock(decoder, bytes, 'trailers');
      assert.equal(result, 'ok', problem);
      assert.deepEqual(lines, expected);
      assert.deepEqual(
        reference.decode(bytes)?.map(([name, value]) => `${name}: ${value}`),
        expected,
      );
      const broken = decodeBlock(newDecoder(), mutated(random, bytes), 'trailers');
      assert.ok(broken.lines.length <= 100);
    }
  }
});
