import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBootstrap } from '../../packages/proxy/src/bootstrap/parse-bootstrap.ts';
import { runtimeConfigFromStatic } from '../../packages/proxy/src/runtime-config/static-resources.ts';
import { fuzz, mutateBytes, pick, type Random } from './fuzz-run.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const odd: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  '',
  'x',
  'Ā',
  '\0',
  [],
  {},
  [[]],
  { a: {} },
  '9'.repeat(40),
];

/** Puts something odd in the place of a value, drops, copies or renames an entry, somewhere in the tree. */
function mutateJson(random: Random, value: Json, others: readonly Json[]): Json {
  if (random() < 0.1 || typeof value !== 'object' || value === null) {
    return random() < 0.7 ? pick(random, odd) : pick(random, others);
  }
  if (Array.isArray(value)) {
    if (value.length === 0) {
      return [pick(random, odd)];
    }
    const at = Math.floor(random() * value.length);
    return value.map((item, index) => (index === at ? mutateJson(random, item, others) : item));
  }
  const keys = Object.keys(value);
  const key = keys.length === 0 ? 'added' : pick(random, keys);
  const { [key]: chosen = null, ...rest } = value;
  const kind = random();
  if (kind < 0.1) {
    return rest;
  }
  if (kind < 0.2) {
    return { ...rest, [pick(random, ['__proto__', 'constructor', `${key}_`, 'toString', ''])]: chosen };
  }
  return { ...value, [key]: mutateJson(random, chosen, others) };
}

/** A bootstrap file must be read, or refused with the place and a remedy of each mistake. */
function check(text: string): string {
  const result = parseBootstrap(text);
  if ('violations' in result) {
    assert.ok(result.violations.length > 0);
    for (const { message, fix } of result.violations) {
      assert.ok(message !== '' && fix !== '');
    }
    return 'refused';
  }
  if (result.ok.static === undefined) {
    return 'accepted';
  }
  const config = runtimeConfigFromStatic(result.ok.static);
  if ('problems' in config) {
    assert.ok(config.problems.length > 0);
    return 'resources refused';
  }
  return 'accepted';
}

test('bootstrap files, mutated as text and as values: read, or refused with reasons', async (t) => {
  const cases = await fuzz<string>({
    corpus: 'bootstrap.txt',
    read: (line) => line,
    write: (text) => JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"'),
    make: (random, corpus) => {
      const origin = pick(random, corpus);
      if (random() < 0.3) {
        const others = corpus.map((text) => Buffer.from(text));
        return mutateBytes(random, Buffer.from(origin), others).toString('utf8');
      }
      let value = JSON.parse(origin) as Json;
      for (let count = 1 + Math.floor(random() * 3); count > 0; count -= 1) {
        value = mutateJson(
          random,
          value,
          corpus.map((text) => JSON.parse(text) as Json),
        );
      }
      return JSON.stringify(value);
    },
    check,
    expected: { refused: 0.2, 'resources refused': 0.02, accepted: 0.01 },
  });
  t.diagnostic(`${cases} cases`);
});
