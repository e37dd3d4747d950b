/** Random fields and field blocks: mostly as clients send them, with oddities and faults here and there. */

import { indexed, type LiteralForm, literal, sizeUpdate } from '../../packages/http-codec/test/hpack-blocks.ts';
export type Random = () => number;
export type Pair = readonly [string, string];

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}

const tokenBytes = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
const steadyNames = [
  'x-a',
  'x-tenant',
  'x-client-version',
  'sec-fetch-mode',
  'priority',
  'x-request-id',
  'traceparent',
  'origin',
  'via',
];

function randomName(random: Random): string {
  if (random() < 0.7) {
    return pick(random, steadyNames);
  }
  const length = 1 + Math.floor(random() ** 3 * 40);
  // A letter first: names of HTTP/1 connection fields cannot come out.
  return `y${Array.from({ length }, () => tokenBytes[Math.floor(random() * tokenBytes.length)]).join('')}`;
}

const steadyValues = [
  '',
  '1',
  'true',
  'gzip',
  'navigate',
  'u=1, i',
  'e7a1c1de-8b2b-4d6f-9f0a-0a4f3a6b7c8d',
  'a'.repeat(300),
];

/** A value that RFC 9113 §8.2.1 allows: no control bytes, no blank at the edges. */
export function randomValue(random: Random): string {
  const kind = random();
  if (kind < 0.4) {
    return pick(random, steadyValues);
  }
  if (kind < 0.6) {
    return String(Math.floor(random() * 1e9));
  }
  const length = Math.floor(random() ** 4 * (kind < 0.98 ? 300 : 9000));
  let text = '';
  for (let index = 0; index < length; index += 1) {
    const byte = kind < 0.8 ? 0x21 + Math.floor(random() * 94) : Math.floor(random() * 256);
    text += byte === 0x09 || (byte >= 0x20 && byte !== 0x7f) ? String.fromCharCode(byte) : '.';
  }
  return text.replace(/^[\t ]+|[\t ]+$/g, '');
}

/** `text` with one character changed: the same length, the same table bucket, another value. */
function nearly(random: Random, text: string): string {
  const at = Math.floor(random() * text.length);
  return text.length === 0 ? '' : `${text.slice(0, at)}${pick(random, ['0', '1', 'z'])}${text.slice(at + 1)}`;
}

const maxRecent = 60;

/** Fields of the heads of one connection: many were there before, some nearly. */
export class FieldSource {
  readonly #random: Random;
  readonly #recent: Pair[] = [];
  /** Entries that blocks of this connection made, about. */
  made = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  pairs(): Pair[] {
    return Array.from({ length: Math.floor(this.#random() * 14) }, () => this.#pair());
  }

  #pair(): Pair {
    const random = this.#random;
    const kind = random();
    const before = pick(random, this.#recent);
    if (before !== undefined && kind < 0.5) {
      return kind < 0.4 ? before : [before[0], nearly(random, before[1])];
    }
    const pair = [randomName(random), randomValue(random)] as const;
    this.#recent[this.#recent.length < maxRecent ? this.#recent.length : Math.floor(random() * maxRecent)] = pair;
    return pair;
  }
}

const oddNames = [
  '',
  ':',
  'X-A',
  'a b',
  'a:b',
  'a\r\nb',
  'connection',
  'transfer-encoding',
  'te',
  'host',
  'cookie',
  'content-length',
  ':method',
  ':scheme',
  ':path',
  ':authority',
  ':protocol',
  ':status',
  ':other',
];
const oddValues = [
  ' a',
  'a\t',
  'a\r\nb: c',
  '\0',
  'trailers',
  'a.test',
  'http',
  '200',
  '/',
  '/a b',
  'a@b',
  'GET',
  'b'.repeat(5000),
];
const staticIndexes = [1, 2, 4, 6, 8, 15, 16, 28, 32, 38, 57, 61];
const wrongIndexes = [0, 62, 70, 126, 127, 128, 190, 1e6, 2 ** 31];
const forms: readonly LiteralForm[] = ['indexing', 'indexing', 'plain', 'never'];

function randomIndex(random: Random, source: FieldSource): number {
  const kind = random();
  if (kind < 0.003) {
    return pick(random, wrongIndexes);
  }
  return kind < 0.4 || source.made === 0
    ? pick(random, staticIndexes)
    : 62 + Math.floor(random() ** 2 * Math.min(20, source.made));
}

/** One representation, now and then one that is not valid at its place. */
function randomPart(random: Random, source: FieldSource, first: boolean): Buffer {
  const kind = random();
  if (first && kind < 0.05) {
    const size = pick(random, random() < 0.95 ? [300, 2000, 4096, 4096] : [0, 50, 4097]);
    source.made = size < 4096 ? 0 : source.made;
    return sizeUpdate(size);
  }
  if (kind < 0.4) {
    return indexed(randomIndex(random, source));
  }
  const value = random() < 0.9 ? randomValue(random) : pick(random, oddValues);
  const form = pick(random, forms);
  const name = kind < 0.6 ? randomIndex(random, source) : random() < 0.9 ? randomName(random) : pick(random, oddNames);
  if (kind < 0.998) {
    source.made += form === 'indexing' ? 1 : 0;
    return literal(name, value, form, random() < 0.3);
  }
  return sizeUpdate(100);
}

/** Changes a byte, drops some or puts one in, seldom. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0 || random() < 0.97) {
    return bytes;
  }
  const at = Math.floor(random() * bytes.length);
  const kind = random();
  if (kind < 0.5) {
    const changed = Buffer.from(bytes);
    changed[at] =
      random() < 0.5 ? (changed[at] as number) ^ (1 << Math.floor(random() * 8)) : Math.floor(random() * 256);
    return changed;
  }
  const before = bytes.subarray(0, at);
  return kind < 0.75
    ? Buffer.concat([before, bytes.subarray(at + 1 + Math.floor(random() * 4))])
    : Buffer.concat([before, Buffer.from([pick(random, [0, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff])]), bytes.subarray(at)]);
}

/** A field block of one to fifteen representations. */
export function randomBlock(random: Random, source: FieldSource): Buffer {
  const count = Math.floor(random() ** 2 * 16);
  return mutated(
    random,
    Buffer.concat(Array.from({ length: count }, (_, index) => randomPart(random, source, index < 2))),
  );
}
