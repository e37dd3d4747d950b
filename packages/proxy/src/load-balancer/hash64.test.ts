import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { binaryText, combineHash, type Hash64, hashModulo, hashToHex } from './hash64.ts';
import { murmurHash2 } from './murmur-hash.ts';
import { xxHash64 } from './xx-hash.ts';

const MASK = (1n << 64n) - 1n;
const toBigInt = ({ hi, lo }: Hash64): bigint => (BigInt(hi) << 32n) | BigInt(lo);

function randomText(random: () => number, length: number): string {
  return String.fromCharCode(...Array.from({ length }, () => Math.floor(random() * 256)));
}

/** XXH64 as its specification has it, with big numbers. */
function xxHashByTheBook(text: string, seed: bigint): bigint {
  const [p1, p2, p3, p4, p5] = [
    0x9e3779b185ebca87n,
    0xc2b2ae3d27d4eb4fn,
    0x165667b19e3779f9n,
    0x85ebca77c2b2ae63n,
    0x27d4eb2f165667c5n,
  ] as const;
  const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & MASK;
  const bytes = Buffer.from(text, 'latin1');
  const round = (lane: bigint, input: bigint): bigint => (rotate((lane + input * p2) & MASK, 31n) * p1) & MASK;
  let at = 0;
  let hash = (seed + p5) & MASK;
  if (bytes.length >= 32) {
    const lanes = [(seed + p1 + p2) & MASK, (seed + p2) & MASK, seed, (seed - p1) & MASK];
    for (; at + 32 <= bytes.length; at += 32) {
      lanes.forEach((lane, index) => {
        lanes[index] = round(lane, bytes.readBigUInt64LE(at + 8 * index));
      });
    }
    const turns = [1n, 7n, 12n, 18n];
    hash = lanes.reduce((sum, lane, index) => (sum + rotate(lane, turns[index] ?? 0n)) & MASK, 0n);
    for (const lane of lanes) {
      hash = ((hash ^ round(0n, lane)) * p1 + p4) & MASK;
    }
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * p1 + p4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(at)) * p1) & MASK), 23n) * p2 + p3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at += 1) {
    hash = (rotate(hash ^ ((BigInt(bytes[at] ?? 0) * p5) & MASK), 11n) * p1) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * p2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * p3) & MASK;
  return hash ^ (hash >> 32n);
}

/** MurmurHash64A, with big numbers. */
function murmurByTheBook(text: string, seed: bigint): bigint {
  const m = 0xc6a4a7935bd1e995n;
  const bytes = Buffer.from(text, 'latin1');
  const mix = (value: bigint): bigint => value ^ (value >> 47n);
  let hash = seed ^ ((BigInt(bytes.length) * m) & MASK);
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    const key = (mix((bytes.readBigUInt64LE(at) * m) & MASK) * m) & MASK;
    hash = ((hash ^ key) * m) & MASK;
  }
  if (at < bytes.length) {
    let rest = 0n;
    for (let index = bytes.length - 1; index >= at; index -= 1) {
      rest = (rest << 8n) | BigInt(bytes[index] ?? 0);
    }
    hash = ((hash ^ rest) * m) & MASK;
  }
  return mix((mix(hash) * m) & MASK);
}

test('XXH64 has the values of its specification', () => {
  const out = { hi: 0, lo: 0 };
  for (const [text, expected] of [
    ['', 'ef46db3751d8e999'],
    ['a', 'd24ec4f1a98c6e5b'],
    ['abc', '44bc2cf5ad770999'],
  ] as const) {
    xxHash64(text, out);
    assert.equal(hashToHex(out), expected, text);
  }
});

test('XXH64 and MurmurHash2 are right for every length up to 200 bytes, whatever the bytes', () => {
  const random = seededRandom(11);
  const out = { hi: 0, lo: 0 };
  for (let length = 0; length <= 200; length += 1) {
    const text = randomText(random, length);
    const seed = length % 3;
    xxHash64(text, out, seed, 7 * seed);
    assert.equal(
      toBigInt(out),
      xxHashByTheBook(text, (BigInt(7 * seed) << 32n) + BigInt(seed)),
      `xxHash of ${length} bytes`,
    );
    murmurHash2(text, out);
    assert.equal(toBigInt(out), murmurByTheBook(text, 0xc70f6907n), `murmur of ${length} bytes`);
  }
});

test('modulo and combination are those of 64-bit numbers', () => {
  const random = seededRandom(12);
  const draw = (): number => Math.floor(random() * 0x1_0000_0000);
  for (let round = 0; round < 1000; round += 1) {
    const hash = { hi: draw(), lo: draw() };
    const other = { hi: draw(), lo: draw() };
    const value = toBigInt(hash);
    for (const divisor of [3, 100, 65_537, 5_000_011]) {
      assert.equal(hashModulo(hash, divisor), Number(value % BigInt(divisor)));
    }
    combineHash(hash, other);
    assert.equal(toBigInt(hash), (((value << 1n) | (value >> 63n)) & MASK) ^ toBigInt(other));
  }
});

test('a text that is not ASCII is hashed by its UTF-8', () => {
  assert.equal(binaryText('plain'), 'plain');
  assert.equal(binaryText('é'), '\u00c3\u00a9');
});
